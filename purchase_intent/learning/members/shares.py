"""What each column adds to the margin of one row, exactly, where trees ask the same at every node of a level.

These are the values of TreeSHAP (Lundberg and others 2020), all leaves at once. A leaf pays its value to a coalition of
columns with a product over the columns on its path: for one inside, whether the row goes this way there (1 or 0); for
one outside, the share of the training weight that did. The Shapley value of such a product is the integral over t from
0 to 1 of the derivative of its multilinear extension (Owen 1972): a polynomial in t, which Gauss's quadrature
integrates exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from purchase_intent.learning.members.rows import Levels, Places, Row, laid_out
from purchase_intent.learning.table import Column

__all__ = ["LARGEST", "Shares"]

LARGEST: Final = 2**20
"""Numbers a model may need here (8 MB); for deeper trees the learner's own way is the better one."""


@dataclass(frozen=True, slots=True)
class Shares:
    """The shares of a row's columns in its margin; arrays are [level, tree, leaf] unless said otherwise.

    `bits` says which way each leaf lies; `expected` the share of the weight that went so, 1 for a level whose column an
    earlier one has asked for, whose share it holds. `again` lists such levels: earlier, later, trees. `outside` is
    [node, level, tree, leaf], the part of a column outside the coalition at each node of the quadrature, `weighed`
    [node, tree, leaf] the leaves' values. `base` is the expectation.
    """

    levels: Levels
    width: int
    bits: NDArray[np.bool_]
    expected: Column
    again: tuple[tuple[int, int, Places], ...]
    nodes: Column
    outside: Column
    weighed: Column
    base: float

    @classmethod
    def of(cls, levels: Levels, weights: Column, width: int) -> Self:
        """For rows of `width` values; `weights` is the training weight of each leaf, as `levels.value` lies.

        Raises ValueError where that needs more than LARGEST numbers.
        """
        depth, trees = levels.column.shape
        points, gauss = np.polynomial.legendre.leggauss((depth + 1) // 2)
        nodes, gauss = (points + 1) / 2, gauss / 2
        if len(nodes) * depth * trees * 2**depth > LARGEST:
            raise ValueError("the trees are too deep")
        value, weight = (_padded(part, levels.first, depth) for part in (levels.value, weights))
        bits = (np.arange(2**depth) >> np.arange(depth)[:, None, None] & 1).astype(bool)
        expected, again = _ways(weight, depth), _again(levels, width)
        for earlier, later, where in again:
            expected[earlier, where] *= expected[later, where]
            expected[later, where] = 1.0
        # A leaf no case came to is worth nothing, and shares of no weight are no numbers.
        expected[:, weight == 0] = 1.0
        base = float((value * weight).sum(axis=1) @ (1 / weight.sum(axis=1))) * levels.scale + levels.bias
        return cls(
            levels,
            width,
            bits,
            expected,
            again,
            nodes[:, None, None, None],
            (1 - nodes)[:, None, None, None] * expected,
            gauss[:, None, None] * np.where(weight > 0, value, 0.0) * levels.scale,
            base,
        )

    def __call__(self, row: Row) -> Column:
        """What each column adds, and the base behind them: float64 [width + 1]."""
        yes = laid_out(row).take(self.levels.column) > self.levels.threshold
        goes = self.bits == yes[:, :, None]
        for earlier, later, where in self.again:
            goes[earlier, where] &= goes[later, where]
            goes[later, where] = True
        factors = self.outside + self.nodes * goes
        whole = self.weighed * factors.prod(axis=1)
        # The derivative for a column leaves its own factor out.
        slopes = np.divide(whole[:, None], factors, out=factors).sum(axis=0)
        added = (slopes * (goes - self.expected)).sum(axis=2)
        owners = self.levels.column.ravel() % self.width
        return np.append(np.bincount(owners, added.ravel(), minlength=self.width), self.base)


def _padded(leaves: Column, first: Places, depth: int) -> Column:
    """[tree, leaf], 0 for leaves that a tree of fewer levels has not."""
    found = np.zeros((len(first), 2**depth))
    for tree, part in enumerate(np.split(leaves, first[1:])):
        found[tree, : len(part)] = part
    return found


def _ways(weight: Column, depth: int) -> Column:
    """The share of the weight at each node that goes on towards each leaf; CatBoost's root is the last level."""
    trees, leaves = weight.shape
    found = np.ones((depth, trees, leaves))
    above = weight
    for level in range(depth):
        here, above = above, above.reshape(trees, -1, 2).sum(axis=2)
        share = np.divide(here, np.repeat(above, 2, axis=1), out=np.zeros_like(here), where=here > 0)
        found[level] = np.repeat(share, 2**level, axis=1)
    return found


def _again(levels: Levels, width: int) -> tuple[tuple[int, int, Places], ...]:
    """Where a later level asks for the column of an earlier one: each with the first that asked for it."""
    asks = np.where(np.isfinite(levels.threshold), levels.column % width, -1 - np.arange(len(levels.column))[:, None])
    found = []
    for later in range(len(asks)):
        alike = asks[:later] == asks[later]
        first = np.where(alike.any(axis=0), alike.argmax(axis=0), later) if later else np.zeros(0, np.intp)
        found += [(earlier, later, np.flatnonzero(first == earlier)) for earlier in range(later)]
    return tuple(pair for pair in found if len(pair[2]))
