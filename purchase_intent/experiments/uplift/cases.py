"""From an experiment's exposures to a trial: each visitor as the fold knew them when they were exposed.

Stored events are folded once more. A visitor's vector is that right after the last event at or before the exposure, so
nothing that came of the treatment is in it. The outcome lies strictly later, within the window of the metric, and only
those count whose window is over. Accepted: an event that happened before the exposure and arrived after it is in the
vector, though the page did not know it yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from purchase_intent.conf import config
from purchase_intent.events import EventName
from purchase_intent.exceptions import TrainingRefused
from purchase_intent.experiments.measuring.measure import Unit, exposed_units, measured_moment
from purchase_intent.experiments.weighing import chances
from purchase_intent.features.history import replay
from purchase_intent.features.schema import CATEGORICAL, FEATURES
from purchase_intent.learning import Table
from purchase_intent.learning.uplift import Trial
from purchase_intent.models import Event, Experiment, ExperimentMetric, Merge, MetricKind, MetricRole, Order
from purchase_intent.scoring.score import milliseconds
from purchase_intent.sources.orm import StoredLog, stored_events
from purchase_intent.sources.refold import place_visitors, read_places

__all__ = ["Cases", "gather"]

AT_ONCE: Final = 20_000
"""Events folded at a time."""
MOST_UNITS: Final = 400_000
"""Visitors to learn from. Training takes about 3.5 KB of memory each."""
_ORDERED: Final = frozenset({MetricKind.CONVERSION, MetricKind.REVENUE, MetricKind.ORDER_VALUE})

Progress = Callable[[str], None]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cases:
    """A trial, what its outcome is called, and how many visitors were exposed without a visit on record."""

    trial: Trial
    outcome: str
    control: str
    treatment: str
    without_visit: int


@dataclass(frozen=True, slots=True)
class _Units:
    """People with a complete outcome: person, when exposed [ms], to which arm, with what outcome and chance."""

    person: Whole
    at: Whole
    treated: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    chance: NDArray[np.float64] | None


def gather(
    experiment: Experiment,
    *,
    treatment: str = "",
    now: datetime,
    seed: int = 0,
    most: int = MOST_UNITS,
    progress: Progress,
) -> Cases:
    """The trial of a treatment against the control, as known at `now`, or at the experiment's end if that was before.

    `treatment` is an arm's key; of an experiment with two arms it may be left out. Who was shown another arm is left
    out: among the two the draw was as random as among all. Of more visitors, `most` are drawn by chance.

    TrainingRefused for an arm that is no treatment, an outcome nobody could be moved to, or nobody with a complete
    outcome.
    """
    control, treatment = _arms(experiment, treatment)
    metric = experiment.metrics.get(role=MetricRole.PRIMARY)
    _refuse_unmoved(experiment, metric)
    now = measured_moment(experiment, now)
    window = timedelta(days=metric.window_days)
    everybody = exposed_units(experiment, moment=now)
    units = [unit for unit in everybody if unit.arm in (control, treatment) and unit.at + window <= now]
    if not units:
        raise TrainingRefused(
            f"experiment {experiment.key}: nobody's window of {metric.window_days} days is over yet: let it run on",
            field="experiment",
        )
    if len(units) > most:
        units = [units[at] for at in np.sort(np.random.default_rng(seed).choice(len(units), most, replace=False))]
    kin = _kin()
    asked = _asked(experiment, metric, treatment, units, kin, now)
    values, found = np.empty((len(units), len(FEATURES)), np.float32), np.zeros(len(units), bool)
    with stored_events(zone=str(config().time_zone), until=now, progress=progress) as stored:
        _look(stored, asked, kin, values, found, progress)
    table = Table(values[found], tuple(feature.name for feature in FEATURES), CATEGORICAL)
    chance = None if asked.chance is None else asked.chance[found]
    trial = Trial(table, asked.treated[found], asked.labels[found], asked.at[found], chance)
    return Cases(trial, str(metric), control, treatment, int((~found).sum()))


def _arms(experiment: Experiment, treatment: str) -> tuple[str, str]:
    others = experiment.treatments
    chosen = treatment or (others[0] if len(others) == 1 else "")
    if chosen not in others:
        wrong = f"“{chosen}” is none of its treatments" if chosen else "has several treatments"
        raise TrainingRefused(f"experiment {experiment.key}: {wrong}; name one of {', '.join(others)}", field="arms")
    return experiment.control, chosen


def _chance(experiment: Experiment, treatment: str, moments: Sequence[datetime]) -> NDArray[np.float64] | None:
    """How likely the treatment was at each moment, of it and the control; None where that never changed."""
    of_treatment, of_control = (chances(experiment, arm, moments) for arm in (treatment, experiment.control))
    if of_treatment is None or of_control is None:
        return None
    share: NDArray[np.float64] = of_treatment / (of_treatment + of_control)
    return share


def _refuse_unmoved(experiment: Experiment, metric: ExperimentMetric) -> None:
    if metric.kind == MetricKind.CART_ABANDONMENT:
        raise TrainingRefused(
            f"experiment {experiment.key}: {metric} is nothing to be moved to; uplift needs orders or an event as the "
            "primary metric",
            field="metrics",
        )


def _kin() -> dict[int, int]:
    """Whose past was joined to whose, as metrics count people."""
    ledger = Merge.objects.in_force().exclude(anonymous=None).order_by("anonymous_id", "-visitor_id")
    return dict(ledger.values_list("anonymous_id", "visitor_id"))


def _asked(
    experiment: Experiment,
    metric: ExperimentMetric,
    treatment: str,
    units: Sequence[Unit],
    kin: Mapping[int, int],
    now: datetime,
) -> _Units:
    window = timedelta(days=metric.window_days)
    labels = np.zeros(len(units), np.uint8)
    place = {unit.visitor: index for index, unit in enumerate(units)}
    for visitor, moment in _deeds(metric, experiment, now):
        index = place.get(kin.get(visitor, visitor))
        if index is not None and units[index].at < moment <= units[index].at + window:
            labels[index] = 1
    return _Units(
        np.array([unit.visitor for unit in units], np.int64),
        np.array([milliseconds(unit.at) for unit in units], np.int64),
        np.array([unit.arm == treatment for unit in units], np.uint8),
        labels,
        _chance(experiment, treatment, [unit.at for unit in units]),
    )


def _deeds(metric: ExperimentMetric, experiment: Experiment, now: datetime) -> Iterator[tuple[int, datetime]]:
    """Visitor and moment of all that may be somebody's outcome."""
    if metric.kind in _ORDERED:
        orders = Order.objects.filter(placed_at__gt=experiment.started_at, placed_at__lt=now).order_by()
        return orders.values_list("visitor_id", "placed_at").iterator(chunk_size=AT_ONCE)
    label = EventName.CART.label if metric.kind == MetricKind.ADD_TO_CART else metric.event
    name = next(name for name in EventName if name.label == label)
    events = Event.objects.filter(name=int(name), occurred_at__gt=experiment.started_at, occurred_at__lt=now)
    return events.order_by().values_list("visitor_id", "occurred_at").iterator(chunk_size=AT_ONCE)


