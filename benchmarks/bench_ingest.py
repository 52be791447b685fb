"""Events accepted by the stream and drained to PostgreSQL, and what a drain that stands still holds in memory.

    python benchmarks/bench_ingest.py [--events 40000] [--kills 0] [--report-only]

Starts a PostgreSQL server and a Valkey server with an append-only file. Batches of 50 events, a visitor each, are
handed to the stream as the endpoint for batches does it, `--events` in all; then one process drains them. Every fifth
batch is of somebody new, the others go on in a session. Meanwhile the memory of the Valkey server is watched.

Prints events a second, of processor time (of the process at work, and with the servers') and by the clock, which says
little on a busy machine. Ends with 1 where a second of the processor of the accepting process, or of the drain, does
fewer than 10,000 events; or where the table does not hold each accepted event exactly once. With `--kills`, a drain and
the Valkey server are killed with SIGKILL so many times while events come, before that is checked.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")

LIMIT = 10_000
"""Events a second of processor time, accepted, and drained."""
BATCH = 50
PER_SESSION = 5
"""Batches of a session."""


def settle(folder: str, database: str, stream: str) -> None:
    """Bring up Django on the benchmark's own servers."""
    os.environ.update(DEMO_VAR=folder, DATABASE_URL="")
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    from tests.postgres import use_database

    use_database(database)
    settings.PURCHASE_INTENT = {
        "SHOP": "benchmarks.page_of_a_shop.OpenShop",
        "STREAM": stream,
        "SPOOL": f"{folder}/spool",
    }
    call_command("migrate", verbosity=0)


def batches(events: int, *, word: str = "s") -> list[tuple[Any, list[Any]]]:
    """Batches of 50 events with their senders, in the order of time."""
    from django.utils import timezone

    from purchase_intent.events import Event, EventName
    from purchase_intent.tracking.recorder import Sender

    made, begin = [], timezone.now() - timedelta(minutes=5)
    sessions = events // (BATCH * PER_SESSION)
    for turn in range(PER_SESSION):
        for session in range(sessions):
            sender = Sender(visitor=f"v-{word}{session}", session=f"{word}{session}")
            told = [
                Event(
                    event_id=f"{turn}-{number}",
                    name=EventName.VIEW if number % 7 else EventName.CART,
                    occurred_at=begin + timedelta(milliseconds=session + 60_000 * turn + number),
                    visitor=sender.visitor,
                    product=f"p{number}",
                    category="home/lamps",
                    brand="Lumo",
                    price=19.5,
                    device="mobile",
                )
                for number in range(BATCH)
            ]
            made.append((sender, told))
    return made


def accept(given: list[tuple[Any, list[Any]]]) -> int:
    """Hand batches to the chain; how many events it has taken."""
    from purchase_intent.tracking.recorder import Journey
    from purchase_intent.tracking.sinks.chain import Dropped, chain

    taken = 0
    for sender, events in given:
        try:
            chain().write(Journey(sender), events, score=None)
        except Dropped:
            continue
        taken += len(events)
    return taken


def timed(what: str, events: int, work: Callable[[], object], servers: Callable[[], float]) -> float:
    """Print a line; events in a second of this process's processor time."""
    busy, others, began = time.process_time(), servers(), time.perf_counter()
    work()
    spent, theirs, clock = time.process_time() - busy, servers() - others, time.perf_counter() - began
    both = events / (spent + theirs)
    print(f"{what:<24}{events / spent:>14,.0f}{both:>20,.0f}{events / clock:>14,.0f}", flush=True)
    return events / spent


def seconds_of(processes: Callable[[], list[int]]) -> float:
    """Processor time of other processes so far."""
    ticks = 0.0
    for process in processes():
        try:
            text = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        numbers = text.rpartition(")")[2].split()
        ticks += int(numbers[11]) + int(numbers[12]) + int(numbers[13]) + int(numbers[14])
    return ticks / os.sysconf("SC_CLK_TCK")


