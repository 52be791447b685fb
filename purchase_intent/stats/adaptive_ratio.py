"""Honest intervals of a ratio after a bandit: an average order, or any sum over sum, by the delta method.

An arm's ratio is that of two mean outcomes, R = E[y] / E[d], had everybody been given the arm. Both are estimated as in
`adaptive`, by the same weights for the same units (Hadad, Hirshberg, Zhan, Wager and Athey 2021, PNAS 118(15)). To
first order the estimate of R errs by that of the mean of z = (y - R d) / E[d], which is linear in y and d (the delta
method, as Deng, Knoblich and Lu 2018, KDD, use it for ratio metrics): so its variance is that of the adaptively
weighted mean of z. Stabilised weights make that mean normal, and with it the ratio. Sums of each batch are enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from scipy.stats import norm

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.adaptive import ADAPTIVE, Batch, Terms, weighed_mean, weighed_spread
from purchase_intent.stats.inference import Estimate, Interval, critical, refuse_alpha
from purchase_intent.stats.summaries import Summary

__all__ = ["adaptive_ratio", "adaptive_ratio_difference"]


def adaptive_ratio(batches: Sequence[Batch], arm: str, *, alpha: float = 0.05) -> Interval:
    """The arm's ratio over all units, had they all been given it."""
    ratios, error = _estimated(batches, {arm: 1.0})
    reach = critical(alpha) * error
    return Interval(ratios[arm], ratios[arm] - reach, ratios[arm] + reach)


def adaptive_ratio_difference(
    batches: Sequence[Batch], control: str, treatment: str, *, alpha: float = 0.05
) -> Estimate:
    """The treatment's ratio less the control's; both by the weights that are right for the two of them."""
    refuse_alpha(alpha)
    ratios, error = _estimated(batches, {control: -1.0, treatment: 1.0})
    difference, reach = ratios[treatment] - ratios[control], critical(alpha) * error
    return Estimate(
        method=ADAPTIVE,
        alpha=alpha,
        control=ratios[control],
        treatment=ratios[treatment],
        difference=Interval(difference, difference - reach, difference + reach),
        lift=None,
        p_value=float(2 * norm.sf(abs(difference) / error)),
        error=error,
    )


def _estimated(batches: Sequence[Batch], signs: Terms) -> tuple[dict[str, float], float]:
    """Each arm's ratio, and the standard error of their sum by signs."""
    below = [_of(batch, {arm: _denominator(each) for arm, each in batch.summaries.items()}) for batch in batches]
    tops = {arm: weighed_mean(batches, {arm: 1.0}, over=signs) for arm in signs}
    bottoms = {arm: weighed_mean(below, {arm: 1.0}, over=signs) for arm in signs}
    if not min(bottoms.values()) > 0:
        raise ExperimentRefused(
            field="denominator", reason="nothing_counted", remedy="wait until the ratio's denominator is above 0"
        )
    ratios = {arm: tops[arm] / bottoms[arm] for arm in signs}
    linear = [
        _of(batch, {arm: _linear(each, arm, ratios, bottoms) for arm, each in batch.summaries.items()})
        for batch in batches
    ]
    return ratios, weighed_spread(linear, signs)


def _of(batch: Batch, summaries: dict[str, Summary]) -> Batch:
    return replace(batch, summaries=summaries)


def _denominator(summary: Summary) -> Summary:
    """The denominator as an outcome of its own."""
    return Summary(n=summary.n, y=summary.d, yy=summary.dd)


def _linear(summary: Summary, arm: str, ratios: Terms, bottoms: Terms) -> Summary:
    """The sums of z, whose mean is 0; of an arm that is not asked for nothing but its units counts."""
    if arm not in ratios:
        return Summary(n=summary.n)
    ratio, scale = ratios[arm], bottoms[arm]
    y = (summary.y - ratio * summary.d) / scale
    squares = (summary.yy - 2 * ratio * summary.dy + ratio * ratio * summary.dd) / (scale * scale)
    return Summary(n=summary.n, y=y, yy=max(squares, y * y / summary.n if summary.n else 0.0))
