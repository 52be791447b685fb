"""Sessions that have ended, lived through once more: the vector of each decision point, and whether it came true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import numpy as np
from django.db.models import F
from numpy.typing import NDArray

from purchase_intent import models
from purchase_intent.events import EventName, key_hash
from purchase_intent.features.live import read_row
from purchase_intent.features.observe import observe
from purchase_intent.features.schema import FEATURES
from purchase_intent.features.state import Past, State
from purchase_intent.features.vector import CODE
from purchase_intent.models import Session
from purchase_intent.scoring.live import hits_of
from purchase_intent.scoring.rebuild import lived, told_event
from purchase_intent.scoring.score import milliseconds

__all__ = ["MOST_SESSIONS", "Replayed", "chosen_sessions", "replayed"]

MOST_SESSIONS: Final = 2_000
"""Sessions lived through in one watch: ten seconds of one processor, and shares to two points of a hundred."""
MOST_EVENTS: Final = 500
"""Of one session: the first ones."""
AT_ONCE: Final = 100
NAMED: Final = ("device", "channel", "country", "category", "brand")
"""Columns whose numbers are hashes of texts: the texts are kept, to name a level that has moved."""


@dataclass(slots=True)
class Replayed:
    """Decision points: the distinct moments of sessions before their first purchase, in order within a session.

    `vectors` float32 [n, features], `sessions` int64 [n] (primary keys), `moments` int64 [n] in milliseconds, `labels`
    uint8 [n]: whether the session bought later. `texts` spells the levels of hashed columns.
    """

    vectors: NDArray[np.float32]
    sessions: NDArray[np.int64]
    moments: NDArray[np.int64]
    labels: NDArray[np.uint8]
    texts: dict[str, dict[int, str]] = field(default_factory=dict)
    of: str = "sessions"
    """What the rows are of, in words; for a horizon of days `sessions` holds the keys of visitors."""

    @property
    def session_count(self) -> int:
        return len(np.unique(self.sessions))


def chosen_sessions(begin: datetime, end: datetime, *, most: int = MOST_SESSIONS) -> list[int]:
    """The keys of people's closed sessions whose last event lies from `begin` to before `end`.

    Of more than `most`, about `most`, spread evenly: each so many-th by its key.
    """
    found = Session.objects.filter(last_at__gte=begin, last_at__lt=end, closed_at__isnull=False).of_people()
    step = -(-found.order_by()[: most * 1_000].count() // most)
    thinned = found.alias(rest=F("pk") % step).filter(rest=0) if step > 1 else found
    return list(thinned.order_by("pk").values_list("pk", flat=True)[: 2 * most])


def replayed(keys: Iterable[int]) -> Replayed:
    """Live through sessions by key, a hundred at a time."""
    rows: list[NDArray[np.float32]] = []
    points: list[tuple[int, int, int]] = []
    texts: dict[str, dict[int, str]] = {name: {} for name in NAMED}
    ordered = list(keys)
    for start in range(0, len(ordered), AT_ONCE):
        for session, moment, row, label in _points(ordered[start : start + AT_ONCE], texts):
            rows.append(row)
            points.append((session, moment, label))
    columns = np.array(points, np.int64).reshape(-1, 3)
    vectors = np.concatenate(rows) if rows else np.empty((0, len(FEATURES)), np.float32)
    return Replayed(vectors, columns[:, 0], columns[:, 1], columns[:, 2].astype(np.uint8), texts)


Point = tuple[int, int, NDArray[np.float32], int]


def _points(keys: list[int], texts: dict[str, dict[int, str]]) -> Iterator[Point]:
    sessions = Session.objects.in_bulk(keys)
    events = models.Event.objects.filter(session__in=keys).order_by("session_id", "occurred_at", "sequence", "pk")
    for key, group in groupby(events.iterator(chunk_size=2_000), key=lambda event: event.session_id):
        own = list(group)[:MOST_EVENTS]
        for event in own:
            for name in NAMED:
                if text := getattr(event, name):
                    texts[name].setdefault(key_hash(text) & CODE, text)
        yield from _of_session(sessions[key], own)


def _of_session(session: Session, events: list[models.Event]) -> Iterator[Point]:
    purchases = [milliseconds(event.occurred_at) for event in events if event.name == EventName.PURCHASE.value]
    first = min(purchases, default=None)
    pending: Point | None = None
    for event, state, past in _lived(session, events):
        now = milliseconds(event.occurred_at)
        if pending is not None and now > pending[1]:
            yield pending
        pending = None
        if first is not None and now >= first:
            return
        pending = (session.pk, now, read_row(state, past, now), int(first is not None))
    if pending is not None:
        yield pending


def _lived(session: Session, events: list[models.Event]) -> Iterator[tuple[models.Event, State, Past]]:
    """The session's events with its state after each; a login in mid-session needs the whole person's events."""
    senders = {event.visitor_id for event in events}
    if len(senders) > 1 or any(event.name == EventName.LOGIN.value for event in events):
        yield from lived(session)
        return
    state, past = State(), session.read_past()
    hits: list[Any] = hits_of([told_event(event) for event in events])
    for event, hit in zip(events, hits, strict=True):
        observe(state, hit)
        yield event, state, past
