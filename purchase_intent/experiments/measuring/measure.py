"""An experiment measured at a moment: sums by batch of exposure time, metric and arm, which add up.

Of a metric, only those are counted whose window is over: what a batch sums up to does not change later, but for events
that come late and labels that are found out late. The shop's money is winsorised at a quantile of the positive values
of all arms together, read in a pass of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final, NamedTuple

import numpy as np

from purchase_intent.conf import config
from purchase_intent.experiments.definition import MetricSpec
from purchase_intent.experiments.measuring.outcomes import (
    events_of,
    needs_cap,
    outcome,
    to_be_capped,
    wants_orders,
)
from purchase_intent.experiments.measuring.sql import Gone, Statements
from purchase_intent.experiments.measuring.stream import Deeds, Numbers, blocks, deeds_of, rows_of
from purchase_intent.experiments.stored import definition_of
from purchase_intent.models import Experiment
from purchase_intent.models.bulk import microseconds
from purchase_intent.stats.collect import Collector
from purchase_intent.stats.summaries import Summary

__all__ = ["Measured", "Unit", "exposed_units", "measure", "measured_moment", "midnights", "statements_of", "sums"]

SUMS: Final = ("y", "yy", "xy", "d", "dd", "dy", "dx")
_ALL: Final = ("everybody",)


class Unit(NamedTuple):
    """A person who was exposed and is counted. `visitor` is the key of the visitor that stands for them."""

    visitor: int
    arm: str
    at: datetime
    score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Sums by batch, in which exposures lie from edge i on and before the next, and arm.

    `n`, `x` and `xx` are of shape (batches, arms): people, the sum of their scores and of the squares. `outcomes` holds
    the other sums by metric and name, of the same shape. `caps` is where money was cut off. `fill` stands for a score
    that was not known: the mean of those that were. `parts` holds people as `n` does, for each `device` and
    `browser`; `gone` are those who are not counted.
    """

    moment: datetime
    edges: tuple[datetime, ...]
    arms: tuple[str, ...]
    windows: Mapping[str, int]
    n: Numbers
    x: Numbers
    xx: Numbers
    outcomes: Mapping[str, Mapping[str, Numbers]]
    caps: Mapping[str, float | None]
    fill: float
    parts: Mapping[str, Mapping[str, Numbers]]
    gone: Gone

    def exposed(self, *, first: int = 0, last: int | None = None) -> dict[str, int]:
        """People by arm, exposed in the batches from `first` on and before `last`; also those whose window is open."""
        return {arm: int(count) for arm, count in zip(self.arms, self.n[first:last].sum(axis=0), strict=True)}

    @property
    def knows_scores(self) -> bool:
        """Whether the scores differ, so that there is something to adjust by."""
        n, x, xx = self.n.sum(), self.x.sum(), self.xx.sum()
        return bool(n * xx > x * x * (1 + 1e-9))

    def batches(self, metric: str) -> int:
        """How many batches, from the first on, have a complete outcome."""
        over = self.moment - timedelta(days=self.windows[metric])
        return sum(edge <= over for edge in self.edges[1:])

    def summaries(self, metric: str, *, first: int = 0, last: int | None = None) -> dict[str, Summary]:
        """One summary an arm, of the complete batches from `first` on and before `last`."""
        complete = self.batches(metric)
        end = complete if last is None else min(complete, last)
        columns = {"x": self.x, "xx": self.xx, **self.outcomes[metric]}
        sums = {name: column[first:end].sum(axis=0) for name, column in columns.items()}
        counts = self.n[first:end].sum(axis=0)
        return {
            arm: Summary(int(counts[place]), **{name: float(sums[name][place]) for name in sums})
            for place, arm in enumerate(self.arms)
        }


