"""Two models on the same cases: how much better the second is, and how sure that is.

A paired bootstrap over clusters (Efron and Tibshirani 1993, chapter 8; Field and Welsh 2007 for clusters): whole
sessions are drawn with replacement, and both models are judged on the same draw, so that what is hard for both cancels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from purchase_intent.learning.metrics import average_precision, brier, log_loss
from purchase_intent.learning.table import Codes, Column, Labels

__all__ = ["DRAWS", "LEVEL", "Difference", "beats", "leads", "loses", "paired_differences", "to_json"]

DRAWS: Final = 1000
"""Resamples: the ends of a 95% interval rest on the 25 most extreme ones on each side."""
LEVEL: Final = 0.95
SIGNS: Final = {"average_precision": 1, "log_loss": -1, "brier": -1}
"""The measures, and whether more of one is better (1) or worse (-1)."""
_TINY: Final = 1e-15


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure of two models. `gain` is above 0 where the second is better; `low` to `high` is its interval."""

    first: float
    second: float
    gain: float
    low: float
    high: float

    @property
    def is_better(self) -> bool:
        """Whether the second is better beyond chance."""
        return self.low > 0

    @property
    def is_worse(self) -> bool:
        """Whether the second is worse beyond chance."""
        return self.high < 0

    def to_json(self) -> dict[str, float]:
        """Plain data for JSON."""
        return {name: float(getattr(self, name)) for name in ("first", "second", "gain", "low", "high")}


def paired_differences(
    labels: Labels,
    probabilities: tuple[Column, Column],
    weights: Column,
    clusters: Codes,
    *,
    seed: int,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> dict[str, Difference]:
    """The gain of the second model by `average_precision`, `log_loss` and `brier`, in that order.

    All columns have one entry a case; `probabilities` are those of the first and of the second model, `clusters` says
    which cases are drawn together. Raises ValueError where one class is missing.
    """
    truth = np.asarray(labels, dtype=np.float64)
    mass = np.asarray(weights, dtype=np.float64)
    if not 0 < float((mass * truth).sum()) < float(mass.sum()):
        raise ValueError("labels: both classes are needed")
    _, owner = np.unique(clusters, return_inverse=True)
    points = [_judged(truth, scores, mass) for scores in probabilities]
    found = _drawn(truth, probabilities, mass, owner, draws=draws, rng=np.random.default_rng(seed))
    ends = np.nanquantile(found, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return {
        name: Difference(
            points[0][name],
            points[1][name],
            sign * (points[1][name] - points[0][name]),
            float(ends[0, place]),
            float(ends[1, place]),
        )
        for place, (name, sign) in enumerate(SIGNS.items())
    }


def _drawn(
    truth: Column,
    probabilities: tuple[Column, Column],
    mass: Column,
    owner: NDArray[np.intp],
    *,
    draws: int,
    rng: np.random.Generator,
) -> Column:
    """The second model's gain by each measure, float64 [draws, measures], for as many draws of clusters."""
    losses = [_losses(truth, scores) for scores in probabilities]
    # Differences row by row: models that say the same differ by exactly nothing, however sums round.
    gains = [np.ones(len(truth)), *(first - second for first, second in zip(*losses, strict=True))]
    sums = np.column_stack([np.bincount(owner, mass * column) for column in gains])
    rankings = [_Ranking(truth, scores, mass, owner) for scores in probabilities]
    found, count = np.full((draws, len(SIGNS)), np.nan), len(sums)
    for line in range(draws):
        times = np.bincount(rng.integers(0, count, count), minlength=count).astype(np.float64)
        totals = times @ sums
        found[line] = (
            rankings[1].average_precision(times) - rankings[0].average_precision(times),
            *(totals[1:] / totals[0]),
        )
    return found


def _judged(truth: Column, scores: Column, mass: Column) -> dict[str, float]:
    return {
        "average_precision": average_precision(truth, scores, mass),
        "log_loss": log_loss(truth, scores, mass),
        "brier": brier(truth, scores, mass),
    }


def _losses(truth: Column, scores: Column) -> tuple[Column, Column]:
    """Log-loss and squared error of each case."""
    safe = np.clip(scores, _TINY, 1 - _TINY)
    return -np.where(truth > 0, np.log(safe), np.log1p(-safe)), (truth - scores) ** 2


class _Ranking:
    """Cases put in order of one model's score once, so that a resample costs sums along them."""

    def __init__(self, truth: Column, scores: Column, mass: Column, owner: NDArray[np.intp]) -> None:
        order = np.argsort(-scores, kind="stable")
        ranked = scores[order]
        self._ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
        self._owner = owner[order]
        self._mass = mass[order]
        self._hits = (mass * truth)[order]

    def average_precision(self, times: Column) -> float:
        """That of the resample in which each cluster occurs `times` over; NaN without positives."""
        often = times[self._owner]
        hits = np.cumsum(self._hits * often)[self._ends]
        flagged = np.cumsum(self._mass * often)[self._ends]
        if not hits[-1] > 0:
            return float("nan")
        precision = np.divide(hits, flagged, out=np.zeros_like(hits), where=flagged > 0)
        return float((np.diff(hits, prepend=0.0) * precision).sum() / hits[-1])


def leads(differences: Mapping[str, Difference]) -> bool:
    """Whether the second model is ahead by average precision and by log-loss, beyond chance or not."""
    return differences["average_precision"].gain > 0 and differences["log_loss"].gain > 0


def beats(differences: Mapping[str, Difference]) -> bool:
    """Whether the second model is better beyond chance by ranking or by log-loss, and by no measure worse."""
    better = differences["average_precision"].is_better or differences["log_loss"].is_better
    return better and not loses(differences)


def loses(differences: Mapping[str, Difference]) -> bool:
    """Whether the second model is worse beyond chance by any measure."""
    return any(each.is_worse for each in differences.values())


def to_json(differences: Mapping[str, Difference]) -> dict[str, Any]:
    """Plain data for JSON."""
    return {name: each.to_json() for name, each in differences.items()}
