"""Snapshots: visitors as they stood at a night of the past, and what each did then.

A visitor is asked about at a night where it came within the 90 days before. Its vector is what the nightly task would
have read then: the past, and a visit imagined at that moment. Nothing of a later moment enters it, except into the
outcomes.

**Which ones.** Outcomes of seven days overlap from night to night, and one order would count seven times. So a visitor
is asked about on one night in seven, its own (chosen by a hash of the moment it first came), and each order falls into
one outcome. Of a log with more snapshots than can be learnt from, visitors who bought in no such week are drawn by
chance, whole, and each that stays stands for as many as were left out; buyers all stay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.features.history import ASKED, look
from purchase_intent.features.hit import HIT
from purchase_intent.models.catalogue_day import WINDOW_DAYS
from purchase_intent.scoring.nights import RECENT, arrival_hit, nights_between
from purchase_intent.sources import Batch, EventLog
from purchase_intent.training.following import Following

__all__ = ["DAY_MS", "EVERY", "MOST_SNAPSHOTS", "WEEK_DAYS", "Snapshots", "nights_of", "take_snapshots"]

DAY_MS: Final = 86_400_000
EVERY: Final = 7
"""A visitor is asked about on one night in so many."""
WEEK_DAYS: Final = 7
MOST_SNAPSHOTS: Final = 400_000
"""About as many are kept at most. Training takes about 3.5 KB of memory a snapshot."""
_EPOCH_DAY: Final = datetime(1970, 1, 1).toordinal()  # noqa: DTZ001 (a day, not a moment)

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Snapshots:
    """One entry of each column for a visitor at a night, in order of the nights.

    Times are milliseconds since 1970 UTC. Outcomes reach from the night on: `bought` within 7 days (0 or 1), `returned`
    within 30; orders and revenue (the shop's currency) within 28 and 365. NaN where the log ends before that.
    """

    values: NDArray[np.float32]
    night: NDArray[np.int64]
    visitor: NDArray[np.int64]
    """A number of the visitor's own, the same however the log is cut."""
    row: NDArray[np.int64]
    """The row of the log with the visitor's first event, which leads back to its name."""
    stands_for: NDArray[np.float64]
    orders: NDArray[np.float64]
    """Until the night."""
    revenue: NDArray[np.float64]
    bought: NDArray[np.float64]
    returned: NDArray[np.float64]
    orders_28: NDArray[np.float64]
    revenue_28: NDArray[np.float64]
    orders_365: NDArray[np.float64]
    revenue_365: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.night)

    def take(self, chosen: NDArray[Any]) -> Snapshots:
        """Those picked by an index array or a mask."""
        return Snapshots(*(getattr(self, item.name)[chosen] for item in fields(self)))


def nights_of(log: EventLog) -> list[datetime]:
    """The shop's nights within the log."""
    return list(nights_between(log.first, log.last, ZoneInfo(log.zone)))


def take_snapshots(
    log: EventLog,
    *,
    nights: Sequence[datetime] | None = None,
    every: int = EVERY,
    most: int = MOST_SNAPSHOTS,
    progress: Progress,
) -> Snapshots:
    """Every snapshot of a log that is asked for, by default at all its nights; at most about `most` of them.

    `every` 1 asks about each visitor on each night. Deterministic, and whatever is added to the log later changes no
    vector. Raises TrainingRefused where no night is left.
    """
    nights = nights_of(log) if nights is None else list(nights)
    if not nights:
        raise TrainingRefused("events: no night lies within the log; give one of several weeks", field="events")
    taker = _Taker(log, nights, every, _share(log, every, most))
    done, parts = 0, []
    for batch in log.batches():
        parts.append(taker.taken(batch))
        done += len(batch.hits)
        progress(f"looking at visitors by night: {done:,} of {log.accepted:,} events")
    found = Snapshots(*(np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(Snapshots)))
    return found.take(np.lexsort((found.row, found.night)))


def _share(log: EventLog, every: int, most: int) -> float:
    """The share of the visitors without an order that may stay, from a bound on how many snapshots there are."""
    (days,) = log.connection.execute(
        f"""SELECT coalesce(sum(least(last + {RECENT // timedelta(milliseconds=1)}, top) - first), 0) / {DAY_MS}
        FROM (SELECT min(time) AS first, max(time) AS last, max(max(time)) OVER () AS top
              FROM staged WHERE reason IS NULL GROUP BY visitor)"""
    ).fetchall()[0]
    return min(1.0, most * every / max(float(days), 1.0))


def _shop_facts(log: EventLog, days: Sequence[int]) -> list[dict[str, int]]:
    """Of the shop on each local day (days since 1970): sessions begun and sessions that first bought in the window."""
    counts = {}
    for name, column in (("shop_sessions", "began"), ("shop_buyers", "bought")):
        query = f"SELECT {column}, count(*) FROM session_days WHERE {column} IS NOT NULL GROUP BY {column}"
        counts[name] = dict(log.connection.execute(query).fetchall())
    return [
        {name: sum(found.get(day - back, 0) for back in range(1, WINDOW_DAYS + 1)) for name, found in counts.items()}
        for day in days
    ]


