"""Sessions and visitors scored in bulk on PostgreSQL, beside the same sessions one by one.

    python benchmarks/bench_batch.py [--sessions 40000] [--bundle FILE | --log FILE [--zone NAME]] [--report-only]

Starts a PostgreSQL server of its own and fills it with the sessions and visitors that a log folds to, again and again
until there are enough, all open. A champion is loaded from a bundle that `intent_train` made, else learnt of the log.
Then fresh processes, as Celery's workers are, score them: read from the database, vectors, ensemble, and the scores
written to sessions, visitors and rows of scores. Warming up (learners imported, functions compiled) is not counted.

What counts is processor time, of the workers and of all the server's processes together; beside it stands the clock,
which says little on a busy machine. Ends with 1 where one worker and the server, in one second of processor time of
both, score fewer than 20,000 sessions.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")

LIMIT = 20_000
"""Sessions in a second of processor time, the worker's and the server's together."""
SERIES = 400
"""Sessions scored one by one."""
BUFFERS: Final = "512MB"
"""Of the server: what is scored fits in. Its default of 128 MB holds some 30,000 open sessions, and the rest are read
from the system over and over."""
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENDED = NOW - timedelta(minutes=10)
WARM = timedelta(days=1)
"""A night later each time, so that visitors wait again."""


class Spent(NamedTuple):
    """What a way took: rows, seconds of the workers' processors, of the server's, and of the clock."""

    rows: int
    worker: float
    server: float
    clock: float


def begin(url: str, bundles: str) -> None:
    """Bring up Django on the benchmark's own database and folder."""
    import django
    from django.conf import settings

    django.setup()
    from tests.postgres import use_database

    backend = "django.core.files.storage.FileSystemStorage"
    folder = {"BACKEND": backend, "OPTIONS": {"location": bundles}}
    settings.STORAGES = {**settings.STORAGES, "purchase_intent": folder}
    use_database(url)


