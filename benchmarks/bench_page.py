"""What tracking adds to a page: the same view with the middleware and without, side by side, turn by turn.

    python benchmarks/bench_page.py [--pages 600] [--sink sqlite] [--sink postgres] [--sink stream] [--report-only]

Both kinds of request run in one process on one database, through Django's handler: the page's own view reads one row,
as a shop's page would at least. Visits are of twenty pages, and each visit's first, which begins a session, is not
counted. A tracked page is one commit; the last column says what a commit alone takes on this disk. With the stream it
is one script on a Valkey server with an append-only file instead, before PostgreSQL. Prints the medians and their
difference beside the limit, in milliseconds by the clock, and how much of that is processor time of this process, which
a busy machine stretches less; ends with 1 where the limit is missed, unless only a report is asked for.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MILLISECONDS_MORE = {"sqlite": 1.5, "postgres": 1.5, "stream": 0.3}
"""A tracked page of a session that goes on, against the same page without the middleware, by sink."""
WARM = 40
"""Pages before the clock counts, on either side."""
VISIT = 20
"""Pages of a visit, after which somebody new comes."""
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@contextmanager
def served(kind: str) -> Iterator[None]:
    """An empty database of that kind for the demo's settings to name, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="intent-") as folder:
        os.environ.update(DEMO_VAR=folder, DATABASE_URL="")
        if kind == "sqlite":
            yield
            return
        from tests.postgres import running_server, use_database

        with running_server() as server:
            use_database(server.url)
            if kind == "postgres":
                yield
                return
            from tests.valkey import Store

            store = Store(Path(folder) / "valkey", fsync="everysec", near=True)
            os.environ["STREAM"] = store.url
            yield
            store.stop()


def medians(pages: int) -> tuple[float, float, float]:
    """Milliseconds of a page without tracking and of one with it, and how much more of the processor that takes."""
    from django.test import Client, override_settings

    plain = Client(headers={"User-Agent": BROWSER})
    tracked = Client(headers={"User-Agent": BROWSER})
    middleware = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ]
    tracking = [*middleware, "purchase_intent.middleware.TrackingMiddleware"]
    for client, listed in ((plain, middleware), (tracked, tracking)):
        with override_settings(MIDDLEWARE=listed):
            client.handler.load_middleware()
    took: tuple[list[float], list[float]] = [], []
    busy: tuple[list[float], list[float]] = [], []
    for number in range(pages + WARM):
        if number % VISIT == 0:
            tracked.cookies.clear()
        for client, times, works in zip((plain, tracked), took, busy, strict=True):
            began, worked = time.perf_counter(), time.thread_time()
            response = client.get("/product/7/")
            spent, worked = time.perf_counter() - began, time.thread_time() - worked
            assert response.status_code == 200
            if number >= WARM and number % VISIT:
                times.append(spent * 1000)
                works.append(worked * 1000)
    return (
        statistics.median(took[0]),
        statistics.median(took[1]),
        statistics.median(busy[1]) - statistics.median(busy[0]),
    )


def bare_commit(pages: int) -> float:
    """Milliseconds of one row written and committed, at the median: what the disk alone takes of a tracked page."""
    from django.contrib.auth.models import Group

    group = Group.objects.create(name="0")
    times = []
    for number in range(pages):
        began = time.perf_counter()
        Group.objects.filter(pk=group.pk).update(name=str(number % 2))
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def measure(kind: str, pages: int) -> float:
    """Print one line of figures for a database; how many milliseconds tracking adds."""
    import django
    from django.core.management import call_command
    from django.db import connection

    with served(kind):
        from django.conf import settings

        django.setup()
        settings.ROOT_URLCONF = "benchmarks.page_of_a_shop"
        settings.PURCHASE_INTENT = {
            "SHOP": "benchmarks.page_of_a_shop.OpenShop",
            "STREAM": os.environ.get("STREAM", ""),
        }
        settings.ALLOWED_HOSTS = ["*"]
        call_command("migrate", verbosity=0)
        without, with_tracking, work = medians(pages)
        commit = bare_commit(pages)
        from purchase_intent.models import Event, Session
        from purchase_intent.tracking.sinks.draining import drain

        assert (drain().events > 0) == (kind == "stream")
        assert Event.objects.count() == pages + WARM
        assert Session.objects.count() == (pages + WARM) / VISIT
        connection.close()
    more = with_tracking - without
    print(
        f"{kind:<10}{without:>12.3f}{with_tracking:>12.3f}{more:>12.3f}{work:>12.3f}{MILLISECONDS_MORE[kind]:>8.1f}{commit:>14.3f}"
    )
    return more


def main() -> int:
    """Measure each database in a process of its own, and say by the exit code whether the limit holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pages", type=int, default=600)
    parser.add_argument("--sink", choices=tuple(MILLISECONDS_MORE), action="append")
    parser.add_argument("--report-only", action="store_true", help="end with 0 even where the limit is missed")
    options = parser.parse_args()
    if options.pages % VISIT:
        parser.error(f"--pages: give a multiple of {VISIT}")
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{options.pages:,} pages on each side, load {load} on {os.cpu_count()} cores; milliseconds at the median")
    print(
        f"{'':<10}{'without':>12}{'tracked':>12}{'more':>12}{'in Python':>12}{'limit':>8}{'bare commit':>14}",
        flush=True,
    )
    missed = []
    for kind in options.sink or MILLISECONDS_MORE:
        # Settings are read once a process.
        child = os.fork()
        if child == 0:
            os._exit(int(measure(kind, options.pages) > MILLISECONDS_MORE[kind] and not sys.stdout.flush()))
        _, status = os.waitpid(child, 0)
        if status:
            missed.append(kind)
    print(f"missed: {', '.join(missed)}" if missed else "the limit holds")
    return 1 if missed and not options.report_only else 0


if __name__ == "__main__":
    sys.exit(main())
