"""The fold event by event: what the live path runs, and what history is compared with."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import fields
from operator import attrgetter
from struct import Struct
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from purchase_intent.features.hit import Hit
from purchase_intent.features.journey import Tables, advance
from purchase_intent.features.state import Past, State
from purchase_intent.features.vector import Vector, vector

__all__ = ["Journeys", "Roster", "read_row", "read_vector"]

K = TypeVar("K", bound=Hashable)

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


class Roster(Generic[K]):
    """The tables of the fold in memory, with visitors and sessions under keys of the caller's: slots made as they come.

    Sessions have to come in the order of their first events.
    """

    def __init__(self) -> None:
        self.tables = Tables([], [], [], [], [], [], [Past()])
        self.visitors: dict[K, int] = {}
        self.sessions: dict[K, int] = {}

    def visitor(self, key: K) -> int:
        """The slot of a visitor, a blank one for a new key."""
        slot = self.visitors.setdefault(key, len(self.visitors))
        if slot == len(self.tables.pasts):
            self.tables.pasts.append(Past())
            self.tables.head.append(0)
        return slot

    def session(self, key: K) -> int:
        """The slot of a session, a blank one for a new key."""
        slot = self.sessions.setdefault(key, len(self.sessions))
        if slot == len(self.tables.states):
            self.tables.states.append(State())
            self.tables.seen.append(Past())
            self.tables.owner.append(0)
            self.tables.link.append(0)
        return slot


class Journeys(Roster[str]):
    """Sessions and visitors in memory, named by any text: the fold as a live shop runs it.

    Events must come in the order (time, sequence) among connected visitors.
    """

    def observe(self, hit: Hit, *, visitor: str, session: str) -> None:
        """Take in one event."""
        advance(self.tables, hit, self.visitor(visitor), self.session(session))

    def row(self, session: str, now: int) -> NDArray[np.float32]:
        """The features of a session at `now`, float32 of shape (1, features); KeyError where nothing was observed."""
        slot = self.sessions[session]
        return read_row(self.tables.states[slot], self.tables.seen[slot], now)
