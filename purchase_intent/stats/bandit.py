"""A bandit: units go to the arms in proportion to the chance that each is the best, with a floor for every arm.

Thompson sampling (1933) in batches: the chances are worked out from the sums so far, by quadrature and so the same
every time, and hold until the next update. The floor keeps every arm alive, without which nothing honest could be said
about the losers afterwards (`adaptive`). A bandit earns while it learns; a test tells two arms apart sooner.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv, betaln, ndtr, xlog1py, xlogy

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.inference import Kind, Measured, measured
from purchase_intent.stats.quadrature import nodes_between
from purchase_intent.stats.summaries import Summary

__all__ = ["bandit_weights", "chances_to_be_best", "chances_to_be_best_of"]

NODES = 256
SIDES = 1e-12
Z_SIDES = 8.0

Column = NDArray[np.float64]


class _Beta:
    """Posterior of a rate under a flat prior."""

    def __init__(self, arm: Summary) -> None:
        if not arm.is_binary:
            raise ExperimentRefused(
                field="outcome", reason="not_binary", remedy="a rate needs 0 or 1 for each unit: use a mean for amounts"
            )
        self.a, self.b = 1 + arm.y, 1 + arm.n - arm.y

    def ends(self) -> tuple[float, float]:
        return float(betaincinv(self.a, self.b, SIDES)), float(betaincinv(self.a, self.b, 1 - SIDES))

    def below(self, x: Column) -> Column:
        return np.asarray(betainc(self.a, self.b, x))

    def density(self, x: Column) -> Column:
        return np.asarray(np.exp(xlogy(self.a - 1, x) + xlog1py(self.b - 1, -x) - betaln(self.a, self.b)))


class _Normal:
    """Posterior of a mean or a ratio: flat prior, the variance taken as known."""

    def __init__(self, figure: Measured) -> None:
        self.mean, self.error = figure.value, sqrt(figure.variance)
        if not self.error > 0:
            raise ExperimentRefused(
                field="variance", reason="no_spread", remedy="wait until the outcomes of each arm differ"
            )

    def ends(self) -> tuple[float, float]:
        return self.mean - Z_SIDES * self.error, self.mean + Z_SIDES * self.error

    def below(self, x: Column) -> Column:
        return np.asarray(ndtr((x - self.mean) / self.error))

    def density(self, x: Column) -> Column:
        z = (x - self.mean) / self.error
        return np.asarray(np.exp(-0.5 * z * z) / (self.error * sqrt(2 * np.pi)))


def chances_to_be_best(
    arms: Sequence[Summary], kind: Kind = Kind.RATE, *, higher_is_better: bool = True
) -> tuple[float, ...]:
    """The posterior chance of each arm to have the best figure; they sum to 1.

    Right to 0.002 where arms are of very different sizes, and to 1e-9 where they are not.
    """
    if kind is Kind.RATE:
        return _chances([_Beta(arm) for arm in arms], higher=higher_is_better)
    return chances_to_be_best_of([measured(arm, kind) for arm in arms], higher_is_better=higher_is_better)


def chances_to_be_best_of(figures: Sequence[Measured], *, higher_is_better: bool = True) -> tuple[float, ...]:
    """The same from figures with their variances, such as adjusted ones; refuses one that does not vary."""
    return _chances([_Normal(figure) for figure in figures], higher=higher_is_better)


def _chances(beliefs: Sequence[_Beta | _Normal], *, higher: bool) -> tuple[float, ...]:
    chances = []
    for belief in beliefs:
        x, weight = nodes_between(*belief.ends(), NODES)
        others = [_beaten(other.below, x, higher=higher) for other in beliefs if other is not belief]
        product = np.prod(others, axis=0) if others else np.ones_like(x)
        chances.append(float((weight * belief.density(x) * product).sum()))
    whole = sum(chances)
    return tuple(chance / whole for chance in chances)


def bandit_weights(
    arms: Mapping[str, Summary],
    kind: Kind = Kind.RATE,
    *,
    floor: float = 0.05,
    least: int = 100,
    higher_is_better: bool = True,
    until_then: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Each arm's share of the units until the next update, summing to 1, for `bucketing.Allocation`.

    Every arm gets `floor` at least. Until each has `least` units, and where an arm's outcomes do not vary yet, they get
    `until_then`, or all the same.
    """
    if len(arms) < 2:
        raise ExperimentRefused(field="arms", reason="arms", remedy="give two or more arms")
    if not 0 < floor <= 1 / len(arms):
        raise ExperimentRefused(
            field="floor", reason="share", remedy=f"give a share above 0 and up to {1 / len(arms):.3g}, not {floor}"
        )
    unknown = dict.fromkeys(arms, 1 / len(arms)) if until_then is None else dict(until_then)
    if min(arm.n for arm in arms.values()) < max(least, 2):
        return unknown
    try:
        chances = chances_to_be_best(list(arms.values()), kind, higher_is_better=higher_is_better)
    except ExperimentRefused as refused:
        if refused.reason == "no_spread":
            return unknown
        raise
    free = 1 - floor * len(arms)
    return {name: floor + free * chance for name, chance in zip(arms, chances, strict=True)}


def _beaten(below: Callable[[Column], Column], x: Column, *, higher: bool) -> Column:
    return below(x) if higher else 1 - below(x)
