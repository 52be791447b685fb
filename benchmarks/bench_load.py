"""Pages, predictions and live scores over HTTP under load, beside the service that most would write.

    python benchmarks/bench_load.py [--bundle FILE] [--count 6000] [--sessions 10000] [--only PART] [--write]
        [--report-only]

Starts a PostgreSQL server, a Valkey server with an append-only file, both on Unix sockets, and Granian with two workers
before Django; asks from this process, which shares the machine's cores with them all, and says what it took itself.
Parts:

- `page`: a page with tracking (by the stream, and by the database) and the same without, a visit each in turns, one
  page at a time;
- `predict`: `POST predict/` with five events, 32 connections;
- `score`: the live decision on tracked sessions, in random order; before half the reads something happens in the
  session, through the stream. The same goes on before the clock counts. With answers kept and without;
- `vote`: FastAPI on the same Granian with scikit-learn's soft vote over learners of the members' sizes;
- `many`: the live decision at 100 to 2,000 connections.

Beside the clock stands the processor time a request takes, of the web processes, the servers and this client: on a busy
machine it says more. Ends with 1 where a limit is missed; `--write` puts the table into docs/load.md.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.load.settings"

from benchmarks.load.client import Outcome, Visitor, drive  # noqa: E402
from benchmarks.load.prepared import first_processes, prepared  # noqa: E402
from benchmarks.load.report import Row, table, written  # noqa: E402
from benchmarks.load.servers import Address, granian, seconds_of  # noqa: E402

PARTS = ("page", "predict", "score", "vote", "many")
CONNECTIONS = 32
CROWDS = (100, 500, 1_000, 2_000)
VISIT = 20
"""Pages of a visit, after which somebody new comes."""
WARM = 2
"""Visits before the clock counts, on each side."""
MORE = {"stream": 0.3, "database": 1.5}
"""Milliseconds that tracking may add to a page, at the median."""
LEAST = {"predict": 1200.0, "score": 2300.0}
"""Answers a second."""
TURNS = 7
"""Of ours and FastAPI's: the median of their ratios counts."""
P95 = 45.0
"""Milliseconds within which 95 of 100 are answered at 32 connections."""
TIMES = 20.0
"""How many times as many predictions a second as FastAPI with the vote."""
APP = "benchmarks.load.app:application"
PAGE = "/product/7/"


