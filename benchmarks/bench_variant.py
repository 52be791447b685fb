"""What an arm costs a page: `variant_for` whole, on tracked requests, without an exposure to write, and with one.

    OMP_NUM_THREADS=1 python benchmarks/bench_variant.py [--pages 400] [--database postgres] [--report-only]

Visits of twenty pages on an empty database, SQLite unless told; the first page of each, which writes the exposure, is
not counted. Six experiments run, and the one that is asked for first has a group and a holdout. The visit, and the
label of who asks, are read before the clock counts: tracking does so on every page anyway.

One after another, each as the first of its page: what counts, against the limit; of a visitor whose exposure this
process has stored, and of one whom an experiment without traffic leaves alone, whose place is drawn each time. Then
once a page, as pages are served, when all else a page does has been in the processor's caches meanwhile. Medians of
processor time; ends with 1 past the limit.

Then the write of a first exposure alone, each of somebody new who is on record, in turns with the same by Django's own
means: the visitor read, the row inserted where it is not there. Its statements are counted, those that begin and end a
transaction among them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.http import HttpRequest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_shop.settings")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.bench_page import served

LIMIT = 20.0
"""Microseconds for one arm."""
VISIT = 20
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
STEADY = "one after another, each the first of its page"
DRAWN = "the same, by whom the experiment leaves alone"
KEYS = tuple(f"bar-{number}" for number in range(6))
ALONE = "of-nobody"
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def main() -> int:
    """Print the table, and judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pages", type=int, default=400)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--report-only", action="store_true", help="end with 0 whatever was measured")
    asked = parser.parse_args()
    with served(asked.database):
        found = costs(asked.pages)
        written = first_exposures(asked.pages)
    for label, microseconds in found.items():
        print(f"{label:<56}{microseconds:>8.1f} us")
    for label, (statements, microseconds) in written.items():
        print(f"{label:<56}{microseconds:>8.1f} us, {statements} statements")
    worst = max(found[STEADY], found[DRAWN])
    print(f"limit for one arm, one after another: {LIMIT:.0f}")
    return 0 if worst <= LIMIT or asked.report_only else 1


