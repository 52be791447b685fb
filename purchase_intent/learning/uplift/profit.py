"""Whom to treat by what it is expected to earn, and what that earned in the experiment itself.

A treatment is paid by everybody who buys with it, also by those who would have bought anyway. For a visitor who buys
with chance p without it and p + u with it, treating earns (p + u) (margin - cost) - p margin - contact more.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

import numpy as np

from purchase_intent.exceptions import OfferRefused
from purchase_intent.learning.intervals import DRAWS
from purchase_intent.learning.table import Column
from purchase_intent.learning.uplift.curves import percentiles
from purchase_intent.learning.uplift.model import Effects
from purchase_intent.learning.uplift.trial import Trial

__all__ = ["SHARES", "Money", "ProfitCurve", "ProfitPoint", "profit_curve"]

SHARES: Final = tuple(step / 20 for step in range(21))
"""Shares of the visitors at which the curve is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What is earned and spent, in one currency.

    `margin`: of an order before the treatment; `cost`: given away by an order with it; `contact`: for showing it to one
    visitor. Raises OfferRefused for a figure below 0 or none.
    """

    margin: float
    cost: float = 0.0
    contact: float = 0.0

    def __post_init__(self) -> None:
        for name in ("margin", "cost", "contact"):
            value = getattr(self, name)
            if not (isfinite(value) and value >= 0):
                raise OfferRefused(f"{name}: {value} is out of range; give a number of 0 or more", field=name)

    def worth(self, chance: Column | float, uplift: Column | float) -> Any:
        """Expected profit of treating over not treating."""
        return (chance + uplift) * (self.margin - self.cost) - chance * self.margin - self.contact


@dataclass(frozen=True, slots=True)
class ProfitPoint:
    """Treating the best `share` of the visitors, over treating nobody: profit of 1,000 visitors with a 95% interval."""

    share: float
    profit: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ProfitCurve:
    """Measured profit by share treated, in order of expected profit; `chosen` treats whom it is expected to pay for."""

    points: tuple[ProfitPoint, ...]
    chosen: ProfitPoint

    @property
    def everybody(self) -> ProfitPoint:
        """Treating all of them."""
        return self.points[-1]


def profit_curve(effects: Effects, trial: Trial, money: Money, *, seed: int, draws: int = DRAWS) -> ProfitCurve:
    """What targeting by expected profit earned in the trial; `effects` as of models that had not learnt from it."""
    worth = money.worth(effects.chance, effects.uplift)
    rank = np.empty(len(trial))
    rank[np.argsort(-worth, kind="stable")] = (np.arange(len(trial)) + 1) / len(trial)
    masks = [rank <= share + 1e-12 for share in SHARES] + [worth > 0]
    earned = _earned(trial, money)
    values = np.array([[float((mask * earned).mean()) for mask in masks]])
    rng = np.random.default_rng(seed)
    drawn = [_drawn(masks, earned, rng) for _ in range(draws)]
    low, high = percentiles(np.array(drawn)) if draws else (values[0], values[0])
    shares = [*SHARES, float((worth > 0).mean())]
    points = [
        ProfitPoint(share, *(1000 * float(each) for each in (value, bottom, top)))
        for share, value, bottom, top in zip(shares, values[0], low, high, strict=True)
    ]
    return ProfitCurve(tuple(points[:-1]), points[-1])


def _earned(trial: Trial, money: Money) -> Column:
    """For each unit a number whose expectation is the profit of treating it over not treating it."""
    chance = np.full(len(trial), trial.share) if trial.chance is None else trial.chance
    with_it = trial.labels * (money.margin - money.cost) - money.contact
    without = trial.labels * money.margin
    return np.asarray(np.where(trial.treated == 1, with_it / chance, -without / (1 - chance)))


def _drawn(masks: list[Any], earned: Column, rng: np.random.Generator) -> list[float]:
    times = np.bincount(rng.integers(0, len(earned), len(earned)), minlength=len(earned)) * earned
    return [float((mask * times).mean()) for mask in masks]
