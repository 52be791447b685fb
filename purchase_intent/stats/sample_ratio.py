"""Whether the arms got the shares they were meant to get. If not, something drops units unevenly, and no figure holds.

The fixed check is Pearson's chi-square, right for one look. The sequential one (Lindon and Malek, 2022) may be read at
every look: the Bayes factor of "any shares", a Dirichlet mixture around the planned ones, against the planned ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any

import numpy as np
from scipy.special import gammaln, xlogy
from scipy.stats import chi2

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.multiplicity import holm

__all__ = ["CONCENTRATION", "Part", "SampleRatio", "breakdown", "sample_ratio"]

CONCENTRATION = 1000.0
"""How closely the mixture lies around the planned shares: with two equal arms, within 1.6 points of one half or so."""


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Counts against what was planned: `p_value` for one look, `sequential_p_value` for as many as one likes."""

    counts: tuple[int, ...]
    expected: tuple[float, ...]
    p_value: float
    sequential_p_value: float

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "counts": list(self.counts),
            "expected": list(self.expected),
            "p_value": self.p_value,
            "sequential_p_value": self.sequential_p_value,
        }

    @property
    def worst(self) -> float:
        """The largest deviation of a count, as a share of what was expected."""
        return max((abs(n / e - 1) for n, e in zip(self.counts, self.expected, strict=True) if e), default=0.0)


@dataclass(frozen=True, slots=True)
class Part:
    """The ratio within one value of one dimension; `adjusted` is its p-value by Holm over all parts looked at."""

    dimension: str
    value: str
    ratio: SampleRatio
    adjusted: float


def sample_ratio(
    counts: Sequence[int], weights: Sequence[float], *, concentration: float = CONCENTRATION
) -> SampleRatio:
    """Check the units of each arm against the arms' weights, in the same order. Nobody exposed is no mismatch."""
    n, share = _checked(counts, weights)
    total = float(n.sum())
    used = share > 0
    expected = share * total
    if not total:
        return SampleRatio(tuple(counts), tuple(map(float, expected)), 1.0, 1.0)
    if n[~used].any():
        return SampleRatio(tuple(counts), tuple(map(float, expected)), 0.0, 0.0)
    n, share = n[used], share[used]
    statistic = float(((n - share * total) ** 2 / (share * total)).sum())
    prior = concentration * share
    factor = (
        gammaln(concentration) - gammaln(concentration + total)
        + float((gammaln(prior + n) - gammaln(prior) - xlogy(n, share)).sum())
    )  # fmt: skip
    return SampleRatio(
        counts=tuple(counts),
        expected=tuple(map(float, expected)),
        p_value=float(chi2.sf(statistic, len(n) - 1)) if len(n) > 1 else 1.0,
        sequential_p_value=exp(-factor) if factor > 0 else 1.0,
    )


def breakdown(
    dimensions: Mapping[str, Mapping[str, Sequence[int]]],
    weights: Sequence[float],
    own: Mapping[tuple[str, str], Sequence[float]] | None = None,
) -> list[Part]:
    """Where a mismatch sits: counts by dimension (browser, device, bot label) and value, the most uneven part first.

    `own` are weights of a part's own, by dimension and value: where the weights moved, each part came at times of its
    own.
    """
    found = [
        (dimension, value, sample_ratio(counts, (own or {}).get((dimension, value), weights)))
        for dimension, values in dimensions.items()
        for value, counts in values.items()
    ]
    adjusted = holm([ratio.p_value for _, _, ratio in found])
    parts = [Part(*each, p) for each, p in zip(found, adjusted, strict=True)]
    return sorted(parts, key=lambda part: (part.adjusted, part.ratio.p_value, part.dimension, part.value))


def _checked(counts: Sequence[int], weights: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    n, share = np.asarray(counts, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    if n.shape != share.shape or n.ndim != 1 or len(n) < 2:
        raise ExperimentRefused(
            field="counts", reason="length", remedy="give a count and a weight for each of two arms"
        )
    if not (np.isfinite(n) & (n >= 0) & (n == np.floor(n))).all():
        raise ExperimentRefused(field="counts", reason="count", remedy=f"give whole numbers from 0, not {list(counts)}")
    if not ((share >= 0).all() and abs(share.sum() - 1) <= 1e-9):
        raise ExperimentRefused(
            field="weights", reason="weights", remedy=f"make them sum to 1 with none below 0, not {list(weights)}"
        )
    return n, share
