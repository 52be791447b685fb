"""One row through the whole ensemble, as a page asks for it: what `predict` says of that row, to the last bit, sooner.

Members that can be read as trees are descended side by side, and in between stand plain numbers: an array of one number
costs as much as one of a thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Self

from scipy.special import expit

from purchase_intent.learning.calibration import Calibration
from purchase_intent.learning.encoding import TargetEncoder
from purchase_intent.learning.members import Member
from purchase_intent.learning.members.rows import Levels, OneRow, Row, SideBySide, Trees, laid_out

__all__ = ["Quick"]


class Quick:
    """The calibrated probability of one row of d values, float32."""

    def __init__(
        self, encoder: TargetEncoder, ways: Mapping[str, OneRow], shares: list[tuple[str, float]], to: Calibration
    ) -> None:
        trees = {name: way for name, way in ways.items() if isinstance(way, Trees)}
        self._encoder, self._shares, self._to = encoder, shares, to
        self._names, self._trees = (*trees,), SideBySide([*trees.values()]) if trees else None
        self._levels = [(name, way) for name, way in ways.items() if isinstance(way, Levels)]
        self._others: list[tuple[str, Callable[[Row], float]]] = [
            (name, way) for name, way in ways.items() if not isinstance(way, Trees | Levels)
        ]

    @classmethod
    def of(
        cls,
        encoder: TargetEncoder,
        members: Mapping[str, Member],
        shares: list[tuple[str, float]],
        to: Calibration,
        width: int,
    ) -> Self | None:
        """The short way through members that all have one; None where one has to be asked by its learner's own call."""
        ways = {name: way for name, _ in shares if (way := members[name].one_row(width)) is not None}
        return cls(encoder, ways, shares, to) if len(ways) == len(shares) else None

    def __call__(self, row: Row) -> float:
        """The probability of a row."""
        encoded = row.copy()
        self._encoder.encode_row(encoded)
        margins = {name: way(encoded) for name, way in self._others}
        copies = laid_out(encoded)
        margins |= {name: levels.margin(copies) for name, levels in self._levels}
        if self._trees is not None:
            margins |= zip(self._names, self._trees(copies), strict=True)
        mixed = sum(share * margins[name] for name, share in self._shares)
        return float(expit(self._to.slope * mixed + self._to.intercept))
