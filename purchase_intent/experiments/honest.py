"""What may be said of a bandit, whose own shares followed what it saw: adaptively weighted figures, and no others.

Plain rates of its arms are biased downwards and their intervals too narrow (`stats.adaptive`). Each stretch between two
moves of the weights is a batch with known chances; so are its days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.measuring.measure import Measured, midnights
from purchase_intent.experiments.results import ArmFigure, Versus
from purchase_intent.experiments.weighing import Weights, in_force
from purchase_intent.stats.adaptive import Batch, adaptive_difference, adaptive_value
from purchase_intent.stats.bayes import posterior_of_means
from purchase_intent.stats.inference import Estimate, Kind
from purchase_intent.stats.plan import Metric, Plan

__all__ = ["batch_edges", "expected_weights", "honest_arms", "honest_versus"]

Times = Sequence[tuple[datetime, Weights]]


def batch_edges(times: Times, moment: datetime) -> tuple[datetime, ...]:
    """Where batches begin: the start, each day, each move of the weights."""
    begin = times[0][0]
    inside = {since for since, _ in times if begin <= since < moment}
    return tuple(sorted({*inside, *midnights(begin, moment)}))


def expected_weights(found: Measured, times: Times, arms: Sequence[str]) -> tuple[float, ...]:
    """The share of the exposed that each arm was to get, all batches together."""
    counts = found.n.sum(axis=1)
    stood = [in_force(times, edge) for edge in found.edges[:-1]]
    if not counts.sum():
        return tuple(stood[-1][arm] for arm in arms)
    shares = [float(sum(n * weights[arm] for n, weights in zip(counts, stood, strict=True))) for arm in arms]
    return tuple(share / sum(shares) for share in shares)


def honest_arms(plan: Plan, metric: Metric, found: Measured, times: Times) -> tuple[ArmFigure, ...]:
    """Each arm's figure, had all been given it, with its 95% interval; none for a ratio, which has no such theory."""
    sums = found.summaries(metric.name)
    return tuple(_figure(arm, sums[arm].n, metric, _batches(metric, found, times)) for arm in plan.arms)


def honest_versus(plan: Plan, metric: Metric, found: Measured, times: Times) -> tuple[Versus, ...]:
    """Each treatment against the control, with 95% intervals that are right for one look at the end."""
    batches = _batches(metric, found, times)
    versus = []
    for arm in plan.treatments:
        fixed = _difference(batches, plan.control, arm)
        posterior = None if fixed is None or not metric.higher_is_better else posterior_of_means(fixed)
        versus.append(Versus(arm=arm, fixed=fixed, posterior=posterior))
    return tuple(versus)


def _batches(metric: Metric, found: Measured, times: Times) -> list[Batch]:
    if metric.kind is Kind.RATIO:
        return []
    return [
        Batch(in_force(times, found.edges[place]), found.summaries(metric.name, first=place, last=place + 1))
        for place in range(found.batches(metric.name))
    ]


def _figure(arm: str, count: int, metric: Metric, batches: list[Batch]) -> ArmFigure:
    try:
        found = adaptive_value(batches, arm)
    except ExperimentRefused:
        return ArmFigure(arm=arm, n=count, value=None, low=None, high=None)
    low, high = (max(0.0, found.low), min(1.0, found.high)) if metric.kind is Kind.RATE else (found.low, found.high)
    return ArmFigure(arm=arm, n=count, value=found.value, low=low, high=high)


def _difference(batches: list[Batch], control: str, arm: str) -> Estimate | None:
    try:
        return adaptive_difference(batches, control, arm)
    except ExperimentRefused:
        return None
