"""Decision points: the moments of a session before its first purchase, and whether it buys later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from purchase_intent.events import EventName

__all__ = ["Points", "decision_points"]

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Points:
    """Some events of a batch, as cases to learn from."""

    index: NDArray[np.int64]
    """Which events: the last one of each moment."""
    label: NDArray[np.uint8]
    """1 where a purchase lies strictly later in the same session."""
    ended: NDArray[np.int64]
    """When its session's last event was [ms]: no outcome is known before."""


def decision_points(
    time: NDArray[np.int64], session: NDArray[np.int64], kind: NDArray[np.int64], *, finished_by: int
) -> Points:
    """The decision points among events that are in order within each session.

    `time` [ms], `session` (dense slots from 0) and `kind` (EventName) have one entry an event. A session whose last
    event is at `finished_by` [ms] or later may still go on: it is left out, as its outcome is not known.
    """
    if not len(time):
        return Points(np.empty(0, np.int64), np.empty(0, np.uint8), np.empty(0, np.int64))
    order = np.lexsort((np.arange(len(time)), session))
    slot, moment = session[order], time[order]
    bought = kind[order] == int(EventName.PURCHASE)
    first, last = _purchase_times(slot, moment, bought)
    ended = np.zeros(len(first), np.int64)
    np.maximum.at(ended, slot, moment)
    closes = np.append((slot[1:] != slot[:-1]) | (moment[1:] != moment[:-1]), True)
    chosen = closes & (moment < first[slot]) & (ended[slot] < finished_by)
    owner = slot[chosen]
    return Points(order[chosen].astype(np.int64), (last[owner] > moment[chosen]).astype(np.uint8), ended[owner])


def _purchase_times(
    slot: NDArray[np.int64], moment: NDArray[np.int64], bought: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    sessions = int(slot.max()) + 1
    first = np.full(sessions, _NEVER, np.int64)
    last = np.full(sessions, -1, np.int64)
    np.minimum.at(first, slot[bought], moment[bought])
    np.maximum.at(last, slot[bought], moment[bought])
    return first, last
