"""Honest intervals after a bandit, whose own allocation chased what it saw.

Plain means of a bandit's arms are biased downwards, and their intervals miss too often: an arm that begins badly is not
shown again. Hadad, Hirshberg, Zhan, Wager and Athey (2021, PNAS 118(15)) weigh each unit's doubly robust score so that
its variance stays even while the allocation changes; the estimate is then normal. Here a batch is a stretch with
constant weights, each score is the mean of earlier batches plus the inversely weighted rest, and the weights are theirs
that stabilise the variance, sqrt(e) for one arm and (1/e + 1/e')^-1/2 for two. Sums of each batch are enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from scipy.stats import norm

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.inference import Estimate, Interval, critical, refuse_alpha
from purchase_intent.stats.summaries import Summary, total

__all__ = [
    "ADAPTIVE",
    "Batch",
    "Terms",
    "adaptive_difference",
    "adaptive_value",
    "weighed_mean",
    "weighed_spread",
]

Terms = Mapping[str, float]
"""By arm."""

ADAPTIVE: Final = "adaptively weighted"
"""What the method of these estimates is called."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Units that were first exposed under the same weights: those weights, and each arm's sums."""

    weights: Mapping[str, float]
    summaries: Mapping[str, Summary]

    def __post_init__(self) -> None:
        if set(self.weights) != set(self.summaries):
            raise ExperimentRefused(field="summaries", reason="names", remedy="give each arm of the batch its sums")
        if not min(self.weights.values(), default=0.0) > 0 or abs(sum(self.weights.values()) - 1) > 1e-9:
            raise ExperimentRefused(
                field="weights", reason="weights", remedy="give each arm more than 0 (a floor), summing to 1"
            )

    @property
    def n(self) -> int:
        """Units in all arms."""
        return sum(summary.n for summary in self.summaries.values())


def adaptive_value(batches: Sequence[Batch], arm: str, *, alpha: float = 0.05) -> Interval:
    """The arm's mean outcome over all units, had they all been given it."""
    value, error = _estimated(batches, {arm: 1.0})
    reach = critical(alpha) * error
    return Interval(value, value - reach, value + reach)


def adaptive_difference(batches: Sequence[Batch], control: str, treatment: str, *, alpha: float = 0.05) -> Estimate:
    """Treatment less control; the lift is left out, for the ratio of two such estimates has no such theory."""
    refuse_alpha(alpha)
    difference, error = _estimated(batches, {control: -1.0, treatment: 1.0})
    reach = critical(alpha) * error
    return Estimate(
        method=ADAPTIVE,
        alpha=alpha,
        control=_estimated(batches, {control: 1.0})[0],
        treatment=_estimated(batches, {treatment: 1.0})[0],
        difference=Interval(difference, difference - reach, difference + reach),
        lift=None,
        p_value=float(2 * norm.sf(abs(difference) / error)),
        error=error,
    )


def weighed_mean(batches: Sequence[Batch], signs: Terms, *, over: Iterable[str] = ()) -> float:
    """The weighted mean of the scores, summed over arms by their signs.

    `over` are the arms whose weights stabilise the variance, by default those of `signs`. ExperimentRefused where
    nobody was exposed.
    """
    used, guesses, scales = _prepared(batches, signs, over)
    return _mean(used, guesses, scales, signs)


def weighed_spread(batches: Sequence[Batch], signs: Terms) -> float:
    """The standard error of that. ExperimentRefused where the outcomes do not differ, too."""
    used, guesses, scales = _prepared(batches, signs, ())
    value = _mean(used, guesses, scales, signs)
    squares = sum(s * s * _squares(b, g, signs, value) for s, b, g in zip(scales, used, guesses, strict=True))
    if not squares > 0:
        raise ExperimentRefused(field="variance", reason="no_spread", remedy="wait until the outcomes differ")
    return sqrt(squares) / _mass(used, scales)


def _estimated(batches: Sequence[Batch], signs: Terms) -> tuple[float, float]:
    return weighed_mean(batches, signs), weighed_spread(batches, signs)


def _prepared(
    batches: Sequence[Batch], signs: Terms, over: Iterable[str]
) -> tuple[list[Batch], list[dict[str, float]], list[float]]:
    """The batches that somebody is in, what was known before each, and how each is scaled."""
    used = [batch for batch in batches if batch.n]
    if not used:
        raise ExperimentRefused(field="batches", reason="nothing_exposed", remedy="wait until a unit has been exposed")
    guesses = [_guesses(used[:index], batch, signs) for index, batch in enumerate(used)]
    stabilised = tuple(over) or tuple(signs)
    scales: list[float] = [sum(1 / batch.weights[arm] for arm in stabilised) ** -0.5 for batch in used]
    return used, guesses, scales


def _mean(used: Sequence[Batch], guesses: Sequence[Terms], scales: Sequence[float], signs: Terms) -> float:
    found = sum(s * _sum(b, g, signs) for s, b, g in zip(scales, used, guesses, strict=True))
    return found / _mass(used, scales)


def _mass(used: Sequence[Batch], scales: Sequence[float]) -> float:
    return sum(scale * batch.n for scale, batch in zip(scales, used, strict=True))


def _guesses(earlier: Sequence[Batch], batch: Batch, signs: Terms) -> dict[str, float]:
    """What each arm's outcome was known to be before the batch; at first, the batch's mean over all arms."""
    pooled = {arm: total(each.summaries[arm] for each in earlier) for arm in signs}
    start = total(batch.summaries.values()).mean
    return {arm: summary.mean if summary.n else start for arm, summary in pooled.items()}


def _sum(batch: Batch, guesses: Terms, signs: Terms) -> float:
    """The sum of the scores of a batch's units."""
    return batch.n * _base(guesses, signs) + _rest(batch, guesses, signs)


def _squares(batch: Batch, guesses: Terms, signs: Terms, value: float) -> float:
    """The sum of squared distances of a batch's scores from the value."""
    base = _base(guesses, signs) - value
    spread = 0.0
    for arm in signs:
        summary, guess = batch.summaries[arm], guesses[arm]
        around = summary.yy - 2 * guess * summary.y + guess * guess * summary.n
        spread += max(around, 0.0) / batch.weights[arm] ** 2
    return batch.n * base * base + 2 * base * _rest(batch, guesses, signs) + spread


def _base(guesses: Terms, signs: Terms) -> float:
    return sum(sign * guesses[arm] for arm, sign in signs.items())


def _rest(batch: Batch, guesses: Terms, signs: Terms) -> float:
    return sum(
        sign * (batch.summaries[arm].y - guesses[arm] * batch.summaries[arm].n) / batch.weights[arm]
        for arm, sign in signs.items()
    )
