"""Events accepted by the stream and drained to PostgreSQL, and what a drain that stands still holds in memory.

    python benchmarks/bench_ingest.py [--events 40000] [--kills 0] [--fsync always] [--report-only]

Starts a PostgreSQL server and a Valkey server with an append-only file. Batches of 50 events, a visitor each, are
posted to `events/` as a browser does it, through the demo shop's middleware and without a web server before it,
`--events` in all; as many more are handed to the stream alone. Then one process drains them. Every fifth batch is of
somebody new, the others go on in a session. Meanwhile the memory of the Valkey server is watched.

Prints events a second, of processor time (of the process at work, and with the servers') and by the clock, which says
little on a busy machine. Ends with 1 where a second of the processor of the accepting process, or of the drain, does
fewer than 10,000 events; or where the table does not hold each accepted event exactly once. With `--kills`, a drain and
the Valkey server are killed with SIGKILL so many times while events come, before that is checked; with
`--fsync everysec` the server may lose what it answered in the two seconds before a kill, and nothing else.
"""

from __future__ import annotations

import argparse
import json
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
EVENTS = "/intent/v1/events/"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
MAY_LOSE = 2.0
"""Seconds before a kill whose answers a server may lose that writes its file through every second."""


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
        "SHOP": "benchmarks.page_of_a_shop.StockedShop",
        "STREAM": stream,
        "SPOOL": f"{folder}/spool",
    }
    # All shoppers here come from one address.
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": {"intent-events": None}}
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


def requests(given: list[tuple[Any, list[Any]]]) -> list[dict[str, Any]]:
    """Batches as requests of browsers, each with its visitor's cookie: what a web server would hand to WSGI."""
    from django.http import HttpResponse
    from django.test import RequestFactory

    from purchase_intent.tracking.identity import COOKIE, Identity, remember

    made, factory = [], RequestFactory(headers={"User-Agent": AGENT, "Sec-Fetch-Site": "same-origin"})
    for sender, events in given:
        remember(kept := HttpResponse(), Identity(visitor=sender.visitor, session=sender.session), site="")
        factory.cookies[COOKIE] = kept.cookies[COOKIE].value
        told = [
            {
                "event_id": event.event_id,
                "name": event.name.label,
                "occurred_at": int(event.occurred_at.timestamp() * 1000),
                "product": event.product,
                "page": "product",
            }
            for event in events
        ]
        body = {"events": told, "sent_at": told[-1]["occurred_at"]}
        posted = factory.post(
            EVENTS, json.dumps(body), content_type="text/plain;charset=UTF-8", SERVER_NAME="localhost"
        )
        made.append(posted.environ)
    return made


def accept_posted(environs: list[dict[str, Any]]) -> int:
    """Answer requests; how many events were accepted."""
    from django.core.handlers.wsgi import WSGIHandler

    def begin(status: str, headers: list[tuple[str, str]], fault: Any = None, /) -> Callable[[bytes], object]:  # noqa: ARG001
        return bytes

    handler, taken = WSGIHandler(), 0
    for environ in environs:
        response = handler(environ, begin)
        taken += json.loads(b"".join(response))["accepted"]
        response.close()
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


def drained_with_kills(store: Any, kills: int) -> tuple[int, dict[tuple[str, str], float]]:
    """Have events come while drains and the Valkey server are killed in turn.

    How many were taken, and of each batch, by its session and its turn, the seconds from its answer to the next kill.
    """
    from django.db import connections

    from purchase_intent.tracking.sinks import breaker, draining

    breaker.REST, draining.LEASE_SECONDS, draining.BATCH = 0.05, 0.3, 20  # type: ignore[misc]
    taken, before_kill = 0, dict[tuple[str, str], float]()
    for kill in range(kills):
        connections.close_all()
        child = os.fork()
        if not child:
            _drain_for_good()
        given = batches(BATCH * PER_SESSION * 8, word=f"k{kill}-")
        half = len(given) // 2
        answered = {}
        for sender, events in given[:half]:
            if accept([(sender, events)]):
                taken += len(events)
                answered[sender.session, events[0].event_id] = time.monotonic()
        _wait_for_progress(store.url)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        now = time.monotonic()
        store.kill()
        before_kill |= {key: now - moment for key, moment in answered.items()}
        taken += accept(given[half:])
        store.start()
    return taken, before_kill


