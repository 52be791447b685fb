"""The fold event by event: what the live path runs, and what history is compared with."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from struct import Struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from purchase_intent.features.hit import Hit
from purchase_intent.features.journey import Tables, advance
from purchase_intent.features.state import Past, State
from purchase_intent.features.vector import Vector, vector

__all__ = ["Journeys", "read_row", "read_vector"]

_NAMES: Final = tuple(item.name for item in fields(Vector))
_values = attrgetter(*_NAMES)
_ROW: Final = Struct(f"<{len(_NAMES)}f")


def read_vector(state: State, past: Past, now: int) -> Vector:
    """The features of a session at `now` (milliseconds since 1970 UTC), in 64 bits."""
    out = Vector()
    vector(state, past, now, out)
    return out


def read_row(state: State, past: Past, now: int) -> NDArray[np.float32]:
    """The features of a session at `now` as the model sees them: float32 of shape (1, features)."""
    row = _ROW.pack(*_values(read_vector(state, past, now)))
    return np.frombuffer(row, np.float32).reshape(1, -1)


class Journeys:
    """Sessions and visitors in memory, named by any text: the fold as a live shop runs it.

    Events must come in the order (time, sequence) among connected visitors.
    """

    def __init__(self) -> None:
        self.tables = Tables([], [], [], [], [], [], [Past()])
        self._visitors: dict[str, int] = {}
        self._sessions: dict[str, int] = {}

    def observe(self, hit: Hit, *, visitor: str, session: str) -> None:
        """Take in one event."""
        advance(self.tables, hit, self._visitor(visitor), self._session(session))

    def row(self, session: str, now: int) -> NDArray[np.float32]:
        """The features of a session at `now`, float32 of shape (1, features); KeyError where nothing was observed."""
        slot = self._sessions[session]
        return read_row(self.tables.states[slot], self.tables.seen[slot], now)

    def _visitor(self, name: str) -> int:
        slot = self._visitors.setdefault(name, len(self._visitors))
        if slot == len(self.tables.pasts):
            self.tables.pasts.append(Past())
            self.tables.head.append(0)
        return slot

    def _session(self, name: str) -> int:
        slot = self._sessions.setdefault(name, len(self._sessions))
        if slot == len(self.tables.states):
            self.tables.states.append(State())
            self.tables.seen.append(Past())
            self.tables.owner.append(0)
            self.tables.link.append(0)
        return slot