def of_postgres() -> list[int]:
    """The server behind Django's connection: its parent, and the process that answers us."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return [int(cursor.fetchone()[0])]


def drained_with_kills(store: Any, kills: int) -> int:
    """Have events come while drains and the Valkey server are killed in turn; how many were taken."""
    from django.db import connections

    from purchase_intent.tracking.sinks import breaker, draining

    breaker.REST, draining.LEASE_SECONDS, draining.BATCH = 0.05, 0.3, 20  # type: ignore[misc]
    taken = 0
    for kill in range(kills):
        connections.close_all()
        child = os.fork()
        if not child:
            _drain_for_good()
        given = batches(BATCH * PER_SESSION * 8, word=f"k{kill}-")
        half = len(given) // 2
        taken += accept(given[:half])
        _wait_for_progress(store.url)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        store.kill()
        taken += accept(given[half:])
        store.start()
    return taken


def _wait_for_progress(url: str) -> None:
    """Let the drain begin: it is to be killed at work."""
    from purchase_intent.tracking.sinks.wire import STREAM, Wire

    client, until = Wire(url, timeout=30).client, time.monotonic() + 10
    waiting = client.xlen(STREAM)
    while client.xlen(STREAM) >= waiting and time.monotonic() < until:
        time.sleep(0.002)


def _drain_for_good() -> None:
    from purchase_intent.tracking.sinks.draining import drain
    from purchase_intent.tracking.sinks.wire import wire_to

    wire_to.cache_clear()
    try:
        drain(follow=True)
    finally:
        os._exit(0)


def drain_all() -> None:
    """Record everything, whoever held the lease."""
    from django.conf import settings

    from purchase_intent.tracking.sinks.draining import drain
    from purchase_intent.tracking.sinks.wire import STREAM, wire_to

    client = wire_to(str(settings.PURCHASE_INTENT["STREAM"]), patient=True).client
    drain()
    while client.xlen(STREAM):
        time.sleep(0.1)
        drain()


def measure(folder: str, events: int, kills: int) -> list[str]:
    """Print the figures; what was missed."""
    from tests.postgres import running_server
    from tests.valkey import Store

    with running_server() as server:
        store = Store(Path(folder) / "valkey", fsync="everysec")
        settle(folder, server.url, store.url)
        from purchase_intent.models import DeadLetter, Event, Session
        from purchase_intent.tracking.sinks.chain import chain
        from purchase_intent.tracking.sinks.wire import wire_to

        client = wire_to(store.url, patient=True).client
        before = client.info("memory")["used_memory"]
        print(f"{'':<24}{'of this process':>14}{'with the servers':>20}{'by the clock':>14}")
        given, missed, valkey = batches(events), [], int(client.info("server")["process_id"])
        rate = timed("accepted", events, lambda: accept(given), lambda: seconds_of(lambda: [valkey]))
        missed += ["accepted"] if rate < LIMIT else []
        held = client.info("memory")["used_memory"] - before
        print(f"waiting: {held / events:,.0f} bytes an event on the Valkey server, {held / 2**20:,.1f} MiB in all")
        backend = of_postgres()
        rate = timed("drained", events, drain_all, lambda: seconds_of(lambda: [valkey, *backend]))
        missed += ["drained"] if rate < LIMIT else []
        taken = events
        if kills:
            # Anything less may lose what was answered, and that is no fault of the drain's.
            store.fsync = "always"
            client.config_set("appendfsync", "always")
            taken += drained_with_kills(store, kills)
            drain_all()
            print(f"killed {kills} drains and {kills} servers; {chain().dropped:,} events were dropped")
        stored, sessions = Event.objects.count(), Session.objects.count()
        print(f"{taken:,} events accepted, {stored:,} in the table, {sessions:,} sessions")
        missed += ["exactly once"] if stored != taken or DeadLetter.objects.exists() else []
        store.stop()
    return missed


def main() -> int:
    """Measure, and say by the exit code whether the limits hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--report-only", action="store_true", help="end with 0 even where a limit is missed")
    options = parser.parse_args()
    if options.events % (BATCH * PER_SESSION):
        parser.error(f"--events: give a multiple of {BATCH * PER_SESSION}")
    print(f"{options.events:,} events in batches of {BATCH}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(prefix="intent-") as folder:
        missed = measure(folder, options.events, options.kills)
    print(f"missed: {', '.join(missed)}" if missed else "the limits hold")
    return 1 if missed and not options.report_only else 0


if __name__ == "__main__":
    sys.exit(main())