def fill(rows: int, log: Path, zone: str) -> None:
    """Make the tables and fill them with open sessions, each of a visitor of its own."""
    import numpy as np
    from django.core.management import call_command
    from django.db import connection

    from purchase_intent.features.history import fold
    from purchase_intent.models import Session, Visitor
    from purchase_intent.scoring.score import milliseconds
    from purchase_intent.sources import open_log

    call_command("migrate", verbosity=0)
    with open_log([log], zone=zone) as opened:
        batch: Any = next(iter(opened.batches(1_000_000)))
    tables: Any = fold(batch.hits, batch.visitor, batch.session)
    left = np.flatnonzero(tables.states["purchases"] == 0)
    pasts = tables.pasts[tables.owner[left] - 1]
    states, seen = tables.states[left], tables.seen[left]
    shift = milliseconds(ENDED) - states["last"]
    for name in ("start", "last"):
        states[name] += shift
    spread = 20 * 60_000
    for first in range(0, rows, 5_000):
        places = range(first, min(first + 5_000, rows))
        visitors = Visitor.objects.bulk_create(
            Visitor(
                cookie=f"c{place}",
                past=pasts[place % len(left)].tobytes(),
                first_seen=ENDED - timedelta(days=60),
                last_seen=ENDED - timedelta(days=place % 60),
            )
            for place in places
        )
        Session.objects.bulk_create(
            Session(
                key=f"s{place}",
                visitor=visitor,
                started_at=ENDED - timedelta(milliseconds=place * spread // rows),
                last_at=ENDED - timedelta(milliseconds=place * spread // rows),
                state=states[place % len(left)].tobytes(),
                past=seen[place % len(left)].tobytes(),
                stage=int(states[place % len(left)]["stage"]),
                has_news=True,
                device=("desktop", "phone", "tablet")[place % 3],
                channel=("organic", "direct", "mail", "paid")[place % 4],
                country=("DE", "FR", "US")[place % 3],
            )
            for place, visitor in zip(places, visitors, strict=True)
        )
    connection.cursor().execute("VACUUM ANALYZE")
    connection.cursor().execute("CHECKPOINT")
    print(f"{rows:,} open sessions of as many visitors, folded from {len(left):,}")


def register(asked: argparse.Namespace) -> None:
    """Put the champion on record."""
    from purchase_intent.conf import bundle_keys
    from purchase_intent.features.schema import schema_hash
    from purchase_intent.learning import IntentEnsemble, dump, load
    from purchase_intent.models import ModelVersion
    from purchase_intent.scoring.bundles import store_bundle
    from purchase_intent.sources import open_log
    from purchase_intent.training.dataset import build_sample

    if asked.bundle:
        data = asked.bundle.read_bytes()
    else:
        with open_log([asked.log], zone=asked.zone) as opened:
            sample = build_sample(opened, seed=3, progress=lambda _step: None)
        data = dump(IntentEnsemble.fit(sample, seed=3), schema=schema_hash(), facts={}, key=bundle_keys()[0])
    members = load(data, schema=schema_hash(), key=bundle_keys()[0]).members
    print("trees: " + ", ".join(f"{name} {member.rounds}" for name, member in members.items()))
    ModelVersion.objects.create(
        trained_from=NOW - timedelta(days=60),
        trained_until=NOW - timedelta(days=1),
        events=1,
        sessions=1,
        buyers=1,
        schema_hash=schema_hash(),
        bundle=store_bundle(data),
        bundle_sha256=hashlib.sha256(data).hexdigest(),
    ).promote()


def warm() -> None:
    """Import the learners and compile, as a worker has done after its first hundred thousand rows."""
    import numpy as np

    from purchase_intent.features import columns
    from purchase_intent.features.state import PAST, STATE
    from purchase_intent.scoring.columns import Rows, say

    columns._Process.rows = columns.PAYS_FROM  # noqa: SLF001
    states, pasts, one = np.zeros(1, STATE), np.zeros(1, PAST), np.zeros(1, np.int64)
    states["events"] = 1
    columns.tell_all(pasts, one, states)
    say(Rows(one, states, pasts, one))


def one_by_one(first: int, last: int, _night: datetime) -> int:
    """Each session read, scored and written by itself."""
    from purchase_intent.models import Session
    from purchase_intent.scoring.keeping import keep_scores
    from purchase_intent.scoring.score import answer

    done = 0
    for key in range(first, last + 1):
        session = Session.objects.get(pk=key)
        found = answer(session.read_state(), session.read_past(), at=session.last_at, session=session)
        done += keep_scores([(session, found)])
    return done


def sessions(first: int, last: int, _night: datetime) -> int:
    """A range of sessions in bulk."""
    from purchase_intent.scoring.batch import score_sessions
    from purchase_intent.scoring.columns import Part

    return score_sessions(NOW, most=10**9, part=Part(first, last))


def visitors(first: int, last: int, night: datetime) -> int:
    """A range of visitors in bulk."""
    from purchase_intent.scoring.columns import Part
    from purchase_intent.scoring.nightly import score_visitors

    return score_visitors(night, part=Part(first, last))


def closing(_first: int, _last: int, _night: datetime) -> int:
    """All sessions closed, and their scores judged."""
    from purchase_intent.models.session import IDLE
    from purchase_intent.scoring.closing import close_sessions

    done = close_sessions(NOW + 2 * IDLE, most=10**9)
    return done.bought + done.left


Way = Callable[[int, int, datetime], int]


def work(way: Way, part: tuple[int, int], night: datetime, place: tuple[str, str], start: Any, told: Any) -> None:
    """What a worker's process does: warm up, wait for the others, score its part."""
    begin(*place)
    warm()
    start.wait()
    began = time.process_time()
    rows = way(*part, night)
    told.put((rows, time.process_time() - began))
    start.wait()


def measure(way: Way, rows: tuple[int, int], *, workers: int, night: datetime, place: tuple[str, str]) -> Spent:
    """Let that many workers share a range of keys."""
    context = multiprocessing.get_context("spawn")
    start, told = context.Barrier(workers + 1), context.SimpleQueue()
    edges = [rows[0] + (rows[1] + 1 - rows[0]) * part // workers for part in range(workers + 1)]
    team = [
        context.Process(target=work, args=(way, (edges[part], edges[part + 1] - 1), night, place, start, told))
        for part in range(workers)
    ]
    for each in team:
        each.start()
    start.wait()
    before, began = server_seconds(), time.perf_counter()
    done = [told.get() for _ in team]
    clock, after = time.perf_counter() - began, server_seconds()
    start.wait()
    for each in team:
        each.join()
    return Spent(sum(rows for rows, _ in done), sum(spent for _, spent in done), after - before, clock)


def server_seconds() -> float:
    """Processor seconds of the server so far, all its processes; on Linux."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        parent = _status(cursor.fetchone()[0])[1]
    ticks = sum(_status(parent)[11:15])
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            status = _status(int(entry.name))
        except OSError:
            continue
        ticks += sum(status[11:13]) if status[1] == parent else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def _status(process: int) -> list[int]:
    """The numbers of /proc/PID/stat after the state: the parent is the second, its times the twelfth and on."""
    text = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    return [0, *(int(word) for word in text.rpartition(")")[2].split()[1:])]


def told(label: str, spent: Spent) -> float:
    """Print a line; rows in a second of processor time, of workers and server together."""
    rows = spent.rows
    print(
        f"{label:34}{rows:9,}{spent.worker / rows * 1e6:9.1f}{spent.server / rows * 1e6:9.1f}"
        f"{rows / spent.worker:12,.0f}{rows / (spent.worker + spent.server):12,.0f}{rows / spent.clock:12,.0f}"
    )
    return rows / (spent.worker + spent.server)


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sessions", type=int, default=40_000)
    parser.add_argument("--bundle", type=Path, help="a bundle of this project's, from intent_train")
    parser.add_argument("--log", type=Path, default=ROOT / "fixtures" / "log.parquet", help="sessions to repeat")
    parser.add_argument("--zone", default="Europe/Berlin", help="the time zone of the log's shop")
    parser.add_argument("--report-only", action="store_true", help="end with 0 even where the limit is missed")
    return parser.parse_args()


@contextmanager
def database() -> Iterator[tuple[str, str]]:
    """A server and a folder of the benchmark's own: its URL, and the folder."""
    from tests.postgres import running_server

    with tempfile.TemporaryDirectory(prefix="intent-") as bundles, running_server() as server:
        begin(server.url, bundles)
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(f"ALTER SYSTEM SET shared_buffers = '{BUFFERS}'")
        connection.close()
        server.stop()
        server.start()
        try:
            yield server.url, bundles
        finally:
            connection.close()


def main() -> int:
    """Measure, print, and say by the exit code whether the limit holds."""
    asked = options()
    import django

    django.setup()
    with database() as place:
        fill(asked.sessions, asked.log, asked.zone)
        register(asked)
        from purchase_intent.models import Session, Visitor

        first, last = (Session.objects.order_by(order).values_list("pk", flat=True)[0] for order in ("pk", "-pk"))
        people = tuple(Visitor.objects.order_by(order).values_list("pk", flat=True)[0] for order in ("pk", "-pk"))
        half = (first + SERIES + last) // 2
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        print(f"{'':34}{'rows':>9}{'worker':>9}{'server':>9}{'rows a second of the':>24}{'':12}")
        print(f"{'':34}{'':9}{'us a row':>9}{'us a row':>9}{'worker':>12}{'both':>12}{'clock':>12}")

        def spent(way: Way, rows: Any, workers: int, nights: int = 0) -> Spent:
            return measure(way, rows, workers=workers, night=NOW + nights * WARM, place=place)

        series = told("sessions, one by one", spent(one_by_one, (first, first + SERIES - 1), 1))
        bulk = told("sessions in bulk, 1 worker", spent(sessions, (first + SERIES, half), 1))
        told("sessions in bulk, 2 workers", spent(sessions, (half + 1, last), 2))
        told("visitors in bulk, 1 worker", spent(visitors, people, 1, 1))
        told("visitors in bulk, 2 workers", spent(visitors, people, 2, 2))
        told("sessions closed", spent(closing, (first, last), 1))
    print(f"in bulk {bulk / series:.0f} times one by one; {bulk / LIMIT:.2f} of {LIMIT:,} a second of processor time")
    return 0 if asked.report_only or bulk >= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
