"""How far what comes in has moved from what a model learnt: by effect size, never by p-value.

A test of significance calls every difference a drift once the sample is large. Two sizes of effect are used instead,
over the bins of a stored reference: the population stability index and the Jensen-Shannon distance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from math import inf, log, sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from purchase_intent.learning.table import Column

__all__ = [
    "LIMITS",
    "Band",
    "Drift",
    "Reference",
    "drift",
    "jensen_shannon",
    "population_stability",
    "smoothed",
]

BINS: Final = 10
"""Bins of equal mass that a numeric column is cut into."""
LEVELS: Final = 20
"""Categories with a bin of their own: the most frequent; the others share one."""
FREQUENT: Final = 0.002
"""Share below which a category has no bin of its own."""


class Band(StrEnum):
    """How much a column has moved."""

    STABLE = "stable"
    WATCH = "watch"
    DRIFTED = "drifted"


LIMITS: Final[Mapping[Band, float]] = {Band.WATCH: 0.10, Band.DRIFTED: 0.25}
"""Population stability indices at which a band begins: the rule of credit scoring (Lewis 1994; Siddiqi 2006).

A Jensen-Shannon distance is held against the same limits by what both measures are to second order in the change,
distance = sqrt(index / (8 ln 2)): .13 and .21.
"""


@dataclass(frozen=True, slots=True)
class Reference:
    """The bins of one column and the share of each among what a model was judged on.

    A numeric column has `edges`, ascending, each the highest value of its bin, and one open bin after them; a category
    has `levels` (codes) and one bin for the others. The last of `shares` is what was missing. `sessions` is how many
    sessions are behind the shares, which weigh each session once. `usual` is the index by which the column moved in
    training from one span to the next: only what goes beyond is drift.
    """

    edges: tuple[float, ...] = ()
    levels: tuple[int, ...] = ()
    shares: tuple[float, ...] = ()
    sessions: int = 0
    usual: float = 0.0

    @classmethod
    def of(cls, values: NDArray[Any], weights: Column, *, sessions: int, categorical: bool = False) -> Reference:
        """The reference of a column; NaN is missing."""
        known = ~np.isnan(values)
        column, mass = np.asarray(values[known], np.float32), weights[known]
        blank = cls(levels=_levels(column, mass, weights.sum())) if categorical else cls(edges=_edges(column, mass))
        shares = tuple(round(share, 6) for share in (blank.mass(values, weights) / weights.sum()).tolist())
        return cls(blank.edges, blank.levels, shares, sessions)

    def mass(self, values: NDArray[Any], weights: Column) -> Column:
        """The weight of `values` in each bin, float64 [bins]."""
        column = np.asarray(values, np.float32)
        known = ~np.isnan(column)
        return np.bincount(self._places(column, known), weights, minlength=self._size).astype(np.float64)

    def name(self, place: int) -> str:
        """A bin in figures: "0 to 3.5", "above 12", a code, "others", "missing"."""
        if place == self._size - 1:
            return "missing"
        if self.levels:
            return str(self.levels[place]) if place < len(self.levels) else "others"
        if not self.edges:
            return "known"
        low = self.edges[place - 1] if place else -inf
        high = self.edges[place] if place < len(self.edges) else inf
        if high == inf:
            return f"above {low:.3g}"
        if low == -inf:
            return f"{high:.3g} or less"
        return f"{high:.3g}" if _is_point(low, high) else f"{low:.3g} to {high:.3g}"

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Reference:
        """The reference that `to_json` described."""
        return cls(
            tuple(float(edge) for edge in data["edges"]),
            tuple(int(level) for level in data["levels"]),
            tuple(float(share) for share in data["shares"]),
            int(data["sessions"]),
            float(data.get("usual", 0.0)),
        )

    @property
    def _size(self) -> int:
        return (len(self.levels) if self.levels else len(self.edges)) + 2

    def _places(self, column: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.intp]:
        places = np.full(len(column), self._size - 1, np.intp)
        if self.levels:
            order = np.argsort(self.levels)
            ordered = np.asarray(self.levels, np.float32)[order]
            at = np.minimum(np.searchsorted(ordered, column[known]), len(ordered) - 1)
            places[known] = np.where(ordered[at] == column[known], order[at], len(ordered))
        else:
            places[known] = np.searchsorted(np.asarray(self.edges, np.float32), column[known], side="left")
        return places


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far one column has moved: the two sizes of effect, their band, and the bin that has changed most.

    `index` is the lower of the population stability index and what the distance comes to on its scale.
    """

    psi: float
    distance: float
    index: float
    band: Band
    moved: str
    place: int
    before: float
    now: float


