"""Lists and pages of the desk at 1,000,000 events on PostgreSQL, through Django's test client.

    python benchmarks/bench_desk.py [--sessions 150000] [--events-each 7] [--bundle FILE | --log FILE] [--report-only]

First takes the model of a bundle that `intent_train` made, or learns one of the shipped log with default parameters,
and has it serve: a session's page is measured with its verdict, its reasons and the score after each of its events.
Then starts a PostgreSQL server of its own and fills it by SQL: as many customers as half the sessions, events spread
over 90 days, one packed state for all; and, folded as a shop folds them, a session of 500 events, and one in which a
customer of 95 earlier sessions logs in. Each path is asked for once to warm up and then 15 times, templates and log-in
included. What counts is the processor's time, of this process and of the database's, where the system tells it (Linux):
beside it stands the median by the clock, which also counts what else the machine has to do. Ends with 1 where a path is
above the limit.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")

LIMIT = 150.0
"""Milliseconds of the processor for one page, at the median."""
REPEATS = 15

VISITORS = """
    INSERT INTO purchase_intent_visitor ({columns})
    SELECT {values} FROM purchase_intent_visitor origin,
        (SELECT n, now() - n * interval '90 days' / %(visitors)s AS at FROM generate_series(1, %(visitors)s) n) rows
    WHERE origin.cookie = 'origin'
"""
SESSIONS = """
    INSERT INTO purchase_intent_session ({columns})
    SELECT {values} FROM purchase_intent_session origin,
        (SELECT n, now() - n * interval '90 days' / %(sessions)s AS at FROM generate_series(1, %(sessions)s) n) rows,
        LATERAL (SELECT %(first)s + n %% %(visitors)s AS owner) who
    WHERE origin.key = 'origin'
"""
EVENTS = """
    INSERT INTO purchase_intent_event ({columns})
    SELECT {values} FROM purchase_intent_event origin,
        (SELECT id, visitor_id, last_at, step, last_at - (%(each)s - step) * interval '20 seconds' AS at
         FROM purchase_intent_session, generate_series(1, %(each)s) step WHERE key LIKE 's%%') rows
    WHERE origin.event_id = 'origin-0'
"""
VISITOR_VALUES = {
    "cookie": "md5('c' || n)",
    "customer": "CASE WHEN n % 5 = 0 THEN 'customer-' || n ELSE '' END",
    "known": "n % 5 = 0",
    "first_seen": "at",
    "last_seen": "at",
    "bot": "CASE WHEN n % 40 = 0 THEN 'crawler' ELSE '' END",
    "score": "CASE WHEN n % 3 = 0 THEN (n % 997) / 4000.0 END",
    "band": "CASE WHEN n % 997 > 987 THEN 'top_1' ELSE '' END",
}
SESSION_VALUES = {
    "key": "'s' || n",
    "visitor_id": "owner",
    "started_at": "at - interval '3 minutes'",
    "last_at": "at",
    "stage": "1 + n % 5",
    "score": "(n % 997) / 4000.0",
    "band": "CASE WHEN n % 997 > 987 THEN 'top_1' ELSE '' END",
    "closed_at": "CASE WHEN at < now() - interval '30 minutes' THEN at END",
    "outcome": "CASE WHEN at >= now() - interval '30 minutes' THEN '' WHEN n % 5 = 4 THEN 'bought' ELSE 'left' END",
    "has_news": "false",
}
EVENT_VALUES = {
    "key": """(lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '8'
        || substr(md5(rows.id || '-' || step), 1, 3) || '8' || substr(md5(rows.id || '+' || step), 1, 15))::uuid""",
    "event_id": "rows.id || '-' || step",
    "visitor_id": "rows.visitor_id",
    "session_id": "rows.id",
    "occurred_at": "at",
    "received_at": "at",
    "sequence": "step",
    "name": "(ARRAY[1, 4, 4, 6, 8])[1 + step % 5]",
    "product": "'product-' || step",
}


def main() -> int:
    """Learn, fill, ask, print; 0 where every path keeps the limit."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--sessions", type=int, default=150_000)
    asked.add_argument("--events-each", type=int, default=7)
    asked.add_argument("--bundle", type=Path, help="a bundle of this project, instead of learning")
    asked.add_argument("--log", type=Path, default=ROOT / "fixtures" / "log.parquet")
    asked.add_argument("--report-only", action="store_true", help="end with 0 whatever was measured")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="intent-") as folder:
        os.environ["DEMO_VAR"] = folder
        import django

        django.setup()
        bundle = options.bundle.read_bytes() if options.bundle else learnt(options.log)
        slowest = measured(bundle, options.sessions, options.events_each)
    print(f"{'slowest':32}{slowest:9.1f} ms{slowest / LIMIT:8.2f} of the limit of {LIMIT:.0f} ms")
    return 0 if options.report_only or slowest <= LIMIT else 1