def measure(
    experiment: Experiment,
    *,
    moment: datetime,
    edges: Sequence[datetime] = (),
    metrics: Sequence[MetricSpec] = (),
    segment: int | None = None,
    caps: Mapping[str, float | None] | None = None,
    gone: Gone | None = None,
) -> Measured:
    """Measure an experiment as of `moment` (aware), or as of its end where that was before.

    Batches are the shop's local days unless `edges`, in order, say otherwise. `metrics` are by default all of the
    experiment's. `segment`, the key of a row, leaves only those who belonged to it when exposed. `caps`, and who is
    `gone`, are worked out unless given.
    """
    moment = measured_moment(experiment, moment)
    definition = definition_of(experiment)
    wanted = tuple(metrics) or definition.metrics
    windows = {metric.name: metric.window_days for metric in wanted}
    cut = _edges(experiment, moment, edges, set(windows.values()))
    statements = Statements(experiment.pk, since=cut[0], until=moment, segment=segment, gone=gone)
    arms = {arm.pk: arm.key for arm in experiment.arms.all()}
    return sums(
        statements,
        moment=moment,
        edges=cut,
        arms=arms,
        metrics=wanted,
        quantile=definition.design.quantile,
        caps=caps,
    )


def sums(
    statements: Statements,
    *,
    moment: datetime,
    edges: tuple[datetime, ...],
    arms: Mapping[int, str],
    metrics: Sequence[MetricSpec],
    quantile: float,
    caps: Mapping[str, float | None] | None = None,
) -> Measured:
    """The sums of what statements find. `arms` are names by key of the row."""
    places = {key: place for place, key in enumerate(arms)}
    n, x, xx, fill, parts = _totals(statements, edges, places)
    caps = _caps(statements, metrics, quantile, moment) if caps is None else caps
    outcomes = {metric.name: {name: np.zeros(n.size) for name in SUMS} for metric in metrics}
    starts = np.array([microseconds(edge) for edge in edges], np.int64)
    lookup = _lookup(places)
    for deeds in deeds_of(statements, events_of(metrics), with_orders=wants_orders(metrics)):
        batch = np.searchsorted(starts, deeds.at, side="right") - 1
        cell = batch * len(arms) + lookup[deeds.arm]
        score = np.where(np.isnan(deeds.score), fill, deeds.score)
        for metric in metrics:
            _add(outcomes[metric.name], cell, score, deeds, metric, caps.get(metric.name))
    return Measured(
        moment=moment,
        edges=edges,
        arms=tuple(arms.values()),
        windows={metric.name: metric.window_days for metric in metrics},
        n=n,
        x=x,
        xx=xx,
        outcomes={
            metric: {name: column.reshape(n.shape) for name, column in columns.items()}
            for metric, columns in outcomes.items()
        },
        caps=caps,
        fill=fill,
        parts=parts,
        gone=statements.gone,
    )


def exposed_units(experiment: Experiment, *, moment: datetime) -> Iterator[Unit]:
    """Everybody who is counted, in the order of their exposures; some thousand in memory at a time."""
    arms = {arm.pk: arm.key for arm in experiment.arms.all()}
    statements = statements_of(experiment, moment)
    for rows in blocks(statements, statements.units()):
        for visitor, arm, at, score in rows:
            yield Unit(visitor, arms[arm], _moment_of(at), score)


def statements_of(experiment: Experiment, moment: datetime, *, gone: Gone | None = None) -> Statements:
    """What asks the database of an experiment up to a moment, or to its end."""
    return Statements(experiment.pk, since=_begin(experiment), until=measured_moment(experiment, moment), gone=gone)


def measured_moment(experiment: Experiment, moment: datetime) -> datetime:
    """A moment, or the experiment's end where that was before: from then on all are shown the same."""
    return moment if experiment.stopped_at is None else min(moment, experiment.stopped_at)


def midnights(first: datetime, last: datetime) -> list[datetime]:
    """The beginnings of the shop's local days after `first` and up to `last`, in UTC."""
    zone = config().time_zone
    day, found = first.astimezone(zone).date() + timedelta(days=1), []
    while (moment := datetime.combine(day, time(), zone).astimezone(UTC)) <= last:
        found += [moment] if moment > first else []
        day += timedelta(days=1)
    return found


