"""Whom to make an offer: the cut-off by a precision that is asked for, or by what the offer earns.

An offer moves the odds of buying and is paid by everybody who buys with it, also by those who would have bought
anyway. So it pays neither for who hardly ever buys nor for who is all but sure: the range between is worked out from
the calibrated probability alone. What that comes to is read off an operating curve, which is kept with the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import inf, isfinite, sqrt
from typing import Any, Final

import numpy as np
from scipy.special import expit, logit

from purchase_intent.exceptions import OfferRefused
from purchase_intent.learning.calibration import Calibration
from purchase_intent.learning.table import Column, Labels

__all__ = ["NOBODY", "SHARES", "Offer", "OperatingCurve", "Range", "Reach"]

SHARES: Final = tuple(float(share) for share in np.geomspace(0.001, 1.0, 49))
"""Shares of all cases at which an operating curve is kept: from one in a thousand to everybody, finest at the top."""
_TINY: Final = 1e-300


@dataclass(frozen=True, slots=True)
class Range:
    """Probabilities from `low` to `high`, both included; of nobody where `low` lies above `high`."""

    low: float
    high: float

    def holds(self, probability: float) -> bool:
        """Whether a probability lies within it."""
        return self.low <= probability <= self.high


NOBODY: Final = Range(inf, -inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What an offer earns, costs and does, in one currency.

    `margin`: earned by an order before the offer; `cost`: given away by an order made with it; `contact`: spent on
    showing it to one visitor, whether they buy or not; `odds_ratio`: by how much the odds of buying are assumed to
    rise, 1 for not at all. Only an experiment can tell the last; 1.2 is what a good offer does, not a given.
    Raises OfferRefused for a figure out of range.
    """

    margin: float
    cost: float
    odds_ratio: float
    contact: float = 0.0

    def __post_init__(self) -> None:
        for name, least in (("margin", 0.0), ("cost", 0.0), ("contact", 0.0), ("odds_ratio", 1.0)):
            value = getattr(self, name)
            if not (isfinite(value) and value >= least):
                raise OfferRefused(f"{name}: {value} is out of range; give a number of {least:g} or more", field=name)

    def chance_with(self, probability: Column) -> Column:
        """The probability of buying once the offer is made."""
        return self.odds_ratio * probability / (1 + (self.odds_ratio - 1) * probability)

    def worth(self, probability: Column) -> Column:
        """Expected profit of making the offer over not making it, for each probability of buying without it."""
        return self.chance_with(probability) * (self.margin - self.cost) - probability * self.margin - self.contact

    def range(self) -> tuple[float, float] | None:
        """The probabilities between which the offer earns more than it costs; None where it never does.

        `worth` times 1 + (odds_ratio - 1) p is a quadratic in p that opens downwards: it is positive between its roots.
        """
        rise = self.odds_ratio - 1
        bend = self.margin * rise
        slope = self.odds_ratio * (self.margin - self.cost) - self.margin - self.contact * rise
        under = slope * slope - 4 * bend * self.contact
        if bend <= 0 or slope <= 0 or under <= 0:
            return None
        root = sqrt(under)
        # The smaller root by the product of both: the usual formula would take two near numbers from each other.
        return 2 * self.contact / (slope + root), min(1.0, (slope + root) / (2 * bend))


@dataclass(frozen=True, slots=True)
class Reach:
    """What an offer does over the cases of a curve: `share` of them gets it, `profit` is earned by 1,000 of them."""

    low: float
    high: float
    share: float
    profit: float


