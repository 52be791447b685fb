"""Difference and lift of two arms, with intervals: Welch for means, the delta method for ratios, score for rates.

`alpha` is always the two-sided error of one interval. A sequential rule hands in the nominal error that it allows at
this look (`monitoring`), and the same formulas then give the interval that holds under that rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from math import exp, inf, sqrt
from typing import Any, Self

from scipy.stats import norm, t

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.summaries import Summary

__all__ = ["Estimate", "Interval", "Kind", "Measured", "compare", "measured", "refuse_alpha"]


class Kind(StrEnum):
    """What a metric is, and so which formulas are right for it."""

    RATE = "rate"
    MEAN = "mean"
    RATIO = "ratio"


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the interval around it."""

    value: float
    low: float
    high: float

    def excludes(self, value: float) -> bool:
        """Whether the value lies outside."""
        return not self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Measured:
    """One arm's figure, its variance as an estimate, and the units behind it."""

    value: float
    variance: float
    n: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """Treatment against control. `lift` is relative (0.05 is 5% more), None where the control's figure is not above 0.

    `p_value` is two-sided for no difference, and nominal: right for one look. `error` is the standard error of the
    difference, `alpha` the error of each interval.
    """

    method: str
    alpha: float
    control: float
    treatment: float
    difference: Interval
    lift: Interval | None
    p_value: float
    error: float

    @property
    def significant(self) -> bool:
        """Whether the interval of the difference excludes 0."""
        return self.difference.excludes(0)

    def as_json(self) -> dict[str, Any]:
        """Plain values; an end that is infinite is None."""
        found = asdict(self)
        for name in ("difference", "lift"):
            if found[name]:
                found[name] = {end: _finite(value) for end, value in found[name].items()}
        return found

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `as_json` gave."""
        return cls(**{**stored, "difference": _interval(stored["difference"]), "lift": _interval(stored["lift"])})


def measured(summary: Summary, kind: Kind) -> Measured:
    """The arm's figure as a mean or a ratio; refuses fewer than two units."""
    if summary.n < 2:
        raise ExperimentRefused(
            field="n", reason="nothing_exposed", remedy=f"wait for two units in each arm, one has {summary.n}"
        )
    if kind is Kind.RATIO:
        return Measured(summary.ratio, summary.ratio_variance / summary.n, summary.n)
    return Measured(summary.mean, summary.variance / summary.n, summary.n)


def compare(
    control: Measured, treatment: Measured, *, alpha: float = 0.05, method: str = "welch", widest: bool = False
) -> Estimate:
    """Welch's t: two independent figures with their own variances and Satterthwaite's degrees of freedom.

    The lift is the ratio less 1; its interval is the delta method's on the logarithm of the ratio. Refuses two arms
    that do not vary at all.

    `widest` takes the pooled error (Student's) where that is the larger. Of amounts with a long tail a small arm that
    had no large one yet has too small a mean and too small a variance, so that Welch's t calls it worse far too often;
    the pooled one errs the other way. In arms of one size the two are the same.
    """
    refuse_alpha(alpha)
    variance = control.variance + treatment.variance
    if not variance > 0:
        raise ExperimentRefused(
            field="variance", reason="no_spread", remedy="wait until the outcomes of an arm differ from each other"
        )
    wider = max(_pooled(control, treatment) / variance, 1.0) if widest else 1.0
    error, difference = sqrt(variance * wider), treatment.value - control.value
    freedom = _freedom(control, treatment, 1.0, 1.0)
    reach = error * float(t.isf(alpha / 2, freedom))
    return Estimate(
        method=method,
        alpha=alpha,
        control=control.value,
        treatment=treatment.value,
        difference=Interval(difference, difference - reach, difference + reach),
        lift=_lift(control, treatment, alpha, wider),
        p_value=float(2 * t.sf(abs(difference) / error, freedom)),
        error=error,
    )


def refuse_alpha(alpha: float) -> None:
    """Refuse an error that is no probability."""
    if not 0 < alpha < 1:
        raise ExperimentRefused(field="alpha", reason="share", remedy=f"give an error between 0 and 1, not {alpha}")


def critical(alpha: float) -> float:
    """How many standard errors a two-sided normal interval of this error reaches."""
    return float(norm.isf(alpha / 2))


def _pooled(control: Measured, treatment: Measured) -> float:
    """The variance of the difference, were a unit's variance the same in both arms."""
    spread = sum(arm.variance * arm.n * (arm.n - 1) for arm in (control, treatment))
    return spread / (control.n + treatment.n - 2) * (1 / control.n + 1 / treatment.n)


def _lift(control: Measured, treatment: Measured, alpha: float, wider: float) -> Interval | None:
    if not control.value > 0:
        return None
    ratio = treatment.value / control.value
    if not ratio > 0:
        return Interval(ratio - 1, -inf, inf)
    scales = control.value**-2, treatment.value**-2
    variance = wider * (control.variance * scales[0] + treatment.variance * scales[1])
    reach = exp(min(sqrt(variance) * float(t.isf(alpha / 2, _freedom(control, treatment, *scales))), 700.0))
    return Interval(ratio - 1, ratio / reach - 1, ratio * reach - 1)


def _freedom(control: Measured, treatment: Measured, control_scale: float, treatment_scale: float) -> float:
    one, other = control.variance * control_scale, treatment.variance * treatment_scale
    return float((one + other) ** 2 / (one**2 / (control.n - 1) + other**2 / (treatment.n - 1)))


def _finite(value: float) -> float | None:
    return value if abs(value) < inf else None


def _interval(stored: Mapping[str, float | None] | None) -> Interval | None:
    if stored is None:
        return None
    low, high, value = stored["low"], stored["high"], stored["value"]
    return Interval(value or 0.0, -inf if low is None else low, inf if high is None else high)
