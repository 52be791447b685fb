"""Two rates: score and Newcombe intervals, which hold where a bell curve around the difference does not.

Miettinen and Nurminen (1985) invert the score test, for the difference and for the ratio; both exclude "no effect"
exactly when the test does. Newcombe (1998, method 10) joins two Wilson intervals. `alpha` is two-sided.
"""

from __future__ import annotations

from collections.abc import Callable
from math import acos, copysign, cos, exp, inf, log, pi, sqrt

from scipy.optimize import brentq
from scipy.stats import norm

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.inference import Estimate, Interval, critical, refuse_alpha
from purchase_intent.stats.summaries import Summary

__all__ = ["compare_rates", "newcombe_interval", "score_interval", "score_ratio_interval", "wilson_interval"]

PRECISION = 1e-14
"""How close a root is taken, absolute."""
FURTHEST = log(1e9)
"""Ratios are looked for up to a thousand millions."""


def compare_rates(control: Summary, treatment: Summary, *, alpha: float = 0.05, newcombe: bool = False) -> Estimate:
    """Rates of a yes-or-no metric. The lift is None where the control has no success; it is always the score's."""
    refuse_alpha(alpha)
    for summary in (control, treatment):
        _refuse_counts(summary)
    (a, n), (b, m) = (treatment.y, treatment.n), (control.y, control.n)
    p, q = a / n, b / m
    low, high = (newcombe_interval if newcombe else score_interval)(control, treatment, alpha=alpha)
    ends = score_ratio_interval(control, treatment, alpha=alpha) if b else None
    return Estimate(
        method="newcombe" if newcombe else "score",
        alpha=alpha,
        control=q,
        treatment=p,
        difference=Interval(p - q, low, high),
        lift=ends and Interval(p / q - 1, ends[0] - 1, ends[1] - 1),
        p_value=float(2 * norm.sf(abs(_difference_score(a, n, b, m, 0.0)))),
        error=sqrt(p * (1 - p) / n + q * (1 - q) / m),
    )


def wilson_interval(summary: Summary, *, alpha: float = 0.05) -> tuple[float, float]:
    """Wilson's interval for one rate (1927)."""
    _refuse_counts(summary)
    z, n, p = critical(alpha), summary.n, summary.mean
    middle, shrunk = (p + z * z / (2 * n)), 1 + z * z / n
    reach = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max((middle - reach) / shrunk, 0.0), min((middle + reach) / shrunk, 1.0)


def newcombe_interval(control: Summary, treatment: Summary, *, alpha: float = 0.05) -> tuple[float, float]:
    """Ends for treatment less control: Newcombe's hybrid score method, number 10 of his eleven."""
    p, q = treatment.mean, control.mean
    (low, high), (least, most) = wilson_interval(treatment, alpha=alpha), wilson_interval(control, alpha=alpha)
    return (
        p - q - sqrt((p - low) ** 2 + (most - q) ** 2),
        p - q + sqrt((high - p) ** 2 + (q - least) ** 2),
    )


def score_interval(control: Summary, treatment: Summary, *, alpha: float = 0.05) -> tuple[float, float]:
    """Ends for treatment less control: the differences that the score test does not reject."""
    (a, n), (b, m), z = (treatment.y, treatment.n), (control.y, control.n), critical(alpha)

    def score(difference: float) -> float:
        return _difference_score(a, n, b, m, difference)

    found = a / n - b / m
    return _end(score, z, found, -1.0), _end(score, -z, found, 1.0)


def score_ratio_interval(control: Summary, treatment: Summary, *, alpha: float = 0.05) -> tuple[float, float]:
    """Ends for treatment over control: the ratios that the score test does not reject; 0 and infinity where none is."""
    (a, n), (b, m), z = (treatment.y, treatment.n), (control.y, control.n), critical(alpha)

    def score(logarithm: float) -> float:
        return _ratio_score(a, n, b, m, exp(logarithm))

    found = log(a / n / (b / m)) if a and b else -FURTHEST if b else FURTHEST
    low = exp(_end(score, z, found, -FURTHEST)) if a else 0.0
    high = exp(_end(score, -z, found, FURTHEST)) if b else inf
    return low, high


def _end(score: Callable[[float], float], z: float, found: float, limit: float) -> float:
    """Where the score, which falls as the value grows, is z; the limit where it never gets there."""
    if (score(limit) - z) * z <= 0:
        return limit
    return float(brentq(lambda value: score(value) - z, found, limit, xtol=PRECISION, rtol=PRECISION))


def _difference_score(a: float, n: int, b: float, m: int, difference: float) -> float:
    """The score statistic of p - q = difference, with Miettinen and Nurminen's N/(N-1)."""
    q = _null_rate(a, n, b, m, difference)
    p = min(max(q + difference, 0.0), 1.0)
    variance = (p * (1 - p) / n + q * (1 - q) / m) * (n + m) / (n + m - 1)
    return _standardised(a / n - b / m - difference, variance)


def _null_rate(a: float, n: int, b: float, m: int, difference: float) -> float:
    """The control's most likely rate where the difference is given: a root of their cubic."""
    size, count = n + m, a + b
    if difference == 0:
        return count / size
    third = ((n + 2 * m) * difference - size - count) / (3 * size)
    first = (m * difference - size - 2 * b) * difference + count
    q = third**3 - first * third / (2 * size) + b * difference * (1 - difference) / (2 * size)
    p = copysign(sqrt(max(third * third - first / (3 * size), 0.0)), q)
    angle = (pi + acos(min(max(q / p**3, -1.0), 1.0))) / 3 if p else pi / 2
    return min(max(2 * p * cos(angle) - third, 0.0), 1.0)


def _ratio_score(a: float, n: int, b: float, m: int, ratio: float) -> float:
    """The score statistic of p / q = ratio, with the same N/(N-1)."""
    size, count = n + m, a + b
    linear = n * ratio + a + m + b * ratio
    q = 2 * count / (linear + sqrt(max(linear * linear - 4 * size * ratio * count, 0.0)))
    p = min(q * ratio, 1.0)
    variance = (p * (1 - p) / n + ratio * ratio * q * (1 - q) / m) * size / (size - 1)
    return _standardised(a / n - ratio * b / m, variance)


def _standardised(distance: float, variance: float) -> float:
    if variance > 0:
        return distance / sqrt(variance)
    return copysign(inf, distance) if abs(distance) > PRECISION else 0.0


def _refuse_counts(summary: Summary) -> None:
    if summary.n < 1:
        raise ExperimentRefused(field="n", reason="nothing_exposed", remedy="wait until each arm has been shown")
    if not summary.is_binary:
        raise ExperimentRefused(
            field="outcome", reason="not_binary", remedy="a rate needs 0 or 1 for each unit: use a mean for amounts"
        )