@dataclass(frozen=True, slots=True)
class OperatingCurve:
    """What flagging the highest scores brings, by cut-off ascending; every list is of one length.

    At or above `thresholds[i]` lie the share `shares[i]` of all cases, of which `precision[i]` bought and
    `expected[i]` were expected to.
    """

    thresholds: tuple[float, ...]
    shares: tuple[float, ...]
    precision: tuple[float, ...]
    expected: tuple[float, ...]
    cases: int

    def __post_init__(self) -> None:
        lengths = {len(self.thresholds), len(self.shares), len(self.precision), len(self.expected)}
        if len(lengths) != 1 or not self.thresholds:
            raise OfferRefused(f"curve: its lists have {sorted(lengths)} entries; give lists of one length, 1 or more")

    @classmethod
    def of(cls, labels: Labels, probabilities: Column, weights: Column) -> OperatingCurve:
        """The curve of weighted, labelled probabilities, at most at `SHARES`; equal scores are never parted."""
        order = np.argsort(probabilities, kind="stable")[::-1]
        scores, mass = probabilities[order], weights[order]
        total, above = mass.sum(), np.cumsum(mass)
        # The last of each run of equal scores: up to there a cut-off reaches.
        ends = np.flatnonzero(np.append(scores[1:] < scores[:-1], [True]))
        found = np.searchsorted(above[ends], np.array(SHARES) * total * (1 - 1e-12))
        at = np.unique(ends[np.minimum(found, len(ends) - 1)])[::-1]
        return cls(
            tuple(scores[at].tolist()),
            tuple((above[at] / total).tolist()),
            tuple((np.cumsum(mass * labels[order])[at] / above[at]).tolist()),
            tuple((np.cumsum(mass * scores)[at] / above[at]).tolist()),
            len(labels),
        )

    def for_precision(self, wanted: float) -> int | None:
        """The place of the lowest cut-off above which at least the share `wanted` bought; None where none does.

        Raises OfferRefused unless `wanted` is above 0 and at most 1.
        """
        if not 0 < wanted <= 1:
            raise OfferRefused(
                f"precision: {wanted} is out of range; give a share above 0, at most 1", field="precision"
            )
        reached = [place for place, precision in enumerate(self.precision) if precision >= wanted]
        return reached[0] if reached else None

    def reach(self, offer: Offer) -> Reach | None:
        """What making an offer within its range comes to; None where it pays for nobody."""
        found = offer.range()
        if found is None:
            return None
        low, high = found
        mass, chance, _ = self.bins()
        inside = (chance >= low) & (chance <= high) & (mass > 0)
        profit = 1000 * float((mass * offer.worth(chance))[inside].sum())
        return Reach(low, high, float(mass[inside].sum()), profit)

    def bins(self) -> tuple[Column, Column, Column]:
        """Between each cut-off and the next: the share of all cases, the mean probability, and the share that bought.

        The last two are 0 where there are no cases.
        """
        shares = np.array(self.shares)
        mass = shares - np.append(shares[1:], 0.0)
        parts = []
        for above in (self.expected, self.precision):
            sums = shares * np.array(above)
            gap = sums - np.append(sums[1:], 0.0)
            parts.append(np.divide(gap, mass, out=np.zeros_like(mass), where=mass > 0))
        return mass, np.clip(parts[0], 0.0, 1.0), np.clip(parts[1], 0.0, 1.0)

    def corrected(self, shift: Calibration) -> OperatingCurve:
        """The curve that is to be expected where all log-odds have moved by `shift`, probabilities and outcomes alike.

        That is what a correction from recent outcomes says; shares of the cases stay. The share that bought moves by as
        much as the probabilities beside it: of a handful of cases it may be 0 or 1, which has no log-odds.
        """

        def moved(chance: Column) -> Column:
            return np.asarray(expit(shift(logit(chance))))

        mass, expected, precision = self.bins()
        later = np.where(mass > 0, moved(expected), 0.0)
        bought = np.minimum(1.0, precision * later / np.maximum(expected, _TINY))
        above = np.cumsum(mass[::-1])[::-1]
        means = [np.cumsum((mass * part)[::-1])[::-1] / above for part in (bought, later)]
        return replace(
            self,
            thresholds=tuple(moved(np.array(self.thresholds)).tolist()),
            precision=tuple(means[0].tolist()),
            expected=tuple(means[1].tolist()),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON; floats survive it exactly."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> OperatingCurve:
        """The curve that `to_json` described."""
        lists = {name: tuple(float(value) for value in values) for name, values in data.items() if name != "cases"}
        return cls(**lists, cases=int(data["cases"]))