def learnt(log: Path) -> bytes:
    """The bundle of a model of a log."""
    from django.conf import settings

    from purchase_intent.conf import bundle_key
    from purchase_intent.features.schema import schema_hash
    from purchase_intent.learning import IntentEnsemble, dump
    from purchase_intent.sources import open_log
    from purchase_intent.training.dataset import build_sample

    started = time.perf_counter()
    with open_log([log], zone=settings.TIME_ZONE) as opened:
        sample = build_sample(opened, seed=3, progress=lambda _: None)
    ensemble = IntentEnsemble.fit(sample, seed=3)
    print(f"learnt in {time.perf_counter() - started:.0f} s, {', '.join(ensemble.weights)}")
    return dump(ensemble, schema=schema_hash(), facts={}, key=bundle_key())


def measured(bundle: bytes, sessions: int, each: int) -> float:
    """The slowest path's median in milliseconds, on a server of the run's own."""
    from django.db import connection

    from tests.postgres import running_server, use_database

    with running_server() as server:
        use_database(server.url)
        try:
            paths = fill(sessions, each) | folded()
            promote(bundle)
            return max(measure(name, path) for name, path in paths.items())
        finally:
            connection.close()


def promote(bundle: bytes) -> None:
    """Have a bundle's model serve; a desk by rules alone would be another measurement."""
    import hashlib
    from datetime import timedelta

    from django.utils import timezone

    from purchase_intent.features.schema import schema_hash
    from purchase_intent.models import ModelVersion
    from purchase_intent.scoring.bundles import store_bundle
    from purchase_intent.scoring.serving import champion

    now = timezone.now()
    version = ModelVersion.objects.create(
        trained_from=now - timedelta(days=90),
        trained_until=now,
        events=1,
        sessions=1,
        buyers=1,
        schema_hash=schema_hash(),
        bundle=store_bundle(bundle),
        bundle_sha256=hashlib.sha256(bundle).hexdigest(),
    )
    version.promote()
    assert champion() is not None, "the bundle's model does not serve"


def folded() -> dict[str, str]:
    """Two sessions that are hard to show, folded as a shop folds them; the paths to ask for."""
    from datetime import timedelta

    from django.utils import timezone

    from purchase_intent.events import EventName
    from purchase_intent.models import Visitor
    from tests.integration.desk.things import WAY, visitor, walk

    now = timezone.now()
    long = walk(visitor("long"), "long", WAY * 100, begin=now - timedelta(hours=5))
    regular = visitor("regular", customer="regular", known=True, first_seen=now - timedelta(days=80), last_seen=now)
    for number in range(95):
        walk(regular, f"regular-{number}", WAY * 2, begin=now - timedelta(hours=20 * (96 - number)))
    login = walk(regular, "login", (*WAY[:2], EventName.LOGIN, *WAY[2:]), begin=now - timedelta(minutes=10))
    Visitor.objects.filter(pk=long.visitor_id).update(last_seen=now)
    return {
        "a session of 500 events": f"session/{long.pk}/change/",
        "a session with a login": f"session/{login.pk}/change/",
        "a regular customer": f"visitor/{regular.pk}/change/",
    }