def _begin(experiment: Experiment) -> datetime:
    return experiment.started_at or experiment.created_at


def _edges(
    experiment: Experiment, moment: datetime, given: Sequence[datetime], windows: set[int]
) -> tuple[datetime, ...]:
    """Those given, or the days', and where each window's complete outcomes end."""
    begin = given[0] if given else _begin(experiment)
    own = set(given) if given else {begin, *midnights(begin, moment)}
    own |= {moment - timedelta(days=days) for days in windows} | {moment}
    inside = sorted(edge for edge in own if begin <= edge <= moment)
    return tuple(inside) if len(inside) > 1 else (begin, max(begin, moment) + timedelta(microseconds=1))


def _totals(
    statements: Statements, edges: Sequence[datetime], places: Mapping[int, int]
) -> tuple[Numbers, Numbers, Numbers, float, dict[str, dict[str, Numbers]]]:
    shape = (len(edges) - 1, len(places))
    n, known, x, xx = (np.zeros(shape) for _ in range(4))
    parts: dict[str, dict[str, Numbers]] = {"device": {}, "browser": {}}
    for batch, arm, device, browser, *rest in rows_of(statements, statements.totals(edges)):
        for column, value in zip((n, known, x, xx), rest, strict=True):
            column[batch, places[arm]] += value
        for dimension, value in (("device", device), ("browser", browser)):
            parts[dimension].setdefault(value, np.zeros(shape))[batch, places[arm]] += rest[0]
    fill = float(x.sum() / known.sum()) if known.sum() else 0.0
    return n, x + (n - known) * fill, xx + (n - known) * fill * fill, fill, parts


def _caps(
    statements: Statements, metrics: Sequence[MetricSpec], quantile: float, moment: datetime
) -> dict[str, float | None]:
    """Where each metric's money is cut off: among people whose window is over, whichever arm they are in."""
    money = [metric for metric in metrics if needs_cap(metric)]
    pools = {metric.name: Collector(_ALL, winsorise=quantile) for metric in money}
    for deeds in deeds_of(statements, [], with_orders=bool(money)):
        for metric in money:
            is_over = deeds.at < microseconds(moment - timedelta(days=metric.window_days))
            whole = _some(deeds, is_over)
            values = to_be_capped(metric, whole)
            pools[metric.name].add(np.zeros(len(values), np.int64), values)
    return {name: pool.cap for name, pool in pools.items()}


def _some(deeds: Deeds, people: np.ndarray) -> Deeds:
    """The deeds of some of the people."""
    lines = people[deeds.line]
    place = np.cumsum(people) - 1
    return Deeds(
        line=place[deeds.line[lines]],
        what=deeds.what[lines],
        after=deeds.after[lines],
        amount=deeds.amount[lines],
        arm=deeds.arm[people],
        at=deeds.at[people],
        score=deeds.score[people],
    )


def _add(
    columns: Mapping[str, Numbers], cell: np.ndarray, x: Numbers, deeds: Deeds, metric: MetricSpec, cap: float | None
) -> None:
    found = outcome(metric, deeds, cap)
    y, d = found.y, found.d
    products = {"y": y, "yy": y * y, "xy": x * y}
    if d is not None:
        products |= {"d": d, "dd": d * d, "dy": d * y, "dx": d * x}
    for name, product in products.items():
        columns[name][:] += np.bincount(cell, product, columns[name].size)


def _lookup(places: Mapping[int, int]) -> np.ndarray:
    """Places by key of the arm's row, as an array."""
    found = np.zeros(max(places, default=0) + 1, np.int64)
    for key, place in places.items():
        found[key] = place
    return found


def _moment_of(value: int | str) -> datetime:
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=value)
