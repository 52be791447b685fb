"""What came out, in figures, counted while the log is written."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from demo_shop.simulator.chance import Ints
from demo_shop.simulator.rows import Table
from purchase_intent.events.names import EventName

__all__ = ["Figures"]


class _Distinct:
    """Counts different numbers over slices; keeps 8 bytes for each."""

    def __init__(self) -> None:
        self.parts: list[Ints] = []

    def add(self, numbers: Ints) -> None:
        self.parts.append(np.unique(numbers))

    def __int__(self) -> int:
        self.parts = [np.unique(np.concatenate(self.parts))] if self.parts else []
        return len(self.parts[0]) if self.parts else 0


@dataclass(slots=True)
class Figures:
    """Totals over a log. Memory grows with distinct sessions and visitors, a few bytes each."""

    events: int = 0
    orders: int = 0
    revenue_cents: int = 0
    first: int | None = None  # milliseconds since 1970 UTC
    last: int | None = None
    _sessions: _Distinct = field(default_factory=_Distinct)
    _buying: _Distinct = field(default_factory=_Distinct)
    _carting: _Distinct = field(default_factory=_Distinct)
    _visitors: _Distinct = field(default_factory=_Distinct)
    _bots: _Distinct = field(default_factory=_Distinct)

    def add(self, rows: Table) -> None:
        """Count the rows of a slice."""
        if not len(rows):
            return
        self.events += len(rows)
        self.first = int(rows["time"][0]) if self.first is None else self.first
        self.last = int(rows["time"][-1])
        self._sessions.add(rows["session"])
        self._visitors.add(rows["user"])
        self._bots.add(rows["session"][rows["bot"]])
        self._carting.add(rows["session"][rows["kind"] == EventName.CART])
        bought = rows[rows["kind"] == EventName.PURCHASE]
        self._buying.add(bought["session"])
        _, one = np.unique(bought["order"], return_index=True)
        self.orders += len(one)
        self.revenue_cents += int(np.round(bought["revenue"][one] * 100).sum())

    @property
    def sessions(self) -> int:
        """Sessions with at least one event in the log."""
        return int(self._sessions)

    @property
    def visitors(self) -> int:
        """Distinct `user_id`s: accounts and cookies."""
        return int(self._visitors)

    @property
    def buying_sessions(self) -> int:
        """Sessions with at least one order."""
        return int(self._buying)

    @property
    def carting_sessions(self) -> int:
        """Sessions that put something into the cart."""
        return int(self._carting)

    @property
    def bots(self) -> int:
        """Sessions of bots."""
        return int(self._bots)

    @property
    def conversion(self) -> float:
        """Buying sessions as a share of all; 0 where there are none."""
        return self.buying_sessions / self.sessions if self.sessions else 0.0