def fill(sessions: int, each: int) -> dict[str, str]:
    """Make the tables and fill them; the paths to ask for, by name."""
    from datetime import timedelta

    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from purchase_intent.models import Event, Session, Visitor
    from purchase_intent.models.partitions import make_partitions
    from tests.integration.desk.things import visitor, walk

    started = time.perf_counter()
    call_command("migrate", verbosity=0)
    now = timezone.now()
    make_partitions(now - timedelta(days=95), now)
    walk(visitor("origin"), "origin", begin=now - timedelta(days=80))
    visitors = sessions // 2
    with connection.cursor() as cursor:
        cursor.execute(_copy(VISITORS, Visitor, VISITOR_VALUES), {"visitors": visitors})
        first = Visitor.objects.exclude(cookie="origin").order_by("pk").values_list("pk", flat=True)[0]
        given = {"sessions": sessions, "visitors": visitors, "first": first}
        cursor.execute(_copy(SESSIONS, Session, SESSION_VALUES), given)
        cursor.execute(_copy(EVENTS, Event, EVENT_VALUES), {"each": each})
        cursor.execute("VACUUM ANALYZE")
    print(f"{Event.objects.count():,} events, {sessions:,} sessions, {visitors:,} customers, ", end="")
    print(f"filled in {time.perf_counter() - started:.0f} s")
    shown = Session.objects.get(key=f"s{sessions // 2}")
    return {
        "customers": "visitor/",
        "customers, likeliest first": "visitor/?band=scored",
        "customers, bots": "visitor/?who=bots",
        "customers, page 100": "visitor/?p=100",
        "customers, search": "visitor/?q=customer-5000",
        "sessions": "session/",
        "sessions, of a band": "session/?band=top_1",
        "sessions, bought": "session/?outcome=bought",
        "sessions, open now": "session/?open=now",
        "sessions, of bots": "session/?who=bots",
        "sessions, search": f"session/?q={shown.key}",
        "the page of a session": f"session/{shown.pk}/change/",
        "the page of a customer": f"visitor/{shown.visitor_id}/change/",
    }


def _copy(statement: str, model: type, values: dict[str, str]) -> str:
    """The statement with every column of a table: those in `values`, the rest as the origin has them."""
    fields = [field for field in model._meta.concrete_fields if field.column != "id"]  # type: ignore[attr-defined]  # noqa: SLF001
    columns = [str(field.column) for field in fields]
    chosen = (values[name].replace("%", "%%") if name in values else f'origin."{name}"' for name in columns)
    return statement.format(columns=", ".join(f'"{name}"' for name in columns), values=", ".join(chosen))


def measure(name: str, path: str) -> float:
    """The milliseconds of one path, printed with its share of the limit."""
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client

    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get_or_create(username="desk", is_staff=True, is_superuser=True)[0])
    taken, spent = [], []
    for _ in range(REPEATS + 1):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            served = int(cursor.fetchone()[0])
        started, busy, database = time.perf_counter(), time.process_time(), processor_of(served)
        page = client.get(f"/admin/purchase_intent/{path}")
        own = (time.process_time() - busy) * 1000
        taken.append((time.perf_counter() - started) * 1000)
        spent.append(taken[-1] if database is None else own + (processor_of(served) or 0.0) - database)
        assert page.status_code == 200, path
    median, clock = statistics.median(spent[1:]), statistics.median(taken[1:])
    print(f"{name:32}{median:9.1f} ms{median / LIMIT:8.2f} of the limit{clock:12.1f} ms by the clock", flush=True)
    return median


def processor_of(process: int) -> float | None:
    """Milliseconds that a process has had of the processor; None where the system does not tell."""
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text(encoding="ascii").split()[0]) / 1e6
    except OSError:
        return None


if __name__ == "__main__":
    sys.exit(main())
