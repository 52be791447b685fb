"""One row through a member's trees, by NumPy alone: what a page asks for.

A learner's own call is made for matrices: with one row it spends most of its time on checks and containers. Here all
trees of a member stand in a few arrays and are descended side by side, a level at a time. Leaves are added up in the
order and precision of the learner, so that the answer is that of its own call to the last bit; `agrees` makes sure.

A branch goes right where value > threshold, which no unknown value is. So a row is laid out twice, what is unknown left
as it is (goes left) and as infinity (goes right), and each branch reads the copy that its learner means.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from purchase_intent.learning.table import Column, Matrix

__all__ = [
    "GOES_LEFT",
    "GOES_RIGHT",
    "Levels",
    "OneRow",
    "Places",
    "Row",
    "SideBySide",
    "Tree",
    "Trees",
    "agrees",
    "descended",
    "laid_out",
    "probes",
]

GOES_LEFT: Final = 0
GOES_RIGHT: Final = 1
"""Which copy of the row a branch reads: what becomes of an unknown value there."""

PROBES: Final = 64
"""Rows that are asked both ways before the short way is trusted."""

Places = NDArray[np.intp]
Row = NDArray[np.float32]
OneRow = Callable[[Row], float]
"""The margin of a row of d values."""


def laid_out(row: Row) -> Row:
    """The two copies of a row of d values, one behind the other: float32 [2 d]."""
    copies = np.concatenate((row, row))
    unknown = np.isnan(row)
    if unknown.any():
        copies[len(row) :][unknown] = np.inf
    return copies


class Tree(NamedTuple):
    """One binary tree, the root first: a right child stands right behind the left one, a leaf is its own left child.

    `column` is a place in `laid_out`; `threshold` is float32, `value` what a leaf adds, in the precision of the
    learner.
    """

    column: Places
    threshold: Row
    left: Places
    value: NDArray[Any]


@dataclass(frozen=True, slots=True)
class Trees:
    """All trees of a member in one, `roots` in the order in which it adds them to `start`; none deeper than `depth`."""

    nodes: Tree
    roots: Places
    depth: int
    start: float = 0.0

    @classmethod
    def joined(cls, trees: Sequence[Tree], *, start: float = 0.0) -> Self:
        """The trees of a member, in its own order."""
        roots = np.cumsum([0, *(len(tree.left) for tree in trees[:-1])])
        left = np.concatenate([tree.left + root for tree, root in zip(trees, roots, strict=True)])
        leaf = left == np.arange(len(left))
        nodes = Tree(
            column=np.where(leaf, 0, np.concatenate([tree.column for tree in trees])),
            threshold=np.where(leaf, np.float32(np.inf), np.concatenate([tree.threshold for tree in trees])),
            left=left,
            value=np.concatenate([tree.value for tree in trees]),
        )
        return cls(nodes, roots, _depth(left, roots), start)

    def __call__(self, row: Row) -> float:
        """The margin of a row of d values."""
        return self.added_up(descended(self.nodes, self.roots, self.depth, laid_out(row)))

    def added_up(self, leaves: Places) -> float:
        """The margin of a row that has come to these leaves, one of each tree."""
        return _added_up(self.nodes.value.take(leaves), self.start)


class SideBySide:
    """Several members' trees descended at once: a level of all of them takes hardly longer than that of one."""

    def __init__(self, trees: Sequence[Trees]) -> None:
        sizes = np.array([len(each.nodes.left) for each in trees])
        firsts = np.cumsum(sizes) - sizes
        self._trees = [
            (each, first, slice(end - len(each.roots), end))
            for each, first, end in zip(trees, firsts, np.cumsum([len(each.roots) for each in trees]), strict=True)
        ]
        self._nodes = Tree(
            column=np.concatenate([each.nodes.column for each in trees]),
            threshold=np.concatenate([each.nodes.threshold for each in trees]),
            left=np.concatenate([each.nodes.left + first for each, first in zip(trees, firsts, strict=True)]),
            value=np.empty(0),  # of precisions of their own: each member has its own
        )
        self._roots = np.concatenate([each.roots + first for each, first in zip(trees, firsts, strict=True)])
        self._depth = max(each.depth for each in trees)

    def __call__(self, copies: Row) -> list[float]:
        """The margins of a row that is laid out, in the order of the members."""
        leaves = descended(self._nodes, self._roots, self._depth, copies)
        return [trees.added_up(leaves[part] - first) for trees, first, part in self._trees]


def descended(nodes: Tree, roots: Places, depth: int, copies: Row) -> Places:
    """The leaves that a row, laid out, comes to from these roots."""
    column, threshold, left, _ = nodes
    at = roots
    for _ in range(depth):
        at = left.take(at) + (copies.take(column.take(at)) > threshold.take(at))
    return at


@dataclass(frozen=True, slots=True)
class Levels:
    """Trees that ask the same at every node of a level: `column` and `threshold` [level, tree], the first level first.

    A leaf's number has bit k set where the answer of level k is yes; `first` is the place of each tree's leaf 0 in
    `value`. The margin is the sum of leaves times `scale`, plus `bias`.
    """

    column: Places
    threshold: Row
    first: Places
    value: Column
    scale: float = 1.0
    bias: float = 0.0

    def __call__(self, row: Row) -> float:
        """The margin of a row of d values."""
        return self.margin(laid_out(row))

    def margin(self, copies: Row) -> float:
        """The margin of a row that is laid out."""
        yes = copies.take(self.column) > self.threshold
        leaf = self.first + (1 << np.arange(len(yes))) @ yes
        return _added_up(self.value.take(leaf), 0.0) * self.scale + self.bias


def agrees(one_row: OneRow, many_rows: Callable[[Matrix], Column], rows: Matrix) -> bool:
    """Whether both answer every row alike, to the last bit."""
    return bool(np.array_equal([one_row(row) for row in rows], many_rows(rows)))


def probes(column: Places, threshold: Row, width: int) -> Matrix:
    """Rows of `width` values that stand on the trees' own thresholds or just above, every fifth value unknown."""
    draw = np.random.default_rng(0)
    rows = np.zeros((PROBES, width), np.float32)
    finite = np.abs(threshold) < np.finfo(np.float32).max
    owner, limits = (column % width)[finite], threshold[finite]
    for place in np.unique(owner):
        rows[:, place] = draw.choice(limits[owner == place], PROBES)
    above = draw.random(rows.shape) < 0.5
    rows[above] = np.nextafter(rows[above], np.float32(np.inf))
    rows[draw.random(rows.shape) < 0.2] = np.nan
    return rows


def _added_up(leaves: NDArray[Any], start: float) -> float:
    # One after the other, as learners add: `sum` adds in pairs and rounds otherwise.
    leaves[0] += leaves.dtype.type(start)
    return float(np.add.accumulate(leaves)[-1])


def _depth(left: Places, roots: Places) -> int:
    depth, at = 0, roots
    while len(inner := at[left[at] != at]):
        at = np.concatenate((left[inner], left[inner] + 1))
        depth += 1
    return depth