def _look(
    stored: StoredLog,
    units: _Units,
    kin: Mapping[int, int],
    values: NDArray[np.float32],
    found: NDArray[np.bool_],
    progress: Progress,
) -> None:
    """Fill in the vector of each unit at its exposure, and who had one."""
    place_visitors(stored)
    order = np.argsort(units.person, kind="stable")
    latest = np.full(len(units.person), np.iinfo(np.int64).min)
    buffer, done = np.empty((0, len(FEATURES)), np.float32), 0
    for batch in stored.log.batches(AT_ONCE):
        if len(batch.hits) > len(buffer):
            buffer = np.empty((len(batch.hits), len(FEATURES)), np.float32)
        vectors = replay(batch.hits, batch.visitor, batch.session, buffer)
        visitors = read_places(stored, done, done + len(batch.hits))["visitor_pk"]
        keys, which = np.unique(visitors, return_inverse=True)
        people = np.array([kin.get(int(key), int(key)) for key in keys], np.int64)[which]
        unit = order[np.minimum(np.searchsorted(units.person, people, sorter=order), len(order) - 1)]
        time = batch.hits["time"]
        before = np.flatnonzero((units.person[unit] == people) & (time <= units.at[unit]))
        last = np.full(len(units.person), -1, np.int64)
        np.maximum.at(last, unit[before], before)  # rows of a person are in order of time
        known = np.flatnonzero(last >= 0)
        known = known[time[last[known]] >= latest[known]]
        values[known], latest[known], found[known] = vectors[last[known]], time[last[known]], True
        done += len(batch.hits)
        progress(f"looking at visitors when exposed: {done:,} of {stored.log.accepted:,} events")