def drift(reference: Reference, values: NDArray[Any], weights: Column, *, sessions: int) -> Drift:
    """Compare a column with its reference; `weights` weigh each of the `sessions` behind it once.

    The band is the one that both measures reach, beyond what is usual: the index alone is driven by bins that were
    nearly empty.
    """
    then = np.asarray(reference.shares)
    now = reference.mass(values, weights) / weights.sum()
    used = (then > 0) | (now > 0)
    p = smoothed(then[used], reference.sessions)
    q = smoothed(now[used], sessions)
    psi, distance = population_stability(p, q), jensen_shannon(p, q)
    index = min(psi, 8 * log(2) * distance**2)
    place = int(np.argmax(np.abs(now - then) + 1e-9 * then))  # of two that traded places, the one that was known
    return Drift(
        psi=psi,
        distance=distance,
        index=index,
        band=_band(index - reference.usual),
        moved=reference.name(place),
        place=place,
        before=float(then[place]),
        now=float(now[place]),
    )


def smoothed(shares: Column, sessions: float) -> Column:
    """Shares with half a session added to each bin (Jeffreys' prior), so that none is empty."""
    return (shares * sessions + 0.5) / (sessions + 0.5 * len(shares))


def population_stability(p: Column, q: Column) -> float:
    """Sum of (q - p) ln(q / p) over bins, 0 or more: Kullback and Leibler's divergence, both ways."""
    return float(((q - p) * np.log(q / p)).sum())


def jensen_shannon(p: Column, q: Column) -> float:
    """The Jensen-Shannon distance to the base 2, 0 to 1: a metric (Endres and Schindelin 2003)."""
    middle = (p + q) / 2
    divergence = ((p * np.log2(p / middle)).sum() + (q * np.log2(q / middle)).sum()) / 2
    return sqrt(max(float(divergence), 0.0))


def _band(index: float) -> Band:
    reached = [band for band, limit in LIMITS.items() if index >= limit]
    return reached[-1] if reached else Band.STABLE


def _edges(column: NDArray[np.float32], mass: Column) -> tuple[float, ...]:
    """Quantiles; a value with the mass of a whole bin has a bin of its own, so that leaving it either way shows."""
    if not len(column):
        return ()
    order = np.argsort(column, kind="stable")
    ordered, total = column[order], np.cumsum(mass[order])
    at = np.searchsorted(total, total[-1] * np.arange(1, BINS) / BINS * (1 - 1e-12))
    cuts: set[np.float32] = set(ordered[at])
    distinct, place = np.unique(column, return_inverse=True)
    for value in distinct[np.bincount(place, mass) >= total[-1] / BINS]:
        cuts |= {value, np.nextafter(value, np.float32(-np.inf))}
    return tuple(_short(cut) for cut in sorted(cuts))


def _levels(column: NDArray[np.float32], mass: Column, total: float) -> tuple[int, ...]:
    distinct, place = np.unique(column, return_inverse=True)
    shares = np.bincount(place, mass) / total if len(column) else np.empty(0)
    ranked: Sequence[int] = np.lexsort((distinct, -shares))[:LEVELS].tolist()
    return tuple(int(distinct[rank]) for rank in ranked if shares[rank] >= FREQUENT)


def _short(value: np.float32) -> float:
    """The shortest number that is `value` in 32 bits: a reference stays small."""
    return float(np.format_float_scientific(value))


def _is_point(low: float, high: float) -> bool:
    return bool(np.nextafter(np.float32(high), np.float32(-np.inf)) == np.float32(low))
