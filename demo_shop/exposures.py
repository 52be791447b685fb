"""The demo's experiments, put on record as if they had run for four weeks: begun, shown, looked at day by day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from demo_shop.history import SHOWN, last_midnight
from demo_shop.trials import BAR, LAYOUT, RUNNING_DAYS, TRIED, VIP
from purchase_intent.conf import config
from purchase_intent.experiments.definition import ArmSpec, Definition, MetricSpec
from purchase_intent.experiments.design import Design
from purchase_intent.experiments.editing import make_experiment, start_experiment
from purchase_intent.experiments.looking import latest, look_daily
from purchase_intent.models import Experiment, Exposure, Session
from purchase_intent.scoring.score import milliseconds
from purchase_intent.segments.live import segment_rows_of
from purchase_intent.segments.lived import visits_lived
from purchase_intent.stats.bucketing import position

__all__ = ["browser_on", "run_experiments"]

_AT_ONCE = 500
_WHO = "robin"
_METRICS = {
    BAR: (
        MetricSpec(kind="conversion", role="primary"),
        MetricSpec(kind="add_to_cart", role="guardrail", margin=0.2),
        MetricSpec(kind="revenue"),
    ),
    VIP: (MetricSpec(kind="add_to_cart", role="primary"), MetricSpec(kind="conversion")),
    LAYOUT: (MetricSpec(kind="add_to_cart", role="primary"), MetricSpec(kind="conversion")),
}
_BROWSERS = {
    "mobile": {"Chrome": 0.45, "Safari": 0.4, "Samsung Internet": 0.1, "Firefox": 0.05},
    "desktop": {"Chrome": 0.6, "Edge": 0.15, "Safari": 0.13, "Firefox": 0.12},
    "tablet": {"Safari": 0.6, "Chrome": 0.4},
}
"""Made-up shares of browsers on each kind of device: the simulated log knows devices only."""
_LOOKS = 21
_UNITS = 4_500


def run_experiments(folder: Path, *, now: datetime, progress: Callable[[str], None]) -> None:
    """Make the experiments that are not there, with what `SHOWN` in the folder tells, and look at each day's end."""
    zone = str(config().time_zone)
    begin = last_midnight(now, zone, days_ago=RUNNING_DAYS)
    for key in TRIED:
        made = Experiment.objects.filter(key=key).first()
        if made is None:
            progress(f"{key}: who was shown what")
            with transaction.atomic():  # a run that is cut short leaves none without its visitors
                made = make_experiment(_definition(key), who=_WHO, now=begin - timedelta(hours=6))
                start_experiment(made, who=_WHO, now=begin)
                _store(made, folder / SHOWN)
        elif latest(made) is not None:
            continue
        for day in range(RUNNING_DAYS):
            progress(f"{key}: looking at day {day + 1} of {RUNNING_DAYS}")
            look_daily(made, now=last_midnight(now, zone, days_ago=RUNNING_DAYS - 1 - day))


def browser_on(device: str, *, unit: str) -> str:
    """The browser of a simulated visitor's device: the same for good, and drawn apart from every arm."""
    at = position(salt="demo-browser", unit=unit)
    for browser, share in _BROWSERS[device].items():
        at -= share
        if at < 0:
            return browser
    return next(iter(_BROWSERS[device]))


def _definition(key: str) -> Definition:
    tried = TRIED[key]
    return Definition(
        key=key,
        title=tried.title,
        hypothesis=tried.hypothesis,
        arms=tuple(ArmSpec(arm, 0.5, title) for arm, title in tried.arms),
        metrics=_METRICS[key],
        design=Design(lift=0.3, looks=_LOOKS, units=_UNITS, adjusted=False, uplift=key == VIP),
    )


def _store(experiment: Experiment, path: Path) -> None:
    """The first exposure of each visitor; of a visit that ended signed in, that of the customer."""
    from pyarrow import parquet

    arms = {arm.key: arm.pk for arm in experiment.arms.all()}
    rows = parquet.read_table(path, filters=[("experiment", "=", experiment.key)]).to_pylist()
    owners: dict[str, int] = {}
    for part in _parts([row["session"] for row in rows]):
        owners |= dict(Session.objects.filter(key__in=part).values_list("key", "visitor_id"))
    units: set[str] = set()
    visitors: set[int] = set()
    belonged = _belonged({row["session"]: row["at"] for row in rows})
    fresh = []
    for row in rows:
        visitor = owners.get(row["session"])
        if visitor is None or visitor in visitors or row["unit"] in units:
            continue
        visitors.add(visitor)
        units.add(row["unit"])
        fresh.append(
            Exposure(
                experiment=experiment,
                arm_id=arms[row["arm"]],
                unit=row["unit"],
                visitor_id=visitor,
                device=row["device"],
                browser=browser_on(row["device"], unit=row["unit"]),
                at=row["at"],
                segments=belonged.get(row["session"]),
            )
        )
    Exposure.objects.bulk_create(fresh, batch_size=_AT_ONCE)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # without it SQLite takes fifty times as long for a look


def _belonged(shown: Mapping[str, datetime]) -> dict[str, str]:
    """The segments of visits, by key, at the moments at which an arm was shown."""
    found: dict[str, str] = {}
    for part in _parts(list(shown)):
        keys = list(Session.objects.filter(key__in=part).order_by("pk").values_list("pk", flat=True))
        for visit, subjects in visits_lived(keys):
            for subject in subjects:
                if subject.now > milliseconds(shown[visit.key]):
                    break
                found[visit.key] = Exposure.listed(segment_rows_of(subject))
    return found


def _parts(keys: list[str]) -> Iterator[list[Any]]:
    distinct = sorted(set(keys))
    for begin in range(0, len(distinct), _AT_ONCE):
        yield distinct[begin : begin + _AT_ONCE]