def lost(before_kill: dict[tuple[str, str], float]) -> list[float]:
    """Of the batches that are not in the table, the seconds from their answer to the kill."""
    from purchase_intent.models import Event

    stored = set(Event.objects.filter(event_id__endswith="-0").values_list("session__key", "event_id"))
    return [seconds for key, seconds in before_kill.items() if key not in stored]


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


def held_out(store: Any, client: Any, kills: int, fsync: str) -> tuple[int, list[str]]:
    """Kill, and print what was lost by it; how many events must be in the table, and what was missed."""
    from purchase_intent.tracking.sinks.chain import chain

    store.fsync = fsync
    client.config_set("appendfsync", fsync)
    came, before_kill = drained_with_kills(store, kills)
    drain_all()
    print(f"killed {kills} drains and {kills} servers; {chain().dropped:,} events were dropped")
    gone = lost(before_kill)
    longest = max(gone, default=0.0)
    print(f"{fsync}: lost {len(gone):,} of {len(before_kill):,} batches, answered {longest:.2f} s before or less")
    may_lose = MAY_LOSE if fsync == "everysec" else 0.0
    return came - BATCH * len(gone), ["lost"] if longest > may_lose else []


def measure(folder: str, events: int, kills: int, fsync: str) -> list[str]:
    """Print the figures; what was missed."""
    from tests.postgres import running_server
    from tests.valkey import Store

    with running_server() as server:
        store = Store(Path(folder) / "valkey", fsync="everysec")
        settle(folder, server.url, store.url)
        from purchase_intent.models import DeadLetter, Event, Session
        from purchase_intent.tracking.sinks.wire import wire_to

        client = wire_to(store.url, patient=True).client
        before = client.info("memory")["used_memory"]
        print(f"{'':<24}{'of this process':>14}{'with the servers':>20}{'by the clock':>14}")
        given, missed, valkey = batches(events), [], int(client.info("server")["process_id"])
        posted, browsers = requests(batches(events, word="b")), list[int]()
        rate = timed(
            "accepted by events/",
            events,
            lambda: browsers.append(accept_posted(posted)),
            lambda: seconds_of(lambda: [valkey]),
        )
        missed += ["accepted by events/"] if rate < LIMIT else []
        rate = timed("accepted by the stream", events, lambda: accept(given), lambda: seconds_of(lambda: [valkey]))
        missed += ["accepted by the stream"] if rate < LIMIT else []
        held = client.info("memory")["used_memory"] - before
        print(
            f"waiting: {held / (2 * events):,.0f} bytes an event on the Valkey server, {held / 2**20:,.1f} MiB in all"
        )
        backend = of_postgres()
        rate = timed("drained", 2 * events, drain_all, lambda: seconds_of(lambda: [valkey, *backend]))
        missed += ["drained"] if rate < LIMIT else []
        taken = events + sum(browsers)
        if kills:
            came, worse = held_out(store, client, kills, fsync)
            taken, missed = taken + came, missed + worse
        stored, sessions = Event.objects.count(), Session.objects.count()
        print(f"{taken:,} events accepted, {stored:,} in the table, {sessions:,} sessions")
        missed += ["all accepted"] if sum(browsers) != events else []
        missed += ["exactly once"] if stored != taken or DeadLetter.objects.exists() else []
        store.stop()
    return missed


def main() -> int:
    """Measure, and say by the exit code whether the limits hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument(
        "--fsync", choices=("always", "everysec"), default="always", help="of the server that is killed"
    )
    parser.add_argument("--report-only", action="store_true", help="end with 0 even where a limit is missed")
    options = parser.parse_args()
    if options.events % (BATCH * PER_SESSION):
        parser.error(f"--events: give a multiple of {BATCH * PER_SESSION}")
    print(f"{options.events:,} events in batches of {BATCH}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(prefix="intent-") as folder:
        missed = measure(folder, options.events, options.kills, options.fsync)
    print(f"missed: {', '.join(missed)}" if missed else "the limits hold")
    return 1 if missed and not options.report_only else 0


if __name__ == "__main__":
    sys.exit(main())
