"""How often a statistic that is looked at again and again leaves its boundaries: numerical integration, look by look.

The standardised statistic of a growing experiment is a Brownian motion in information time (Armitage, McPherson and
Rowe, 1969; Jennison and Turnbull, 2000, chapter 19). Its density among the experiments still running is carried from
look to look by Gauss-Legendre quadrature, fine enough for the shortest step, which leaves errors below 1e-9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, sqrt
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from purchase_intent.stats.quadrature import nodes_between

__all__ = ["Crossing", "Running", "crossing"]

FURTHEST = 9.0
"""Standard deviations around its mean where the statistic is followed."""
FINENESS = 5.0
FEWEST, MOST = 64, 3000

Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Crossing:
    """For each look, the chance to leave there for the first time, above and below."""

    above: tuple[float, ...]
    below: tuple[float, ...]

    @property
    def chance(self) -> float:
        """Of leaving at any look, on either side."""
        return sum(self.above) + sum(self.below)


@dataclass(frozen=True, slots=True)
class Running:
    """The experiments still running after the looks so far: nodes of z, their mass, and the information there."""

    drift: float = 0.0
    information: float = 0.0
    z: Column = field(default_factory=lambda: np.zeros(1))
    mass: Column = field(default_factory=lambda: np.ones(1))

    def leaving(self, boundary: float, information: float) -> tuple[float, float]:
        """Chances to be above and below the boundary at the next look, in z and still running until then."""
        carried, deviation, shift = self._step(information)
        middle = carried + shift
        above = self.mass @ ndtr((middle - boundary) / deviation)
        below = self.mass @ ndtr((-boundary - middle) / deviation)
        return float(above), float(below)

    def after(self, boundary: float, information: float, following: float) -> Self:
        """Those still within the boundary at a look, where the next one comes at `following`."""
        carried, deviation, shift = self._step(information)
        mean = self.drift * sqrt(information)
        low, high = max(-boundary, mean - FURTHEST), min(boundary, mean + FURTHEST)
        if not low < high:
            return type(self)(self.drift, information, np.zeros(1), np.zeros(1))
        finest = min(deviation, sqrt(max(following - information, 1e-12) / information), 1.0)
        number = min(max(ceil(FINENESS * (high - low) / 2 / finest), FEWEST), MOST)
        z, weight = nodes_between(low, high, number)
        step = (z[:, None] - (carried + shift)[None, :]) / deviation
        density = np.exp(-0.5 * step * step) @ self.mass / (deviation * sqrt(2 * np.pi))
        return type(self)(self.drift, information, z, density * weight)

    def _step(self, information: float) -> tuple[Column, float, float]:
        gained = information - self.information
        return (
            self.z * sqrt(self.information / information),
            sqrt(gained / information),
            self.drift * gained / sqrt(information),
        )


def crossing(information: Sequence[float], boundaries: Sequence[float], drift: float = 0.0) -> Crossing:
    """Chances to leave +-boundary (in z) at each look; `drift` is the mean of z at information 1."""
    running, above, below = Running(drift), [], []
    for look, (at, boundary) in enumerate(zip(information, boundaries, strict=True)):
        up, down = running.leaving(boundary, at)
        above.append(up)
        below.append(down)
        if look + 1 < len(information):
            running = running.after(boundary, at, information[look + 1])
    return Crossing(tuple(above), tuple(below))
