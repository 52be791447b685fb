"""Axes of charts: ticks, and where an axis of probabilities ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["Tick", "nice_top"]

_TOPS: Final = (0.05, 0.10, 0.20, 0.50, 1.0)


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis, in pixels, and what is written there."""

    at: float
    label: str


def nice_top(highest: float) -> float:
    """The end of the axis: the lowest round probability that holds `highest` (0 to 1)."""
    return next(top for top in _TOPS if highest <= top)
