"""A shop whose customers' true chances and worth are known: for judging what is learnt from its log.

Customers buy as in the BG/NBD model (Fader, Hardie and Lee 2005): at a rate of their own, and after each repeat order
they leave for good with a chance of their own. What an order brings follows the Gamma-Gamma model (Fader and Hardie
2013). Until they leave they also come to look, at a rate that has nothing to do with the other. Most arrivals only ever
look, and leave after each visit with one chance for all. So of everybody, at any moment, the true chances are formulas.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

__all__ = ["BEGIN", "ZONE", "Patrons", "Truth"]

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
ZONE = "Europe/Berlin"
DAY = 86_400_000
BUYERS = 0.3
"""The share of arrivals that buy at all."""
RATE = (0.7, 56.0)
"""Orders a day: shape, and days of scale."""
LEAVES = (0.9, 4.0)
"""The chance to leave after a repeat order: of a beta distribution."""
LOOKS = (2.0, 30.0)
"""Visits without an order a day: shape, and days of scale."""
WORTH = (5.0, 4.0, 36.0)
"""Of an order: p, q and gamma of the Gamma-Gamma model; 60 on average."""
LOOKERS_LEAVE = 0.6
COLUMNS = (
    *("event_id", "event_time", "event_type", "user_id", "user_session", "product_id", "price", "quantity"),
    *("order_id", "revenue", "page", "device", "channel"),
)
LOOKING = (("page_view", "home"), ("view", "product"), ("view", "product"))
BUYING = (
    *(("page_view", "home"), ("view", "product"), ("cart", "product")),
    *(("checkout", "address"), ("purchase", "confirmation")),
)

Numbers = NDArray[np.float64]


class Visit(NamedTuple):
    """A visit, in days since BEGIN; `revenue` of its order, 0 without one."""

    patron: int
    day: float
    revenue: float


class Truth(NamedTuple):
    """Of each patron, from a moment on: chance of an order in 7 days, of a visit in 30, expected orders and revenue."""

    week: Numbers
    returns: Numbers
    orders_28: Numbers
    orders_365: Numbers
    revenue_28: Numbers
    revenue_365: Numbers


@dataclass(frozen=True, slots=True)
class Patrons:
    """Arrivals over `days`, with what is hidden of each and every visit; columns by patron.

    `rate` and `looks` are orders and other visits a day, `leaves` the chance to leave after a repeat order, `worth`
    what an order brings on average, `left` the day of leaving, NaN for who is still there at the end.
    """

    days: int
    rate: Numbers
    looks: Numbers
    leaves: Numbers
    worth: Numbers
    left: Numbers
    visits: tuple[Visit, ...]

    @classmethod
    def arrive(cls, count: int, *, days: int, seed: int) -> Patrons:
        """So many arrivals, spread evenly over the days."""
        chance = np.random.default_rng(seed)
        buys = chance.random(count) < BUYERS
        rate = np.where(buys, chance.gamma(RATE[0], 1 / RATE[1], count), 0.0)
        looks = chance.gamma(LOOKS[0], 1 / LOOKS[1], count)
        leaves = np.where(buys, np.clip(chance.beta(*LEAVES, count), 1e-3, 1 - 1e-3), LOOKERS_LEAVE)
        heat = WORTH[2] / chance.gamma(WORTH[1], 1.0, count)
        left, visits = np.full(count, np.nan), list[Visit]()
        for patron, arrival in enumerate(chance.uniform(0, days, count).tolist()):
            life = _Life(rate[patron], looks[patron], leaves[patron], heat[patron])
            own, left[patron] = life.lived(chance, arrival, days)
            visits += [Visit(patron, day, revenue) for day, revenue in own]
        return cls(days, rate, looks, leaves, WORTH[0] * heat, left, tuple(visits))

    def truth(self, day: float) -> Truth:
        """What is true of each patron `day` days after BEGIN."""
        bought = np.zeros(len(self.rate), bool)
        bought[[visit.patron for visit in self.visits if visit.revenue > 0 and visit.day <= day]] = True
        there = np.where(self.left <= day, 0.0, 1.0)
        orders = {span: there * self._orders(bought, span) for span in (28, 365)}
        return Truth(
            week=there * -np.expm1(-7 * self.rate),
            returns=there * -np.expm1(-30 * (self.rate + self.looks)),
            orders_28=orders[28],
            orders_365=orders[365],
            revenue_28=orders[28] * self.worth,
            revenue_365=orders[365] * self.worth,
        )

    def _orders(self, bought: NDArray[np.bool_], span: int) -> Numbers:
        """Expected orders within `span` days of who is there: nobody leaves after the very first one."""
        rate, leaves = self.rate, self.leaves
        again = -np.expm1(-rate * leaves * span) / leaves
        late = (np.exp(-rate * leaves * span) - np.exp(-rate * span)) / (leaves * (1 - leaves))
        return np.where(bought, again, -np.expm1(-rate * span) * (1 + 1 / leaves) - late)

    def write(self, path: Path) -> None:
        """The log of all visits, in the generic layout; patron 7 is visitor "v7"."""
        rows = sorted((row for place, visit in enumerate(self.visits) for row in _rows(place, visit)), key=_in_time)
        columns = dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
        table = pa.table({**columns, "event_time": pa.array(columns["event_time"], pa.timestamp("ms", tz="UTC"))})
        parquet.write_table(table, path)


class _Life(NamedTuple):
    rate: float
    looks: float
    leaves: float
    heat: float

    def lived(self, chance: np.random.Generator, arrival: float, days: int) -> tuple[list[tuple[float, float]], float]:
        """Days of visits with what each brought, until leaving or the end; and the day of leaving, or NaN."""
        day, orders, visits = arrival, 0, [(arrival, 0.0)]
        if not self.rate and chance.random() < self.leaves:
            return visits, day
        while True:
            day += chance.exponential(1 / (self.rate + self.looks))
            if day >= days:
                return visits, np.nan
            buys = chance.random() < self.rate / (self.rate + self.looks)
            orders += buys
            visits.append((day, max(0.01, round(chance.gamma(WORTH[0], self.heat), 2)) if buys else 0.0))
            may_leave = orders > 1 if buys else not self.rate
            if may_leave and chance.random() < self.leaves:
                return visits, day


def _rows(place: int, visit: Visit) -> Iterator[tuple[object, ...]]:
    begin = BEGIN + timedelta(milliseconds=int(visit.day * DAY))
    for step, (name, page) in enumerate(BUYING if visit.revenue else LOOKING):
        is_product, is_order = page == "product", name == "purchase"
        yield (
            f"e{place}-{step}",
            begin + timedelta(seconds=25 * step),
            name,
            f"v{visit.patron}",
            f"s{place}",
            f"p{(visit.patron + step) % 23}" if is_product or is_order else None,
            20.0 if is_product or is_order else None,
            1 if name in ("cart", "purchase") else None,
            f"o{place}" if is_order else None,
            visit.revenue if is_order else None,
            page,
            "desktop",
            "direct",
        )


def _in_time(row: tuple[object, ...]) -> tuple[str, str]:
    return str(row[1]), str(row[0])
