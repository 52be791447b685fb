"""A million exposures and fifty arms analysed from the database: processor and wall time, and memory.

    OMP_NUM_THREADS=1 python benchmarks/bench_analysis.py [--units 1000000] [--arms 50] [--days 28]
        [--database sqlite|postgres] [--report-only]

Fills an empty database (SQLite in a temporary folder, or a PostgreSQL server of its own): a visitor each exposure, with
the score at it; 3% order, 10% put something into the basket, 1% log in later and are joined to a customer, 1% turn out
to be robots. Then one look with conversion, revenue and order value (winsorised), add to cart and cart
abandonment, all adjusted by the score, to a verdict; and, reported, what the segments of the exposures add. What counts
is processor time, this process's and the database server's (one of its processes, without parallel workers), which a
busy machine stretches less than the clock. Ends with 1 above 5 seconds or 100 MB on top of what was there.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

LIMIT = 5.0
ROUNDS = 3
"""The fastest counts: what else the machine does only ever adds."""
MOST_MEMORY = 100.0
"""MB, beside a database server's own."""
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)


@contextmanager
def empty_database(vendor: str) -> Iterator[Any]:
    """Django on a fresh database of its own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        import django
        from django.conf import settings

        if vendor == "postgres":
            from tests.postgres import running_server, use_database

            use_database(stack.enter_context(running_server()).url)
        else:
            settings.DATABASES["default"]["NAME"] = folder / "bench.sqlite3"
        from django.core.management import call_command
        from django.db import connection

        django.setup()
        call_command("migrate", verbosity=0)
        yield connection
        connection.close()


def fill(connection: Any, units: int, arms: int, days: int) -> Any:
    """An experiment that has run for so many days; by statements of the database's own, for speed."""
    from purchase_intent.experiments.definition import ArmSpec, Definition, MetricSpec
    from purchase_intent.experiments.design import Design
    from purchase_intent.experiments.editing import make_experiment, start_experiment

    kinds = ("revenue", "order_value", "add_to_cart", "cart_abandonment")
    experiment = make_experiment(
        Definition(
            key="bar",
            title="Bar",
            arms=tuple(ArmSpec(f"arm-{place}", 1 / arms) for place in range(arms)),
            metrics=(MetricSpec(kind="conversion", role="primary"), *(MetricSpec(kind=kind) for kind in kinds)),
            design=Design(units=units),
        ),
        who="bench",
        now=BEGIN,
    )
    start_experiment(experiment, who="bench", now=BEGIN)
    first = experiment.arms.order_by("place").first()
    assert first is not None
    with connection.cursor() as cursor:
        for sql in statements(connection.vendor, units, arms, days, experiment.pk, first.pk):
            cursor.execute(sql)
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    return experiment


