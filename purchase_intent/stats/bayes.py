"""The Bayesian reading: the chance that the treatment is better, and what a wrong choice is expected to cost.

Rates have Beta posteriors, figures by quadrature and so the same every time; other metrics have a normal posterior of
the difference. These figures describe; they do not stop an experiment. A rule on them that is watched daily errs more
often than it says, as a p-value does, and `verdict` never uses one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betainc, betainccinv, betaincinv, betaln, xlog1py, xlogy
from scipy.stats import norm

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.inference import Estimate, Interval, refuse_alpha
from purchase_intent.stats.quadrature import nodes_between
from purchase_intent.stats.summaries import Summary

__all__ = ["Posterior", "posterior_of_means", "posterior_of_rates"]

NODES = 256
SIDES = 1e-14
"""What is left out of a posterior at each side."""


@dataclass(frozen=True, slots=True)
class Posterior:
    """`chance_better` that the treatment's figure is higher; the expected losses, in the metric's own unit.

    `loss_of_treatment` is what choosing the treatment is expected to cost: how far the control is above it, counted 0
    where it is not. `loss_of_control` is the reverse. `difference` has an interval of 1 - alpha.
    """

    chance_better: float
    loss_of_treatment: float
    loss_of_control: float
    difference: Interval


def posterior_of_rates(
    control: Summary, treatment: Summary, *, prior: tuple[float, float] = (1.0, 1.0), alpha: float = 0.05
) -> Posterior:
    """Beta-binomial, the same prior for both arms; Beta(1, 1) is the flat one."""
    refuse_alpha(alpha)
    if not (control.is_binary and treatment.is_binary):
        raise ExperimentRefused(
            field="outcome", reason="not_binary", remedy="a rate needs 0 or 1 for each unit: use a mean for amounts"
        )
    if not min(prior) > 0:
        raise ExperimentRefused(field="prior", reason="prior", remedy=f"give two numbers above 0, not {prior}")
    a, b = (_Beta(prior[0] + arm.y, prior[1] + arm.n - arm.y) for arm in (control, treatment))
    x, weight = _nodes_over(*a.ends(), *b.ends())
    low, high = (_root(_exceeding(a, b), 1 - share) for share in (alpha / 2, 1 - alpha / 2))
    return Posterior(
        chance_better=_exceeding(a, b)(0.0),
        loss_of_treatment=float(weight @ (b.below(x) * (1 - a.below(x)))),
        loss_of_control=float(weight @ (a.below(x) * (1 - b.below(x)))),
        difference=Interval(b.mean - a.mean, low, high),
    )


def posterior_of_means(
    estimate: Estimate, *, prior_mean: float = 0.0, prior_deviation: float | None = None, alpha: float = 0.05
) -> Posterior:
    """Normal posterior of a difference, from its estimate; flat without a prior's standard deviation."""
    refuse_alpha(alpha)
    mean, variance = estimate.difference.value, estimate.error**2
    if prior_deviation is not None:
        if not prior_deviation > 0:
            raise ExperimentRefused(field="prior_deviation", reason="prior", remedy="give a deviation above 0")
        share = prior_deviation**2 / (prior_deviation**2 + variance)
        mean, variance = share * mean + (1 - share) * prior_mean, share * variance
    deviation = sqrt(variance)
    z = mean / deviation
    reach = float(norm.isf(alpha / 2)) * deviation
    return Posterior(
        chance_better=float(norm.cdf(z)),
        loss_of_treatment=float(deviation * (norm.pdf(z) - z * norm.sf(z))),
        loss_of_control=float(deviation * (norm.pdf(z) + z * norm.cdf(z))),
        difference=Interval(mean, mean - reach, mean + reach),
    )


@dataclass(frozen=True, slots=True)
class _Beta:
    """A Beta distribution by the functions themselves: SciPy's distribution objects take a hundred times longer."""

    a: float
    b: float

    @property
    def mean(self) -> float:
        return self.a / (self.a + self.b)

    @property
    def deviation(self) -> float:
        size = self.a + self.b
        return sqrt(self.a * self.b / (size + 1)) / size

    def ends(self) -> tuple[float, float]:
        return float(betaincinv(self.a, self.b, SIDES)), float(betainccinv(self.a, self.b, SIDES))

    def below(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(betainc(self.a, self.b, np.clip(x, 0.0, 1.0)))

    def density(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.exp(xlogy(self.a - 1, x) + xlog1py(self.b - 1, -x) - betaln(self.a, self.b)))


def _nodes_over(*ends: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes over all of the ends, with a stretch of their own between each two: one posterior may be far narrower."""
    pieces = [nodes_between(low, high, NODES) for low, high in pairwise(sorted(ends))]
    return np.concatenate([at for at, _ in pieces]), np.concatenate([weight for _, weight in pieces])


def _exceeding(a: _Beta, b: _Beta) -> Callable[[float], float]:
    """The chance that b exceeds a by more than a difference, summed over the narrower one's density."""
    narrow, wide = (a, b) if a.deviation < b.deviation else (b, a)
    at, weight = nodes_between(*narrow.ends(), NODES)
    mass = weight * narrow.density(at)

    def exceeding(difference: float) -> float:
        share = 1 - wide.below(at + difference) if narrow is a else wide.below(at - difference)
        return min(float(mass @ share), 1.0)

    return exceeding


def _root(falling: Callable[[float], float], level: float) -> float:
    return float(brentq(lambda difference: falling(difference) - level, -1.0, 1.0, xtol=1e-12))