@dataclass
class Bench:
    """What all parts share, and what they have found."""

    options: argparse.Namespace
    folder: Path
    ensemble: Any
    watched: dict[str, int]
    """Processes of the servers, by name."""
    rows: list[Row] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def run(
        self,
        name: str,
        address: Address,
        web: int,
        asking: Iterator[bytes],
        *,
        connections: int = CONNECTIONS,
        count: int = 0,
    ) -> Outcome:
        """Ask, print and keep a line."""
        count = count or self.options.count
        drive(address, asking, connections=min(connections, CONNECTIONS), count=max(count // 10, 50))
        roots = {"web": web, **self.watched}
        before = {what: seconds_of(root) for what, root in roots.items()}
        found = drive(address, asking, connections=connections, count=count)
        spent = {what: seconds_of(root) - before[what] for what, root in roots.items()} | {"client": found.busy}
        row = Row.of(name, connections, found, spent)
        self.rows.append(row)
        print(row, flush=True)
        if found.failed:
            self.missed.append(f"{name}: {found.failed} of {found.asked} failed {dict(found.errors)}")
        return found

    def limit(self, holds: bool, words: str) -> None:  # noqa: FBT001 (it is what the words say)
        """Note a limit that is missed."""
        if not holds:
            self.missed.append(words)


def pages(bench: Bench) -> None:
    """A page without tracking and with it, in turns."""
    serve = partial(granian, APP, interface="wsgi", threads=bench.options.threads, probe=PAGE)
    with (
        serve(LOAD_TRACKED="0") as (plain, _),
        serve(LOAD_TRACKED="1") as (stream, _),
        serve(LOAD_TRACKED="1", STREAM_URL="") as (database, _),
    ):
        visitors = {
            "without": Visitor(plain, PAGE),
            "stream": Visitor(stream, PAGE),
            "database": Visitor(database, PAGE),
        }
        took: dict[str, list[float]] = {name: [] for name in visitors}
        for visit in range(bench.options.count // (4 * VISIT)):
            # A visit each: who is asked right after two others finds the processor's caches full of theirs.
            for name, visitor in visitors.items():
                visitor.leave()
                seconds = [visitor.look() for _ in range(VISIT)]
                if visit >= WARM:
                    took[name] += [each * 1000 for each in seconds[1:]]
        cookies = {name: bool(visitor.cookie) for name, visitor in visitors.items()}
        assert cookies == {"without": False, "stream": True, "database": True}
    middle = {name: statistics.median(times) for name, times in took.items()}
    for name, limit in MORE.items():
        more = middle[name] - middle["without"]
        slow = statistics.quantiles(took[name], n=20)[-1]
        row = Row.of_pages(name, middle["without"], middle[name], slow, limit)
        bench.rows.append(row)
        print(row, flush=True)
        bench.limit(more < limit, f"page with {name}: {more:.2f} ms more")


def predict(bench: Bench) -> None:
    """Five events in, a score out."""
    from benchmarks.load.shoppers import predictions

    with granian(APP, interface="wsgi", threads=bench.options.threads, probe=PAGE, LOAD_TRACKED="1") as (address, web):
        found = bench.run("predict, 5 events", address, web, predictions(_key(), seed=7))
    bench.limit(found.rate >= LEAST["predict"], f"predict: {found.rate:,.0f} a second")
    bench.limit(found.at(0.95) < P95, f"predict: p95 {found.at(0.95):.0f} ms")


def score(bench: Bench, asking: list[bytes]) -> None:
    """Live decisions of sessions that move."""
    from benchmarks.load.shoppers import moving

    for cache, name in (("1", "live score"), ("0", "live score, cache off")):
        begun = [0] * len(asking)
        variables = {"LOAD_TRACKED": "1", "LOAD_CACHE": cache}
        with granian(APP, interface="wsgi", threads=bench.options.threads, probe=PAGE, **variables) as (address, web):
            moves = moving(asking, seed=11 + int(cache), begun=begun)
            warm(address, asking, moves)
            found = bench.run(name, address, web, moves)
        _drained()
        bench.limit(found.rate >= LEAST["score"], f"{name}: {found.rate:,.0f} a second")
        bench.limit(found.at(0.95) < P95, f"{name}: p95 {found.at(0.95):.0f} ms")


def warm(address: Address, asking: list[bytes], moves: Iterator[bytes]) -> None:
    """Ask about sessions that move, record it, and ask about each once: a shop has been open for a while."""
    drive(address, moves, connections=CONNECTIONS, count=len(asking))
    _drained()
    drive(address, iter(asking), connections=CONNECTIONS, count=len(asking))


def many(bench: Bench, asking: list[bytes]) -> None:
    """The same at many connections."""
    from benchmarks.load.shoppers import moving

    with granian(APP, interface="wsgi", threads=bench.options.threads, probe=PAGE, LOAD_TRACKED="1") as (address, web):
        warm(address, asking, moving(asking, seed=1, begun=[1_000_000] * len(asking)))
        for crowd in CROWDS:
            begun = [crowd * 1000] * len(asking)
            bench.run("live score", address, web, moving(asking, seed=crowd, begun=begun), connections=crowd)
            _drained()


def vote(bench: Bench) -> None:
    """The service that most would write; and how many times as many predictions ours gives, in turns."""
    from benchmarks.load.baseline import asked, fitted
    from benchmarks.load.shoppers import predictions

    path = bench.folder / "vote.joblib"
    features = fitted(bench.ensemble, path, log=bench.options.log, zone=bench.options.zone)
    with (
        granian(APP, interface="wsgi", threads=bench.options.threads, probe=PAGE, LOAD_TRACKED="1") as (ours, _),
        granian("benchmarks.load.vote:app", interface="asgi", threads=1, probe="/docs", LOAD_VOTE=str(path)) as served,
    ):
        theirs, web = served
        events, visits = predictions(_key(), seed=8), asked(features)
        few = max(bench.options.count // 10, 100)
        bench.run("FastAPI, soft vote", theirs, web, visits, count=few)
        drive(ours, events, connections=CONNECTIONS, count=few)
        ratios = []
        for _ in range(TURNS):
            # About as long each: what begins a turn must not weigh more in the quicker one's.
            mine = drive(ours, events, connections=CONNECTIONS, count=4 * few)
            other = drive(theirs, visits, connections=CONNECTIONS, count=few // 5)
            ratios.append(mine.rate / other.rate)
    times = statistics.median(ratios)
    row = Row.of_ratio(times, min(ratios), max(ratios), TIMES)
    bench.rows.append(row)
    print(row, flush=True)
    bench.limit(times >= TIMES, f"FastAPI: {times:.1f} times")


def _key() -> str:
    from purchase_intent.models import ApiKey

    return ApiKey.objects.make(name="load", scopes=["predict"])[1]


def _drained() -> None:
    """Record what waits, so that each part begins alike."""
    from purchase_intent.tracking.sinks.draining import drain

    drain()


def measure(options: argparse.Namespace, folder: Path) -> Bench:
    """Run the parts asked for."""
    from tests.postgres import running_server
    from tests.valkey import Store

    with running_server() as server:
        store = Store(folder / "valkey", fsync=options.fsync, near=True)
        os.environ.update(DEMO_VAR=str(folder), DATABASE_URL=server.url, STREAM_URL=store.url)
        bench = Bench(options, folder, prepared(options.bundle, options.log, options.zone), first_processes(store.url))
        wanted = options.only or PARTS
        print(Row.heading(), flush=True)
        if "page" in wanted:
            pages(bench)
        asking: list[bytes] = []
        if {"score", "many"} & set(wanted):
            from benchmarks.load.shoppers import cookies, record

            record(options.sessions)
            asking = cookies(options.sessions)
        parts: dict[str, Callable[[], None]] = {
            "predict": lambda: predict(bench),
            "score": lambda: score(bench, asking),
            "many": lambda: many(bench, asking),
            "vote": lambda: vote(bench),
        }
        for name, part in parts.items():
            if name in wanted:
                part()
        store.stop()
    return bench


def main() -> int:
    """Measure, and say by the exit code whether the limits hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bundle", type=Path, help="a bundle of this project's, from intent_train")
    parser.add_argument("--log", type=Path, default=ROOT / "fixtures" / "log.parquet", help="learn of this log instead")
    parser.add_argument("--zone", default="Europe/Berlin", help="the time zone of the log's shop")
    parser.add_argument("--count", type=int, default=6000, help="requests of a line")
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=1, help="of each worker of Granian")
    parser.add_argument("--fsync", choices=("always", "everysec"), default="everysec", help="of the Valkey server")
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--write", action="store_true", help="put the table into docs/load.md")
    parser.add_argument("--report-only", action="store_true", help="end with 0 even where a limit is missed")
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 8192), hard), hard))
    load = os.getloadavg()[0]
    print(f"load {load:.1f} on {os.cpu_count()} cores; Granian with 2 workers of {options.threads} threads")
    with tempfile.TemporaryDirectory(prefix="intent-") as folder:
        bench = measure(options, Path(folder))
    print(f"missed: {'; '.join(bench.missed)}" if bench.missed else "the limits hold")
    if options.write:
        written(ROOT / "docs" / "load.md", table(bench.rows, load=load))
    return 1 if bench.missed and not options.report_only else 0


if __name__ == "__main__":
    sys.exit(main())