def costs(pages: int) -> dict[str, float]:
    """Microseconds of the processor, at the median."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.http import HttpResponse
    from django.test import Client, override_settings
    from django.urls import path

    from purchase_intent.shortcuts import variant_for
    from purchase_intent.tracking.attached import tracker_of

    labels = ("as served: the first of a page", "as served: each further one", "as served: the same once more")
    taken: dict[str, list[float]] = {label: [] for label in labels}
    steady: dict[str, list[float]] = {KEYS[0]: [], ALONE: []}

    def page(request: HttpRequest) -> HttpResponse:
        tracker = tracker_of(request)
        assert tracker is not None
        tracker.journey.visitor(at=tracker.moment)
        assert tracker.label.kind == ""
        moments = [time.process_time_ns()]
        variant_for(request, KEYS[0])
        moments.append(time.process_time_ns())
        for key in KEYS[1:]:
            variant_for(request, key)
        moments.append(time.process_time_ns())
        variant_for(request, KEYS[0])
        moments.append(time.process_time_ns())
        counts = (1, len(KEYS) - 1, 1)
        for line, begin, end, count in zip(taken.values(), moments, moments[1:], counts, strict=False):
            line.append((end - begin) / count / 1000)
        if len(line) % VISIT == 0:
            for key, seen in steady.items():
                seen.append(one_after_another(request, key))
        return HttpResponse("<h1>page</h1>")

    call_command("migrate", verbosity=0)
    start()
    urls = type(sys)("bench_variant_urls")
    urls.urlpatterns = [path("", page)]  # type: ignore[attr-defined]
    sys.modules["bench_variant_urls"] = urls
    settings = {
        "ROOT_URLCONF": "bench_variant_urls",
        "ALLOWED_HOSTS": ["testserver"],
        "MIDDLEWARE": ["purchase_intent.middleware.TrackingMiddleware"],
        "PURCHASE_INTENT": {"SHOP": "benchmarks.page_of_a_shop.OpenShop"},
    }
    kept: dict[str, list[float]] = {label: [] for label in taken}
    with override_settings(**settings):
        for _ in range(pages // VISIT):
            client = Client(headers={"user-agent": BROWSER})
            for number in range(VISIT):
                client.get("/")
                for label, line in taken.items():
                    if number:
                        kept[label].append(line[-1])
    first = {STEADY: statistics.median(steady[KEYS[0]]), DRAWN: statistics.median(steady[ALONE])}
    return first | {label: statistics.median(line) for label, line in kept.items()}


def one_after_another(request: HttpRequest, key: str) -> float:
    """Microseconds of a call, of which the request remembers nothing each time."""
    from purchase_intent.experiments import showing
    from purchase_intent.shortcuts import variant_for

    began = time.process_time_ns()
    for _ in range(100):
        delattr(request, showing.ATTRIBUTE)
        variant_for(request, key)
    return (time.process_time_ns() - began) / 100 / 1000


def first_exposures(count: int) -> dict[str, tuple[float, float]]:
    """Statements and microseconds of the processor that the write of a first exposure takes, at the median."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from purchase_intent.experiments.active import experiments
    from purchase_intent.experiments.exposing import Facts, write_exposures
    from purchase_intent.models import Exposure, Visitor

    ready = experiments()[KEYS[0]]
    arm = next(iter(ready.arms))
    units = [f"new-{number}" for number in range(2 * count)]
    Visitor.objects.bulk_create(Visitor(cookie=unit, first_seen=NOW, last_seen=NOW) for unit in units)

    def by_one_statement(unit: str) -> None:
        write_exposures({ready.key: (ready, arm)}, Facts(unit=unit, site="", at=NOW, device="desktop"))

    def by_django(unit: str) -> None:
        visitor = Visitor.objects.filter(cookie=unit, site="").values_list("pk", flat=True).first()
        facts = {"arm_id": ready.arms[arm], "unit": unit, "visitor_id": visitor, "device": "desktop", "at": NOW}
        Exposure.objects.bulk_create([Exposure(experiment_id=ready.pk, **facts)], ignore_conflicts=True)

    ways = {"a first exposure, as it is written": by_one_statement, "the same by Django's own means": by_django}
    found: dict[str, tuple[float, float]] = {}
    taken: dict[str, list[float]] = {label: [] for label in ways}
    for place, unit in enumerate(units):
        label = [*ways][place % 2]
        began = time.process_time_ns()
        ways[label](unit)
        taken[label].append((time.process_time_ns() - began) / 1000)
    for label, way in ways.items():
        unit = f"counted-{label}"
        with CaptureQueriesContext(connection) as captured:
            way(unit)
        found[label] = len(captured), statistics.median(taken[label])
    return found


def start() -> None:
    """The experiments."""
    from purchase_intent.experiments.definition import ArmSpec, Definition, GroupRange, MetricSpec
    from purchase_intent.experiments.editing import make_experiment, start_experiment
    from purchase_intent.models import Holdout

    Holdout.objects.create(key="never", share=0.01)
    for number, key in enumerate((*KEYS, ALONE)):
        made = make_experiment(
            Definition(
                key=key,
                title=key,
                arms=(ArmSpec("plain", 0.5), ArmSpec("bar", 0.5)),
                metrics=(MetricSpec(kind="conversion", role="primary"),),
                group=None if 0 < number < len(KEYS) else GroupRange(f"checkout-{number}", 0.0, 1.0),
                holdout="" if 0 < number < len(KEYS) else "never",
                traffic=0.0 if key == ALONE else 1.0,
            ),
            who="bench",
            now=NOW,
        )
        start_experiment(made, who="bench", now=NOW)


if __name__ == "__main__":
    raise SystemExit(main())
