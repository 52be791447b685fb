"""Which rule holds at a look, and how much it asks for.

An experiment has an error to spend, alpha. With planned looks, most of it goes to the group-sequential boundaries of
those looks, and a reserve to an always-valid interval for every other moment, so that somebody who looks in between,
and acts, still errs no more often than alpha in all. Without planned looks, the always-valid interval has all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

from scipy.stats import norm

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.always_valid import TUNED, always_valid_boundary
from purchase_intent.stats.boundaries import Cost, Spending, boundaries, cost_of
from purchase_intent.stats.inference import refuse_alpha

__all__ = ["Applied", "Look", "Monitoring", "Rule"]

UNPLANNED_DAYS = 28
"""How many looks are reckoned with when the cost of unplanned ones is worked out."""


class Rule(StrEnum):
    """What makes a verdict hold although it was not the only look."""

    GROUP_SEQUENTIAL = "group-sequential"
    ALWAYS_VALID = "always-valid"


@dataclass(frozen=True, slots=True)
class Look:
    """One look: the share of the planned units in so far, those of the planned looks before, and whether it is one.

    `final` says that no planned look follows, whatever share was reached.
    """

    share: float
    previous: tuple[float, ...] = ()
    planned: bool = False
    final: bool = False

    def behind(self, share: float) -> Look:
        """The same look at a metric of which a smaller share is in, for its window is longer.

        It was as far behind at the looks before. Boundaries for the larger shares would err more often: with half of
        the plan behind, in 7.3% of all cases instead of 5%.
        """
        lag = self.share - share
        if lag <= 0:
            return self
        before = tuple(each - lag for each in self.previous if each > lag)
        return replace(self, share=self.share - lag, previous=before)


@dataclass(frozen=True, slots=True)
class Applied:
    """The rule of one look: its boundary in standard errors, and as the two-sided `alpha` of an ordinary interval.

    `number` counts planned looks from 1; it is 0 for an unplanned one.
    """

    rule: Rule
    number: int
    boundary: float
    alpha: float

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"name": self.rule.value, "number": self.number, "boundary": self.boundary, "alpha": self.alpha}


@dataclass(frozen=True, slots=True)
class Monitoring:
    """How an experiment is watched: `looks` planned ones, evenly spread over its units (0: none is planned).

    `reserve` is the share of alpha that is kept for unplanned looks. One look and no reserve is an ordinary fixed test.
    """

    alpha: float = 0.05
    looks: int = 28
    spending: Spending = Spending.OBRIEN_FLEMING
    reserve: float = 0.1
    tuned: float = TUNED

    def __post_init__(self) -> None:
        refuse_alpha(self.alpha)
        if self.looks < 0:
            raise ExperimentRefused(field="looks", reason="looks", remedy=f"give 0 or more looks, not {self.looks}")
        if not 0 <= self.reserve < 1:
            raise ExperimentRefused(
                field="reserve", reason="share", remedy=f"give a share of alpha from 0 to below 1, not {self.reserve}"
            )
        if not self.tuned > 0:
            raise ExperimentRefused(field="tuned", reason="tuned", remedy="give a ratio of variances above 0")

    def applied(self, look: Look, alpha: float | None = None) -> Applied | None:
        """The rule of a look, for an error of `alpha` in all; None where it allows no conclusion at this moment."""
        error = self.alpha if alpha is None else alpha
        if not look.share > 0:
            return None
        if self.looks and look.planned and _goes_on(look):
            shares = (*look.previous, look.share) if look.share not in look.previous else look.previous
            limits = boundaries(shares, error * (1 - self.reserve), self.spending, final=look.final)
            return _applied(Rule.GROUP_SEQUENTIAL, len(shares), limits[-1])
        error *= self.reserve if self.looks else 1.0
        return _applied(Rule.ALWAYS_VALID, 0, always_valid_boundary(look.share, error, self.tuned)) if error else None

    def shares(self) -> tuple[float, ...]:
        """Where the planned looks are, in shares of the planned units."""
        return tuple((number + 1) / self.looks for number in range(self.looks))

    def cost(self, power: float = 0.8) -> Cost:
        """Multiples of a fixed test's units: what to plan for, and what to expect."""
        if self.looks:
            shares = self.shares()
            return cost_of(
                shares, boundaries(shares, self.alpha * (1 - self.reserve), self.spending), self.alpha, power
            )
        days = tuple((day + 1) / UNPLANNED_DAYS for day in range(UNPLANNED_DAYS))
        limits = [always_valid_boundary(share, self.alpha, self.tuned) for share in days]
        return cost_of(days, limits, self.alpha, power)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "alpha": self.alpha,
            "looks": self.looks,
            "spending": self.spending.value,
            "reserve": self.reserve,
            "tuned": self.tuned,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `as_json` gave."""
        return cls(**{**stored, "spending": Spending(stored["spending"])})


def _goes_on(look: Look) -> bool:
    """Whether this look is one more, or the last one again: not one after the end."""
    return (
        not look.previous
        or look.share == look.previous[-1]
        or (look.previous[-1] < 1 and look.share > look.previous[-1])
    )


def _applied(rule: Rule, number: int, boundary: float) -> Applied | None:
    alpha = float(2 * norm.sf(boundary))
    return Applied(rule, number, boundary, alpha) if alpha > 0 else None
