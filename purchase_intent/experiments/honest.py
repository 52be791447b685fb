"""What may be said of a bandit, whose own shares followed what it saw: adaptively weighted figures, and no others.

Plain rates of its arms are biased downwards and their intervals too narrow (`stats.adaptive`). Each stretch between two
moves of the weights is a batch with known chances; so are its days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.comparing import posterior_of, with_best
from purchase_intent.experiments.measuring.measure import Measured as MeasuredSums
from purchase_intent.experiments.measuring.measure import midnights
from purchase_intent.experiments.results import ArmFigure, Versus
from purchase_intent.experiments.weighing import Weights, in_force
from purchase_intent.stats.adaptive import Batch, adaptive_difference, adaptive_value
from purchase_intent.stats.adaptive_ratio import adaptive_ratio, adaptive_ratio_difference
from purchase_intent.stats.arms import shortfall
from purchase_intent.stats.bandit import chances_to_be_best_of
from purchase_intent.stats.inference import Estimate, Interval, Kind, Measured, critical
from purchase_intent.stats.plan import Metric, Plan

__all__ = ["Times", "batch_edges", "expected_weights", "honest_arms", "honest_versus"]

Numbers = NDArray[np.float64]
Times = Sequence[tuple[datetime, Weights]]
"""From when on which weights stood, the earliest first."""

_ALPHA = 0.05


def batch_edges(times: Times, moment: datetime) -> tuple[datetime, ...]:
    """Where batches begin: the start, each day, each move of the weights."""
    begin = times[0][0]
    inside = {since for since, _ in times if begin <= since < moment}
    return tuple(sorted({*inside, *midnights(begin, moment)}))


def expected_weights(
    found: MeasuredSums, times: Times, arms: Sequence[str], people: Numbers | None = None
) -> tuple[float, ...]:
    """The share of the exposed that each arm was to get, by the weights that stood in each batch.

    `people`, of shape (batches, arms), are some of the exposed; all of them unless told.
    """
    counts = (found.n if people is None else people).sum(axis=1)
    stood = [in_force(times, edge) for edge in found.edges[:-1]]
    if not counts.sum():
        return tuple(stood[-1][arm] for arm in arms)
    shares = [float(sum(n * weights[arm] for n, weights in zip(counts, stood, strict=True))) for arm in arms]
    return tuple(share / sum(shares) for share in shares)


def honest_arms(plan: Plan, metric: Metric, found: MeasuredSums, times: Times) -> tuple[ArmFigure, ...]:
    """Each arm's figure, had all been given it, with its 95% interval; of a ratio, once enough people count in it."""
    sums, batches = found.summaries(metric.name), _batches(metric, found, times)
    short = _short(plan, metric, found)
    figures = tuple(_figure(arm, sums[arm].n, metric, [] if arm in short else batches) for arm in plan.arms)
    return figures if short else _with_best(figures, metric, batches)


def honest_versus(plan: Plan, metric: Metric, found: MeasuredSums, times: Times) -> tuple[Versus, ...]:
    """Each treatment against the control, with 95% intervals that are right for one look at the end."""
    batches, short = _batches(metric, found, times), _short(plan, metric, found)
    versus = []
    for arm in plan.treatments:
        fixed = None if short & {plan.control, arm} else _difference(metric, batches, plan.control, arm)
        versus.append(Versus(arm=arm, fixed=fixed, posterior=None if fixed is None else posterior_of(metric, fixed)))
    return tuple(versus)


def _batches(metric: Metric, found: MeasuredSums, times: Times) -> list[Batch]:
    return [
        Batch(in_force(times, found.edges[place]), found.summaries(metric.name, first=place, last=place + 1))
        for place in range(found.batches(metric.name))
    ]


def _short(plan: Plan, metric: Metric, found: MeasuredSums) -> set[str]:
    """Arms of whom too few count in a ratio: with fewer its interval is too narrow."""
    return set(shortfall(plan, metric, found.summaries(metric.name))) if metric.kind is Kind.RATIO else set()


def _value(metric: Metric, batches: list[Batch], arm: str) -> Interval:
    return adaptive_ratio(batches, arm) if metric.kind is Kind.RATIO else adaptive_value(batches, arm)


def _figure(arm: str, count: int, metric: Metric, batches: list[Batch]) -> ArmFigure:
    try:
        found = _value(metric, batches, arm)
    except ExperimentRefused:
        return ArmFigure(arm=arm, n=count, value=None, low=None, high=None)
    low, high = (max(0.0, found.low), min(1.0, found.high)) if metric.kind is Kind.RATE else (found.low, found.high)
    return ArmFigure(arm=arm, n=count, value=found.value, low=low, high=high)


def _with_best(figures: tuple[ArmFigure, ...], metric: Metric, batches: list[Batch]) -> tuple[ArmFigure, ...]:
    """The same with each arm's chance to be the best, of three or more."""
    if len(figures) < 3:
        return figures
    try:
        found = [(_value(metric, batches, each.arm), each.n) for each in figures]
        own = [Measured(each.value, ((each.high - each.low) / 2 / critical(_ALPHA)) ** 2, n) for each, n in found]
        return with_best(figures, chances_to_be_best_of(own, higher_is_better=metric.higher_is_better))
    except ExperimentRefused:
        return figures


def _difference(metric: Metric, batches: list[Batch], control: str, arm: str) -> Estimate | None:
    compare = adaptive_ratio_difference if metric.kind is Kind.RATIO else adaptive_difference
    try:
        return compare(batches, control, arm)
    except ExperimentRefused:
        return None
