"""Sufficient statistics of one arm and one metric: ten sums that add up over days, shards and cohorts.

For each exposed unit: the outcome y, a covariate x from before the exposure, and for a ratio its denominator d (orders,
for the average order value). Everything that `inference`, `cuped` and `verdict` say comes from these sums, so that no
unit has to be kept. Sums of whole numbers (counts, cents) are exact up to 2^53, in any order of adding; of others they
are right to the usual rounding. A metric whose spread is below a millionth of its mean should be centred first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import reduce
from math import isfinite
from operator import add, attrgetter
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from purchase_intent.exceptions import ExperimentRefused

__all__ = ["Summary", "total"]

CAUCHY_SLACK = 1e-9
"""How far rounding may take a sum of squares below what its sum allows, as a share of it."""


@dataclass(frozen=True, slots=True)
class Summary:
    """n units and their sums: `y` of the outcome, `yy` of its square, `xy` of covariate times outcome, and so on."""

    n: int = 0
    y: float = 0.0
    yy: float = 0.0
    x: float = 0.0
    xx: float = 0.0
    xy: float = 0.0
    d: float = 0.0
    dd: float = 0.0
    dy: float = 0.0
    dx: float = 0.0

    def __post_init__(self) -> None:
        for part in fields(self):
            if not isfinite(getattr(self, part.name)):
                raise ExperimentRefused(field=part.name, reason="not_finite", remedy="give a finite sum")
        if self.n < 0 or self.n != int(self.n):
            raise ExperimentRefused(field="n", reason="count", remedy=f"give a whole number from 0, not {self.n}")
        for name, mean, square in (("yy", self.y, self.yy), ("xx", self.x, self.xx), ("dd", self.d, self.dd)):
            if square * self.n < mean * mean * (1 - CAUCHY_SLACK) or square < 0:
                raise ExperimentRefused(
                    field=name, reason="squares", remedy=f"{square} is less than {self.n} units of this sum can have"
                )

    @classmethod
    def of(cls, outcome: ArrayLike, covariate: ArrayLike | None = None, denominator: ArrayLike | None = None) -> Self:
        """Sum units up, one entry each; refuses columns of different lengths."""
        y = _column("outcome", outcome)
        x = np.zeros_like(y) if covariate is None else _column("covariate", covariate)
        d = np.zeros_like(y) if denominator is None else _column("denominator", denominator)
        if not y.shape == x.shape == d.shape:
            raise ExperimentRefused(
                field="covariate" if x.shape != y.shape else "denominator",
                reason="length",
                remedy=f"give as many as there are outcomes: {len(y)}",
            )
        products = (y, y * y, x, x * x, x * y, d, d * d, d * y, d * x)
        return cls(len(y), *(float(column.sum()) for column in products))

    @classmethod
    def of_successes(cls, successes: int, n: int) -> Self:
        """A yes-or-no metric: so many of n units did it."""
        if not 0 <= successes <= n:
            raise ExperimentRefused(
                field="successes", reason="count", remedy=f"give a number from 0 to the {n} units, not {successes}"
            )
        return cls(n, float(successes), float(successes))

    def __add__(self, other: Summary) -> Summary:
        return Summary(*map(add, _sums(self), _sums(other)))

    @property
    def is_binary(self) -> bool:
        """Whether the outcome is 0 or 1 for every unit."""
        return self.y == self.yy and 0 <= self.y <= self.n

    @property
    def mean(self) -> float:
        """Outcome per unit."""
        return self.y / self._counted()

    @property
    def variance(self) -> float:
        """Of the outcome, with n - 1 below; 0 for a single unit."""
        return self._spread(self.yy, self.y, self.y)

    @property
    def covariate_mean(self) -> float:
        """Covariate per unit."""
        return self.x / self._counted()

    @property
    def covariate_variance(self) -> float:
        """Of the covariate, with n - 1 below."""
        return self._spread(self.xx, self.x, self.x)

    @property
    def covariance(self) -> float:
        """Of covariate and outcome, with n - 1 below."""
        return self._spread(self.xy, self.x, self.y)

    @property
    def ratio(self) -> float:
        """Outcome per denominator: sum over sum."""
        if self._counted() and not self.d > 0:
            raise ExperimentRefused(
                field="denominator", reason="nothing_counted", remedy="wait until the ratio's denominator is above 0"
            )
        return self.y / self.d

    @property
    def ratio_variance(self) -> float:
        """Variance of one unit's share in the ratio, by the delta method: of (y - ratio d) over the mean of d."""
        r, d = self.ratio, self.d / self.n
        var_y, var_d = self.variance, self._spread(self.dd, self.d, self.d)
        return max(var_y - 2 * r * self._spread(self.dy, self.d, self.y) + r * r * var_d, 0.0) / (d * d)

    @property
    def ratio_covariance(self) -> float:
        """Covariance of the covariate with one unit's share in the ratio."""
        r, d = self.ratio, self.d / self.n
        return (self.covariance - r * self._spread(self.dx, self.d, self.x)) / d

    def as_json(self) -> dict[str, float]:
        """The sums by name; those that are 0 are left out. JSON keeps every bit of them."""
        return {part.name: value for part in fields(self) if (value := getattr(self, part.name)) or part.name == "n"}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `as_json` gave."""
        return cls(**stored)

    def _counted(self) -> int:
        if not self.n:
            raise ExperimentRefused(field="n", reason="nothing_exposed", remedy="wait until a unit has been exposed")
        return self.n

    def _spread(self, products: float, one: float, other: float) -> float:
        if self._counted() == 1:
            return 0.0
        spread = (products - one * other / self.n) / (self.n - 1)
        return max(spread, 0.0) if one is other else spread


_sums = attrgetter(*(part.name for part in fields(Summary)))


def total(summaries: Iterable[Summary]) -> Summary:
    """All of them as one; of none, an empty summary."""
    columns = zip(*map(_sums, (Summary(), *summaries)), strict=True)
    return Summary(*(reduce(add, column) for column in columns))


def _column(name: str, values: ArrayLike) -> NDArray[np.float64]:
    column = np.asarray(values, dtype=np.float64)
    if column.ndim != 1 or not np.isfinite(column).all():
        raise ExperimentRefused(field=name, reason="not_finite", remedy="give one finite number a unit")
    return column
