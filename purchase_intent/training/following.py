"""What visitors did after a moment: orders and visits of a batch, counted over windows.

An order counts for each visitor that sent an event of its session by then: for the anonymous one that came, and for the
customer it logged in as.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from purchase_intent.sources import Batch

__all__ = ["Deeds", "Following"]

Whole = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Deeds:
    """Deeds of visitors by (visitor, time), with a sum that runs over what they brought."""

    scale: Whole
    span: int
    start: int
    sums: Numbers

    @classmethod
    def of(cls, owner: Whole, time: Whole, worth: Numbers, *, start: int, span: int) -> Deeds:
        order = np.lexsort((time, owner))
        scale = owner[order] * span + (time[order] - start)
        return cls(scale, span, start, np.concatenate([[0.0], np.cumsum(worth[order])]))

    def count(self, owner: Whole, moment: Whole, length: int | None) -> Numbers:
        """How many deeds lie after each moment and at most `length` ms later; None: at or before the moment."""
        low, high = self._between(owner, moment, length)
        return (high - low).astype(np.float64)

    def total(self, owner: Whole, moment: Whole, length: int | None) -> Numbers:
        """What those deeds brought together."""
        low, high = self._between(owner, moment, length)
        # To the cent: what a running sum leaves over is no revenue.
        return np.round(self.sums[high] - self.sums[low], 4)

    def _between(self, owner: Whole, moment: Whole, length: int | None) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        at = np.searchsorted(self.scale, self._on_scale(owner, moment), side="right")
        if length is None:
            return np.searchsorted(self.scale, owner * self.span, side="left"), at
        return at, np.searchsorted(self.scale, self._on_scale(owner, moment + length), side="right")

    def _on_scale(self, owner: Whole, moment: Whole) -> Whole:
        return owner * self.span + np.clip(moment - self.start, -1, self.span - 1)


@dataclass(frozen=True, slots=True)
class Following:
    """By visitor slot: the first and last event (ms, and the first one's place and row), the orders, the visits."""

    first: Whole
    last: Whole
    at: Whole
    row: Whole
    orders: Deeds
    visits: Deeds

    @classmethod
    def of(cls, batch: Batch, order_rows: Whole, revenue: Numbers) -> Following:
        """Of a batch; `order_rows` are the rows of the orders' first lines, ascending, each with its revenue."""
        time = batch.hits["time"]
        visitors = int(batch.visitor.max()) + 1
        first = np.full(visitors, np.iinfo(np.int64).max)
        last = np.full(visitors, np.iinfo(np.int64).min)
        np.minimum.at(first, batch.visitor, time)
        np.maximum.at(last, batch.visitor, time)
        _, at = np.unique(batch.visitor, return_index=True)
        start, span = int(time.min()) - 1, int(time.max() - time.min()) + 3
        owner, session, place = _shared(batch)
        visits = Deeds.of(owner, time[place], np.zeros(len(owner)), start=start, span=span)
        ordered = np.flatnonzero(np.isin(batch.row, order_rows))
        pairs, orders = _credited(session, place, batch.session[ordered], ordered)
        worth = revenue[np.searchsorted(order_rows, batch.row[ordered])]
        return cls(
            first,
            last,
            at.astype(np.int64),
            batch.row[at],
            Deeds.of(owner[pairs], time[ordered][orders], worth[orders], start=start, span=span),
            visits,
        )


def _shared(batch: Batch) -> tuple[Whole, Whole, Whole]:
    """Each visitor of each session, and the place of its first event there; by session."""
    visitors = int(batch.visitor.max()) + 1
    pair, place = np.unique(batch.session * visitors + batch.visitor, return_index=True)
    return pair % visitors, pair // visitors, place.astype(np.int64)


def _credited(session: Whole, place: Whole, of_order: Whole, order_place: Whole) -> tuple[Whole, Whole]:
    """Which pairs of `_shared` each order counts for, as two index arrays."""
    low = np.searchsorted(session, of_order, side="left")
    count = np.searchsorted(session, of_order, side="right") - low
    orders = np.repeat(np.arange(len(of_order)), count)
    pairs = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(low, count)
    in_time = place[pairs] <= order_place[orders]
    return pairs[in_time].astype(np.int64), orders[in_time].astype(np.int64)
