"""From a stream of units to one summary an arm, in bounded memory, with long tails winsorised.

Revenue has a long tail, and one large order can decide a test. Winsorising puts values above a cap at the cap. The cap
is a quantile of the positive values of all arms together, so that it knows nothing of the arms; zeros do not count, for
most visitors buy nothing. It is the upper end of a bucket 1% wide (as in DDSketch, Masson, Rim and Lee, 2019), and
since each bucket keeps its own sums, the winsorised sums are those of the clipped values themselves, after one pass.
"""

from __future__ import annotations

from math import log
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.summaries import Summary

__all__ = ["Collector"]

WIDTH: Final = 1.01
"""Upper end of a bucket over its lower end."""
SMALLEST: Final = 0.01
BUCKETS: Final = 2400
"""Bucket 0 holds what is not above `SMALLEST`; the last, what is above 2e8 of them."""
SPREAD: Final = ("n", "y", "yy", "x", "xy", "d", "dy")
"""What each bucket keeps; the others no cap can change, and are kept for each arm."""
KEPT: Final = ("xx", "dd", "dx")

Sums = dict[str, NDArray[np.float64]]


class Collector:
    """Adds units up as they come. `winsorise` is a quantile such as 0.99, or None to leave values as they are.

    Memory: 134 kB an arm where winsorised, 80 bytes where not, however many units.
    """

    def __init__(self, arms: tuple[str, ...], *, winsorise: float | None = None) -> None:
        if winsorise is not None and not 0 < winsorise < 1:
            raise ExperimentRefused(
                field="winsorise", reason="quantile", remedy=f"give a quantile between 0 and 1, not {winsorise}"
            )
        self.arms = arms
        self.winsorise = winsorise
        self._buckets = BUCKETS if winsorise is not None else 1
        self._spread: Sums = {name: np.zeros((len(arms), self._buckets)) for name in SPREAD}
        self._kept: Sums = {name: np.zeros(len(arms)) for name in KEPT}

    def add(
        self,
        arm: ArrayLike,
        outcome: ArrayLike,
        covariate: ArrayLike | None = None,
        denominator: ArrayLike | None = None,
    ) -> None:
        """Take in units: each one's arm as an index into `arms`, its outcome, and where used covariate, denominator."""
        index = np.asarray(arm, dtype=np.int64)
        y = _column("outcome", outcome, index)
        x = None if covariate is None else _column("covariate", covariate, index)
        d = None if denominator is None else _column("denominator", denominator, index)
        if index.size and not 0 <= index.min() <= index.max() < len(self.arms):
            raise ExperimentRefused(field="arm", reason="arm", remedy=f"give indexes below {len(self.arms)}")
        place = index * self._buckets + self._bucket(y)
        weights = {"n": np.ones_like(y), "y": y, "yy": y * y}
        weights |= {} if x is None else {"x": x, "xy": x * y}
        weights |= {} if d is None else {"d": d, "dy": d * y}
        for name, weight in weights.items():
            self._spread[name] += np.bincount(place, weight, self._spread[name].size).reshape(self._spread[name].shape)
        extra = {} if x is None else {"xx": x * x}
        extra |= {} if d is None else {"dd": d * d}
        extra |= {} if x is None or d is None else {"dx": d * x}
        for name, weight in extra.items():
            self._kept[name] += np.bincount(index, weight, len(self.arms))

    def merge(self, other: Collector) -> None:
        """Take in what another collector of the same arms and quantile has seen."""
        if (self.arms, self.winsorise) != (other.arms, other.winsorise):
            raise ExperimentRefused(
                field="collector", reason="arms", remedy="merge collectors of the same arms and the same quantile"
            )
        for name in SPREAD:
            self._spread[name] += other._spread[name]
        for name in KEPT:
            self._kept[name] += other._kept[name]

    @property
    def cap(self) -> float | None:
        """Where values are cut off; None where nothing is winsorised or no value is positive yet."""
        bucket = self._cap_bucket()
        return None if bucket is None else SMALLEST * WIDTH**bucket

    def summaries(self) -> dict[str, Summary]:
        """One summary for each arm, winsorised where that was asked for."""
        bucket, cap = self._cap_bucket(), self.cap
        sums = {name: values.sum(axis=1) for name, values in self._spread.items()} | self._kept
        if bucket is not None and cap is not None:
            above = {name: self._spread[name][:, bucket + 1 :].sum(axis=1) for name in SPREAD}
            for product, unit, times in (("y", "n", cap), ("yy", "n", cap * cap), ("xy", "x", cap), ("dy", "d", cap)):
                sums[product] = self._spread[product][:, : bucket + 1].sum(axis=1) + times * above[unit]
        return {
            arm: Summary(int(sums["n"][i]), **{name: float(sums[name][i]) for name in sums if name != "n"})
            for i, arm in enumerate(self.arms)
        }

    def _bucket(self, y: NDArray[np.float64]) -> NDArray[np.int64]:
        if self._buckets == 1:
            return np.zeros(len(y), dtype=np.int64)
        scaled = np.log(np.maximum(y, SMALLEST) / SMALLEST) / log(WIDTH)
        return np.minimum(np.ceil(scaled).astype(np.int64), BUCKETS - 1)

    def _cap_bucket(self) -> int | None:
        """The bucket that holds the quantile; none for the last, which has no upper end."""
        if self.winsorise is None:
            return None
        counts = self._spread["n"].sum(axis=0)
        counts[0] = 0
        reached = np.cumsum(counts)
        if not reached[-1]:
            return None
        bucket = int(np.searchsorted(reached, self.winsorise * reached[-1]))
        return None if bucket == BUCKETS - 1 else bucket


def _column(name: str, values: ArrayLike, index: NDArray[np.int64]) -> NDArray[np.float64]:
    column = np.asarray(values, dtype=np.float64)
    if column.shape != index.shape or index.ndim != 1 or not np.isfinite(column).all():
        raise ExperimentRefused(field=name, reason="not_finite", remedy="give one finite number a unit")
    return column