def statements(vendor: str, units: int, arms: int, days: int, experiment: int, arm: int) -> Iterator[str]:
    """Visitors, sessions, exposures, orders, events and merges."""
    step = days * 86400 / units
    if vendor == "postgresql":
        numbers = f"generate_series(1::bigint, {units}::bigint) AS g(n)"

        def at(seconds: str) -> str:
            return f"timestamptz '{BEGIN.isoformat()}' + ({seconds}) * interval '1 second'"

        def key(number: str) -> str:
            return f"md5(({number})::text)::uuid"
    else:
        numbers = f"(WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < {units}) SELECT n FROM g)"

        def at(seconds: str) -> str:
            return f"strftime('%Y-%m-%d %H:%M:%f', '{BEGIN:%Y-%m-%d %H:%M:%S}', ({seconds}) || ' seconds')"

        def key(number: str) -> str:
            return f"printf('%032x', {number})"

    begin, end = at("0"), at(str(days * 86400))
    no = "false" if vendor == "postgresql" else "0"
    empty = "''::bytea" if vendor == "postgresql" else "x''"
    yield (
        "INSERT INTO purchase_intent_visitor (id, site, cookie, known, customer, joined, past, first_seen, last_seen, "
        f"bot, bot_reason, band) SELECT n, '', 'c' || n, {no}, '', {no}, {empty}, {begin}, {end}, "
        f"CASE WHEN n % 101 = 7 THEN 'crawler' ELSE '' END, '', '' FROM {numbers}"
    )
    yield (
        "INSERT INTO purchase_intent_session (id, site, key, visitor_id, started_at, last_at, state, past, version, "
        "sequence, has_news, stage, landing, device, channel, country, band, outcome) "
        f"SELECT n, '', 's' || n, n, {begin}, {end}, {empty}, {empty}, 0, 0, {no}, 0, 0, '', '', '', '', '' "
        f"FROM {numbers} WHERE n % 10 < 2 OR n % 33 = 5"
    )
    yield (
        "INSERT INTO purchase_intent_exposure (experiment_id, arm_id, site, unit, visitor_id, device, browser, at, "
        f"score, segments) SELECT {experiment}, {arm} + n % {arms}, '', 'c' || n, n, 'desktop', 'Firefox', "
        f"{at(f'n * {step}')}, (n * 7919 % 1000) / 4000.0, ',' || (1 + n % 4) || ',' || (5 + n % 3) || ',' "
        f"FROM {numbers}"
    )
    yield (
        "INSERT INTO purchase_intent_order (site, number, visitor_id, revenue, currency, placed_at) "
        f"SELECT '', 'o' || n, n, 10 + n * 31 % 500, '', {at(f'n * {step} + n * 37 % 900000')} FROM {numbers} "
        "WHERE n % 33 = 5"
    )
    yield (
        "INSERT INTO purchase_intent_event (key, event_id, visitor_id, session_id, occurred_at, received_at, sequence, "
        'name, page, product, category, brand, "order", search, device, channel, country) '
        f"SELECT {key('n')}, 'e' || n, n, n, {at(f'n * {step} + n * 41 % 900000')}, {end}, 1, 6, 0, "
        f"'', '', '', '', '', '', '', '' FROM {numbers} WHERE n % 10 = 1"
    )
    yield (
        "INSERT INTO purchase_intent_merge "
        "(site, customer, visitor_id, anonymous_id, happened_at, sequence, undone_by) "
        f"SELECT '', 'x' || n, n + 1, n, {end}, 1, '' FROM {numbers} WHERE n % 97 = 50"
    )


def main() -> int:
    """Measure, report, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=1_000_000)
    parser.add_argument("--arms", type=int, default=50)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--report-only", action="store_true")
    given = parser.parse_args()
    with empty_database(given.database) as connection:
        began = time.perf_counter()
        experiment = fill(connection, given.units, given.arms, given.days)
        print(f"{given.units:,} exposures filled in, {time.perf_counter() - began:.0f} s")
        from purchase_intent.experiments.analysing import analyse_unrecorded

        moment = BEGIN + timedelta(days=given.days)
        found = analyse_unrecorded(experiment, moment=BEGIN + timedelta(hours=2)).result  # what is loaded once
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        taken = []
        for _ in range(ROUNDS):
            begun = clocks(connection)
            found = analyse_unrecorded(experiment, moment=moment).result
            taken.append([after - before for before, after in zip(begun, clocks(connection), strict=True)])
        wall, own, server = min(taken, key=lambda each: each[1] + each[2])
        begun = clocks(connection)
        parts = analyse_unrecorded(experiment, moment=moment, segments=True).result.segments
        _, own_too, server_too = (after - before for before, after in zip(begun, clocks(connection), strict=True))
        more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    print(
        f"{given.database}: {sum(found.exposed.values()):,} people in {len(found.exposed)} arms, "
        f"{len(found.metrics)} metrics, "
        f"{found.left_out['bots']:,} robots and {found.left_out['twice']:,} second exposures left out"
    )
    print(
        f"{own + server:.2f} s of the processor, of them {own:.2f} s of this process; {wall:.2f} s by the clock; "
        f"{more:.0f} MB more than before; verdict {found.verdict}"
    )
    each = (own_too + server_too - own - server) / len(parts)
    print(f"the daily look: the primary metric within {len(parts)} segments as well, {each:.2f} s each")
    return int(not given.report_only and (own + server > LIMIT or more > MOST_MEMORY))


def clocks(connection: Any) -> tuple[float, float, float]:
    """Seconds: by the clock, of this process, and of the server's process that works for it."""
    server = 0.0
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET max_parallel_workers_per_gather = 0")
            cursor.execute("SELECT pg_backend_pid()")
            fields = Path(f"/proc/{cursor.fetchone()[0]}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        server = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return time.perf_counter(), time.process_time(), server


if __name__ == "__main__":
    sys.exit(main())
