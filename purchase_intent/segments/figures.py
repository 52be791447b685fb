"""What is shown of a segment, worked out from a tally: each figure with a 95% interval, and the rest beside it.

Visits of one visitor are alike, so a share of visits and a mean of orders are ratios of sums over visitors, with the
variance of a ratio (the delta method). Traits are compared by Cohen's d and h (Cohen 1988), with the large-sample
intervals of Hedges and Olkin (1985).
"""

from __future__ import annotations

from collections import Counter
from math import asin, sqrt
from typing import Any, Final

from purchase_intent.learning.intervals import wilson
from purchase_intent.segments.tally import BUYS, DAYS, MANNERS, ORDERS, REVENUE, TRAITS, VISITS, Tally

__all__ = ["MOST_TRAITS", "SMALL", "Figure", "figures"]

Figure = dict[str, float]
"""`value`, `low` and `high`, the ends of its 95% interval, and `of`, how many it was measured on."""

Z: Final = 1.959964
MOST_TRAITS: Final = 6
_ALIKE: Final = (frozenset({"score", "band"}), frozenset({"customer_score", "customer_band"}))
"""Who names one of these has named the other: a band is a range of the score."""
SMALL: Final = 0.2
"""The effect size below which a difference is not worth telling (Cohen 1988)."""


def figures(tally: Tally, place: int, *, told: frozenset[str]) -> dict[str, Any]:
    """The figures of the segment in line `place`. `told` are fields that its own conditions name: no traits."""
    everybody = len(tally.people) - 1
    told = told.union(*(alike for alike in _ALIKE if alike & told))
    people, total = tally.people[place], tally.people[everybody]
    low, high = wilson(people, total)
    rest = _Sums(
        total - people,
        tally.sums[everybody] - tally.sums[place],
        tally.products[everybody] - tally.products[place],
    )
    own = _Sums(people, tally.sums[place], tally.products[place])
    return {
        "days": DAYS,
        "share": {"value": float(people / total) if total else 0.0, "low": low, "high": high, "of": float(total)},
        "visits": float(own.sums[VISITS]),
        "orders": float(own.sums[ORDERS]),
        "conversion": own.share(BUYS, VISITS),
        "conversion_of_rest": rest.share(BUYS, VISITS),
        "order_value": own.mean(REVENUE, ORDERS),
        "order_value_of_rest": rest.mean(REVENUE, ORDERS),
        "revenue": float(own.sums[REVENUE]),
        "revenue_share": _revenue_share(own, rest),
        "revenue_each": own.each(REVENUE),
        "revenue_each_of_rest": rest.each(REVENUE),
        "traits": _traits(tally, place, told) if people and people < total else [],
        "manners": _manners(tally, place, told) if people and people < total else [],
    }


class _Sums:
    """Sums over some visitors."""

    def __init__(self, people: float, sums: Any, products: Any) -> None:
        self.people, self.sums, self.products = float(people), sums, products

    def ratio(self, above: int, below: int) -> tuple[float, float]:
        """A ratio of two sums, and its variance."""
        across = self.sums[below]
        value = self.sums[above] / across
        spread = (
            self.products[above, above]
            - 2 * value * self.products[above, below]
            + value**2 * self.products[below, below]
        )
        return float(value), float(max(spread, 0.0) / across**2 * self.people / max(self.people - 1, 1))

    def share(self, above: int, below: int) -> Figure | None:
        """A share: Wilson's interval at the number of independent cases that the variance amounts to."""
        if not self.sums[below]:
            return None
        value, variance = self.ratio(above, below)
        count = float(self.sums[below])
        alone = value * (1 - value) / variance if variance > 0 else self.people
        cases = min(count, alone) or count
        low, high = wilson(value * cases, cases)
        return {"value": value, "low": low, "high": high, "of": count}

    def mean(self, above: int, below: int) -> Figure | None:
        """A mean, with a normal interval; none of fewer than two."""
        if self.sums[below] < 2:
            return None
        value, variance = self.ratio(above, below)
        reach = Z * sqrt(variance)
        return {"value": value, "low": max(0.0, value - reach), "high": value + reach, "of": float(self.sums[below])}

    def each(self, what: int) -> Figure | None:
        """A mean over visitors, those who brought nothing counted, with a normal interval; none of fewer than two."""
        if self.people < 2:
            return None
        value = float(self.sums[what]) / self.people
        spread = max(float(self.products[what, what]) - self.people * value**2, 0.0) / (self.people - 1)
        reach = Z * sqrt(spread / self.people)
        return {"value": value, "low": max(0.0, value - reach), "high": value + reach, "of": self.people}


def _revenue_share(own: _Sums, rest: _Sums) -> Figure | None:
    total = own.sums[REVENUE] + rest.sums[REVENUE]
    if not total:
        return None
    value = float(own.sums[REVENUE] / total)
    spread = (1 - value) ** 2 * own.products[REVENUE, REVENUE] + value**2 * rest.products[REVENUE, REVENUE]
    reach = Z * sqrt(float(spread)) / float(total)
    return {
        "value": value,
        "low": max(0.0, value - reach),
        "high": min(1.0, value + reach),
        "of": float(own.sums[ORDERS] + rest.sums[ORDERS]),
    }


def _traits(tally: Tally, place: int, told: frozenset[str]) -> list[dict[str, Any]]:
    """What sets members apart, the largest effect first: mean, the rest's, and Cohen's d with its interval."""
    known = tally.known[place]
    others = tally.known[-1] - known
    found = []
    for at, field in enumerate(TRAITS):
        if field.name in told or known[at] < 2 or others[at] < 2:
            continue
        mean = tally.first[place, at] / known[at]
        rest = (tally.first[-1, at] - tally.first[place, at]) / others[at]
        within = tally.second[-1, at] - known[at] * mean**2 - others[at] * rest**2
        deviation = sqrt(max(float(within), 0.0) / (known[at] + others[at] - 2))
        if deviation <= 1e-9 * max(abs(mean), abs(rest)):
            continue
        effect = float((mean - rest) / deviation)
        error = sqrt((known[at] + others[at]) / (known[at] * others[at]) + effect**2 / (2 * (known[at] + others[at])))
        line = {"field": field.name, "mean": float(mean), "rest": float(rest)}
        found.append(line | _effect(effect, error))
    return _largest(found)


def _manners(tally: Tally, place: int, told: frozenset[str]) -> list[dict[str, Any]]:
    """How members come, where it sets them apart: a name's share, the rest's, and Cohen's h with its interval."""
    people, rest = tally.people[place], tally.people[-1] - tally.people[place]
    found = []
    for what, own, everybody in zip(MANNERS, tally.manners[place], tally.manners[-1], strict=True):
        if what in told:
            continue
        for name, count in Counter(everybody).most_common(20):
            mean, beside = own[name] / people, (count - own[name]) / rest
            effect = 2 * asin(sqrt(mean)) - 2 * asin(sqrt(beside))
            line = {"field": what, "name": name, "mean": float(mean), "rest": float(beside)}
            found.append(line | _effect(effect, sqrt(1 / people + 1 / rest)))
    return _largest(found)


def _effect(value: float, error: float) -> Figure:
    return {"effect": float(value), "low": float(value - Z * error), "high": float(value + Z * error)}


def _largest(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    worth = [each for each in found if abs(each["effect"]) >= SMALL and each["low"] * each["high"] > 0]
    return sorted(worth, key=lambda each: (-abs(each["effect"]), each["field"], each.get("name", "")))[:MOST_TRAITS]
