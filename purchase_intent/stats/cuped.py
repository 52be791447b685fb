"""Less noise from what was known before: CUPED (Deng, Xu, Kohavi and Walker, 2013), from summaries alone.

An outcome less theta times (covariate - its mean) has the same expected difference between arms, and a variance smaller
by the square of their correlation. Theta is one for all arms, from all of them pooled, so that no arm is adjusted in
its own favour. The covariate must be fixed before the arm can work on it: the intent score at exposure is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.inference import Kind, Measured
from purchase_intent.stats.summaries import Summary, total

__all__ = ["Adjustment"]


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Theta, the covariate's mean over all arms, and the squared correlation: the share of variance that goes."""

    theta: float
    centre: float
    reduction: float

    @classmethod
    def of(cls, summaries: Iterable[Summary], kind: Kind = Kind.MEAN) -> Self:
        """From all arms pooled. A covariate that does not vary adjusts nothing."""
        pooled = total(summaries)
        if pooled.n < 2:
            raise ExperimentRefused(field="n", reason="nothing_exposed", remedy="wait until two units were exposed")
        spread = pooled.covariate_variance
        covariance, variance = pooled.covariance, pooled.variance
        if kind is Kind.RATIO:
            covariance, variance = pooled.ratio_covariance, pooled.ratio_variance
        if not (spread > 0 and variance > 0):
            return cls(0.0, pooled.covariate_mean, 0.0)
        return cls(covariance / spread, pooled.covariate_mean, min(covariance**2 / (spread * variance), 1.0))

    def measured(self, summary: Summary, kind: Kind = Kind.MEAN) -> Measured:
        """The arm's adjusted figure, for `inference.compare`."""
        if summary.n < 2:
            raise ExperimentRefused(field="n", reason="nothing_exposed", remedy="wait for two units in each arm")
        value, variance, covariance = summary.mean, summary.variance, summary.covariance
        if kind is Kind.RATIO:
            value, variance, covariance = summary.ratio, summary.ratio_variance, summary.ratio_covariance
        left = variance - 2 * self.theta * covariance + self.theta**2 * summary.covariate_variance
        return Measured(
            value - self.theta * (summary.covariate_mean - self.centre), max(left, 0.0) / summary.n, summary.n
        )
