"""How many units and days an experiment needs, from what the shop's own data say about the metric.

Two-sided normal power of one treatment against the control. A sequential rule needs more units at most, by the factor
of its `Monitoring.cost`; several treatments share alpha; CUPED leaves 1 - rho squared of the variance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, inf, sqrt

from scipy.optimize import brentq
from scipy.stats import norm

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.inference import Kind, refuse_alpha
from purchase_intent.stats.monitoring import Monitoring
from purchase_intent.stats.summaries import Summary

__all__ = ["Sizing", "Spread", "detectable", "power_of", "sizing", "spread_of", "units_needed"]

WEEK = 7
MOST_UNITS = 1e15


@dataclass(frozen=True, slots=True)
class Spread:
    """One unit's mean and variance in the control, after any adjustment."""

    mean: float
    variance: float
    kind: Kind

    def under(self, lift: float) -> float:
        """Variance in a treatment of this lift: a rate's follows the rate, others' stays."""
        if self.kind is Kind.RATE:
            rate = self.mean * (1 + lift)
            if not 0 < rate < 1:
                raise ExperimentRefused(field="lift", reason="lift", remedy=f"it would make the rate {rate:.3g}")
            return self.variance * rate * (1 - rate) / (self.mean * (1 - self.mean))
        return self.variance


@dataclass(frozen=True, slots=True)
class Sizing:
    """`units` over all arms at most, `days` to get them, and the same in whole `weeks`: each weekday then counts alike.

    `inflation` is what the sequential rule adds to a fixed test's `fixed_units`; `expected_units` is where it stops on
    average if the lift is true.
    """

    units: int
    fixed_units: int
    expected_units: int
    inflation: float
    days: int | None
    weeks: int | None
    lift: float


def spread_of(baseline: Summary, kind: Kind, *, reduction: float = 0.0) -> Spread:
    """From units of the past, as they would be exposed; `reduction` is the share of variance that CUPED takes off."""
    if not 0 <= reduction < 1:
        raise ExperimentRefused(field="reduction", reason="share", remedy="give a share from 0 to below 1")
    mean = baseline.ratio if kind is Kind.RATIO else baseline.mean
    variance = baseline.ratio_variance if kind is Kind.RATIO else baseline.variance
    if kind is Kind.RATE:
        variance = mean * (1 - mean)
    if not (mean > 0 and variance > 0):
        raise ExperimentRefused(
            field="baseline",
            reason="no_spread",
            remedy="take a longer stretch of the past: it has nothing to compare with",
        )
    return Spread(mean, variance * (1 - reduction), kind)


def power_of(spread: Spread, lift: float, units: float, *, alpha: float = 0.05, treatment_share: float = 0.5) -> float:
    """The chance of a significant difference, either way, with so many units in the two arms together."""
    refuse_alpha(alpha)
    if not 0 < treatment_share < 1:
        raise ExperimentRefused(field="treatment_share", reason="share", remedy="give a share between 0 and 1")
    variance = spread.under(lift) / treatment_share + spread.variance / (1 - treatment_share)
    z, limit = abs(lift) * spread.mean / sqrt(variance / units), norm.isf(alpha / 2)
    return float(norm.sf(limit - z) + norm.sf(limit + z))


def units_needed(
    spread: Spread, lift: float, *, power: float = 0.8, alpha: float = 0.05, treatment_share: float = 0.5
) -> float:
    """Units in the two arms together for a fixed test of this power, not rounded."""
    if not lift:
        raise ExperimentRefused(field="lift", reason="lift", remedy="give a lift other than 0")
    _refuse_power(power, alpha)

    def missing(units: float) -> float:
        return power_of(spread, lift, units, alpha=alpha, treatment_share=treatment_share) - power

    return float(brentq(missing, 1e-9, MOST_UNITS, xtol=1e-9, rtol=1e-14)) if missing(MOST_UNITS) > 0 else inf


def detectable(
    spread: Spread, units: float, *, power: float = 0.8, alpha: float = 0.05, treatment_share: float = 0.5
) -> float:
    """The smallest lift, upwards, that a fixed test of so many units finds with this power; infinite where none is."""
    _refuse_power(power, alpha)
    most = (1 / spread.mean - 1) * (1 - 1e-9) if spread.kind is Kind.RATE else 1e6

    def missing(lift: float) -> float:
        return power_of(spread, lift, units, alpha=alpha, treatment_share=treatment_share) - power

    return float(brentq(missing, 1e-12, most, xtol=1e-14)) if missing(most) > 0 else inf


def sizing(
    spread: Spread,
    lift: float,
    *,
    per_day: float,
    weights: tuple[float, ...] = (0.5, 0.5),
    monitoring: Monitoring | None = None,
    power: float = 0.8,
) -> Sizing:
    """Units and days for an experiment of these arms' weights, the control first; each treatment is to be found.

    `per_day` is how many units are exposed a day, in all arms; with 0, no days are given.
    """
    watched = Monitoring() if monitoring is None else monitoring
    if len(weights) < 2 or min(weights) <= 0 or abs(sum(weights) - 1) > 1e-9:
        raise ExperimentRefused(field="weights", reason="weights", remedy="give two or more above 0 that sum to 1")
    alpha = watched.alpha / (len(weights) - 1)
    fixed = max(
        units_needed(spread, lift, power=power, alpha=alpha, treatment_share=weight / (weight + weights[0]))
        / (weight + weights[0])
        for weight in weights[1:]
    )
    if not fixed < inf:
        raise ExperimentRefused(field="lift", reason="lift", remedy=f"a lift of {lift} is too small to be found")
    cost = replace(watched, alpha=alpha).cost(power)
    units = ceil(fixed * cost.most)
    days = ceil(units / per_day) if per_day > 0 else None
    weeks = None if days is None else ceil(days / WEEK)
    return Sizing(units, ceil(fixed), ceil(fixed * cost.expected), cost.most, days, weeks, lift)


def _refuse_power(power: float, alpha: float) -> None:
    refuse_alpha(alpha)
    if not alpha < power < 1:
        raise ExperimentRefused(field="power", reason="share", remedy=f"give a power between alpha and 1, not {power}")
