"""Sums over many visitors, for every segment at once and for everybody: they add up page by page, in bounded memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from django.db.models import Count, Q, Sum
from numpy.typing import NDArray

from purchase_intent.models import Order, Session, Stage
from purchase_intent.models.bulk import listed
from purchase_intent.scoring.nights import RECENT
from purchase_intent.segments.fields import FIELDS
from purchase_intent.segments.subject import Numbers, People

__all__ = ["BUYS", "DAYS", "MANNERS", "ORDERS", "REVENUE", "TRAITS", "VISITS", "Spending", "Tally", "spending"]

DAYS: Final = RECENT.days
"""The period of all figures, in days."""
TRAITS: Final = tuple(field for field in FIELDS.values() if field.is_trait)
MANNERS: Final = ("device", "channel", "country")
VISITS, BUYS, ORDERS, REVENUE = range(4)
"""Columns of `Spending`."""
Spending = Numbers
"""What each visitor did in the period, float64 of shape (n, 4): visits, visits that bought, orders, revenue."""


@dataclass(slots=True)
class Tally:
    """Sums for each of `count` segments, a line each, and for everybody in the last line.

    `people` is how many; `sums` the sums of `Spending`, `products` those of every product of two of its columns;
    `known`, `first`, `second` how many know each trait, its sum and its sum of squares.
    """

    people: Numbers
    sums: Numbers
    products: Numbers
    known: Numbers
    first: Numbers
    second: Numbers
    manners: tuple[tuple[Counter[str], ...], ...]

    @classmethod
    def empty(cls, count: int) -> Tally:
        """Nobody counted yet."""
        lines, traits = count + 1, len(TRAITS)
        return cls(
            np.zeros(lines),
            np.zeros((lines, 4)),
            np.zeros((lines, 4, 4)),
            np.zeros((lines, traits)),
            np.zeros((lines, traits)),
            np.zeros((lines, traits)),
            tuple(tuple(Counter() for _ in MANNERS) for _ in range(lines)),
        )

    def add(self, people: People, masks: NDArray[np.bool_], spent: Spending) -> None:
        """Count a page of people; `masks` says for each segment, a line each, who is in it."""
        lines = np.vstack([masks, np.ones((1, len(people)), np.bool_)])
        weights = lines.astype(np.float64)
        self.people += weights.sum(axis=1)
        self.sums += weights @ spent
        self.products += np.einsum("ln,ni,nj->lij", weights, spent, spent)
        values = np.column_stack([field.column(people) for field in TRAITS])
        known = ~np.isnan(values)
        filled = np.where(known, values, 0.0)
        self.known += weights @ known
        self.first += weights @ filled
        self.second += weights @ filled**2
        for line, counters in zip(lines, self.manners, strict=True):
            for place in np.flatnonzero(line).tolist():
                for counter, name in zip(counters, people.manners[place], strict=True):
                    counter[name] += 1


def spending(people: People, moment: datetime) -> Spending:
    """What people did within the period before a moment: two queries."""
    since, keys = moment - RECENT, listed(people.keys.tolist())
    visits = Session.objects.filter(visitor__in=keys, last_at__gte=since, started_at__lte=moment).order_by()
    seen = visits.values("visitor").annotate(number=Count("pk"), buys=Count("pk", filter=Q(stage=Stage.BOUGHT)))
    placed = Order.objects.filter(visitor__in=keys, placed_at__gte=since, placed_at__lte=moment).order_by()
    bought = placed.values("visitor").annotate(number=Count("pk"), total=Sum("revenue"))
    lines = {key: place for place, key in enumerate(people.keys.tolist())}
    found = np.zeros((len(people), 4))
    for visit in seen:
        found[lines[visit["visitor"]], [VISITS, BUYS]] = visit["number"], visit["buys"]
    for order in bought:
        found[lines[order["visitor"]], [ORDERS, REVENUE]] = order["number"], float(order["total"])
    return found