def _arrivals(log: EventLog, nights: Sequence[datetime]) -> NDArray[np.void]:
    zone = ZoneInfo(log.zone)
    days = [night.astimezone(zone).toordinal() - _EPOCH_DAY for night in nights]
    hits = [
        arrival_hit(night, zone=zone, facts=facts) for night, facts in zip(nights, _shop_facts(log, days), strict=True)
    ]
    return np.array([astuple(hit) for hit in hits], HIT)


class _Taker:
    """Takes the snapshots of one batch after another."""

    def __init__(self, log: EventLog, nights: Sequence[datetime], every: int, share: float) -> None:
        self._arrivals = _arrivals(log, nights)
        self._nights = np.ascontiguousarray(self._arrivals["time"])
        self._last = int(log.last.timestamp() * 1000)
        self._every = every
        self._share = share
        found = log.connection.execute("SELECT row, revenue FROM orders ORDER BY row").fetchnumpy()
        self._orders = np.asarray(found["row"], np.int64), np.asarray(found["revenue"], np.float64)

    def taken(self, batch: Batch) -> Snapshots:
        following = Following.of(batch, *self._orders)
        owner, night, number = self._asked(batch, following)
        moment = self._nights[night]
        bought = following.orders.count(owner, moment, WEEK_DAYS * DAY_MS) > 0
        stands_for = self._drawn(owner, number, bought)
        kept = stands_for > 0
        owner, night, number, stands_for = owner[kept], night[kept], number[kept], stands_for[kept]
        values, pasts = self._looked(batch, owner, night)
        # Who was joined to another visitor is no more; who came last before that is not asked about.
        there = (pasts["sessions"] > 0) & (
            pasts["last_seen"] >= self._nights[night] - RECENT // timedelta(milliseconds=1)
        )
        return self._finished(following, values[there], owner[there], night[there], number[there], stands_for[there])

    def _asked(
        self, batch: Batch, following: Following
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Visitor, night and the visitor's number of every question that may be asked."""
        first, last = following.first, following.last
        number = _mixed(first * 4096 + batch.row[following.at] % 4096)
        begin = np.searchsorted(self._nights, first, side="left")
        end = np.searchsorted(self._nights, last + RECENT // timedelta(milliseconds=1), side="right")
        count = np.maximum(end - begin, 0)
        owner = np.repeat(np.arange(len(first)), count)
        night = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(begin, count)
        # By the calendar, not by the place in this log: a log that begins later asks on the same nights.
        own = (self._nights[night] // DAY_MS + number[owner] % self._every) % self._every == 0
        return owner[own], night[own], number[owner[own]]

    def _drawn(
        self, owner: NDArray[np.int64], number: NDArray[np.int64], bought: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """How many each stands for; 0 for those left out."""
        if self._share >= 1 or not len(owner):
            return np.ones(len(owner))
        buyer = np.zeros(int(owner.max()) + 1, bool)
        buyer[owner[bought]] = True
        stays = (number >> 12) % 1_000_003 < self._share * 1_000_003
        return np.where(buyer[owner], 1.0, np.where(stays, 1 / self._share, 0.0))

    def _looked(
        self, batch: Batch, owner: NDArray[np.int64], night: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.void]]:
        """The vectors, and the pasts, in the order of the questions."""
        # One scale on which the events of a batch never go back: persons one after another, each through time.
        start = min(int(batch.hits["time"].min()), int(self._nights[0]))
        span = max(int(batch.hits["time"].max()), int(self._nights[-1])) - start + 1
        scale = batch.person * span + (batch.hits["time"] - start)
        person = np.zeros(int(batch.visitor.max()) + 1, np.int64)
        person[batch.visitor] = batch.person
        asked = np.zeros(len(owner), ASKED)
        wanted = person[owner] * span + (self._nights[night] - start)
        asked["position"] = np.searchsorted(scale, wanted, side="right")
        asked["visitor"], asked["night"] = owner, night
        order = np.argsort(asked["position"], kind="stable")
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        values, pasts = look(batch.hits, batch.visitor, batch.session, asked[order], self._arrivals)
        return values[back], pasts[back]

    def _finished(
        self,
        following: Following,
        values: NDArray[np.float32],
        owner: NDArray[np.int64],
        night: NDArray[np.int64],
        number: NDArray[np.int64],
        stands_for: NDArray[np.float64],
    ) -> Snapshots:
        moment = self._nights[night]
        before = following.orders.count(owner, moment, None), following.orders.total(owner, moment, None)

        def known(days: int, outcome: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.where(moment + days * DAY_MS <= self._last, outcome, np.nan)

        counts = {days: following.orders.count(owner, moment, days * DAY_MS) for days in (WEEK_DAYS, 28, 365)}
        totals = {days: following.orders.total(owner, moment, days * DAY_MS) for days in (28, 365)}
        returns = following.visits.count(owner, moment, 30 * DAY_MS)
        return Snapshots(
            values,
            moment,
            number,
            following.row[owner],
            stands_for,
            *before,
            known(WEEK_DAYS, (counts[WEEK_DAYS] > 0).astype(np.float64)),
            known(30, (returns > 0).astype(np.float64)),
            known(28, counts[28]),
            known(28, totals[28]),
            known(365, counts[365]),
            known(365, totals[365]),
        )


def _mixed(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers without pattern, 0 to 2^62, from numbers (the finaliser of SplitMix64, Steele and others 2014)."""
    mixed = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(2)).astype(np.int64)
