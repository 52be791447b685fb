"""What folding the stored events gives, and which of the live answers it can be compared with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from purchase_intent.events import EventName
from purchase_intent.features.history import replay
from purchase_intent.models import Event
from purchase_intent.sources.orm import StoredLog
from tests.integration.live_history.ledger import Heard

__all__ = ["Folded", "Place", "comparable", "folded"]

Place = tuple[int, int]
"""An event: the keys of its session, and its sequence there."""
Moment = tuple[datetime, int]
"""The one order of events: time, then sequence."""


@dataclass(frozen=True, slots=True)
class Folded:
    """Vectors right after each event, and each session's last event."""

    rows: NDArray[np.float32]
    places: dict[Place, int]
    lasts: dict[int, int]
    facts: int
    """How many events carry a fact of their product."""


def folded(stored: StoredLog) -> Folded:
    """Fold every stored event."""
    keys = stored.log.connection.execute(
        """SELECT session_pk, sequence FROM (SELECT row, rowid AS place FROM sorted) AS s
        JOIN read_parquet(?, file_row_number = true) AS events ON events.file_row_number = s.row ORDER BY place""",
        [str(stored.path)],
    ).fetchall()
    (batch,) = stored.log.batches(10_000_000)
    places = {(int(session), int(sequence)): row for row, (session, sequence) in enumerate(keys)}
    assert len(places) == len(keys) == len(batch.hits)
    lasts = {session: row for (session, _), row in sorted(places.items(), key=lambda item: item[1])}
    rows = replay(batch.hits, batch.visitor, batch.session)
    return Folded(rows, places, lasts, int((batch.hits["product_views"] > 0).sum()))


def comparable(heard: Sequence[Heard]) -> dict[int, Place]:
    """By the place of a live answer among `heard`: the event it was given after.

    Left out are those before which, in the order of history, something has come in later: to their own session, or to
    another one of the same person before theirs last read the past. They were right then, and history tells otherwise
    today.
    """
    own, logins = _events()
    persons = _persons()
    arrived: dict[int, list[tuple[int, Moment]]] = defaultdict(list)
    for place, each in enumerate(heard):
        for sequence in range(each.sequence - each.added + 1, each.sequence + 1):
            arrived[persons[each.session]].append((place, (own[each.session][sequence], sequence)))
    kept = {}
    for place, each in enumerate(heard):
        moments = [(time, number) for number, time in own[each.session].items()]
        last = max(when for when in moments if when[1] <= each.sequence)
        read = max([min(moments)[0], *(time for time in logins[each.session] if time <= last[0])])
        late = any(when < last for when in moments if when[1] > each.sequence)
        late |= any(when[0] <= read for at, when in arrived[persons[each.session]] if at > place)
        if not late:
            kept[place] = (each.session, last[1])
    return kept


def _events() -> tuple[dict[int, dict[int, datetime]], dict[int, list[datetime]]]:
    """By session: the time of each event by its sequence, and the times of logins."""
    own: dict[int, dict[int, datetime]] = defaultdict(dict)
    logins: dict[int, list[datetime]] = defaultdict(list)
    for session, sequence, time, name in Event.objects.values_list("session_id", "sequence", "occurred_at", "name"):
        own[session][sequence] = time
        if name == EventName.LOGIN:
            logins[session].append(time)
    return own, logins


def _persons() -> dict[int, int]:
    """By session: a number that the sessions of connected visitors share."""
    links = set(Event.objects.order_by().values_list("session_id", "visitor_id").distinct())
    number = {session: session for session, _ in links}
    changed = True
    while changed:
        lowest: dict[int, int] = {}
        for session, visitor in links:
            lowest[visitor] = min(lowest.get(visitor, number[session]), number[session])
        changed = False
        for session, visitor in links:
            if lowest[visitor] < number[session]:
                number[session], changed = lowest[visitor], True
    return number
