"""The fold over rows of the database: the sessions and visitors that one event can touch, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from purchase_intent.conf import config
from purchase_intent.events import Event
from purchase_intent.features.encode import encode
from purchase_intent.features.hit import Hit
from purchase_intent.features.journey import LOGIN, NEWS, advance, enlist
from purchase_intent.features.live import Roster
from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT, Past, State
from purchase_intent.models import Session, Visitor
from purchase_intent.scoring.facts import facts

__all__ = ["Circle", "hits_of", "is_current", "moment"]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def moment(time: int) -> datetime:
    """Milliseconds since 1970 as an aware datetime."""
    return EPOCH + timedelta(milliseconds=time)


def hits_of(events: Sequence[Event]) -> list[Hit]:
    """What the fold reads of each event, with the facts that the catalogue's frozen days hold for it."""
    if not events:
        return []
    zone = config().time_zone
    return [encode(event, zone=zone, facts=known) for event, known in zip(events, facts.of(events, zone), strict=True)]


def is_current(row: Session | Visitor) -> bool:
    """Whether the packed records of a row are of the layout that this release reads."""
    if isinstance(row, Session) and len(row.state) != STATE_LAYOUT.size:
        return False
    return len(row.past) == PAST_LAYOUT.size


class Circle(Roster[int]):
    """Visitors and sessions as the tables of the fold, by primary key.

    `told` says by visitor when (milliseconds since 1970 UTC) its past was last read or changed by an event observed
    here. Sessions must join in the order of their first events.
    """

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[int, int] = {}

    @classmethod
    def of(cls, visitors: Iterable[Visitor], sessions: Iterable[Session]) -> Circle:
        """The circle as stored: `sessions` are those with news for one of `visitors`, and those that go on."""
        circle = cls()
        for visitor in visitors:
            circle.tables.pasts[circle.visitor(visitor.pk)] = visitor.read_past()
        for session in sorted(sessions, key=lambda row: (row.started_at, row.pk)):
            slot, owner = circle.session(session.pk), circle.visitor(session.visitor_id)
            circle.tables.states[slot] = session.read_state()
            circle.tables.seen[slot] = session.read_past()
            circle.tables.owner[slot] = owner + 1
            if session.has_news:
                enlist(circle.tables, owner, slot)
        return circle

    def observe(self, hit: Hit, *, visitor: int, session: int) -> None:
        """Take in one event of a session, sent by a visitor."""
        sender, slot = self.visitor(visitor), self.session(session)
        owner = self.tables.owner[slot] - 1
        if owner != sender or hit.kind == LOGIN:
            touched = {sender, owner} - {-1}
        else:
            touched = {sender} if self._overflows(sender, slot) else set()
        for key in map(self._key, touched):
            self.told[key] = max(hit.time, self.told.get(key, hit.time))
        advance(self.tables, hit, sender, slot)

    def state(self, session: int) -> State:
        """A session so far."""
        return self.tables.states[self.sessions[session]]

    def seen(self, session: int) -> Past:
        """The past as a session knows it."""
        return self.tables.seen[self.sessions[session]]

    def past(self, visitor: int) -> Past:
        """What sessions have told of a visitor."""
        return self.tables.pasts[self.visitors[visitor]]

    def session_values(self, session: int) -> dict[str, Any]:
        """What the row of a session holds of the fold."""
        slot = self.sessions[session]
        state = self.tables.states[slot]
        return {
            "visitor_id": self._key(self.tables.owner[slot] - 1),
            "state": STATE_LAYOUT.dumps(state),
            "past": PAST_LAYOUT.dumps(self.tables.seen[slot]),
            "started_at": moment(state.start),
            "last_at": moment(state.last),
            "stage": state.stage,
            "landing": state.landing,
            # It has told all it has to tell when the telling has caught up.
            "has_news": state.noted_events < state.events,
        }

    def visitor_values(self, visitor: int) -> dict[str, Any]:
        """What the row of a visitor holds of the fold."""
        past, slot = self.past(visitor), self.visitors[visitor]
        is_empty = not past.sessions and not self.tables.head[slot]
        return {"past": PAST_LAYOUT.dumps(past), "known": bool(past.known), "joined": is_empty}

    def _overflows(self, visitor: int, session: int) -> bool:
        """Whether an event makes the visitor's list of sessions with news too long, so that one tells early."""
        count, at = 0, self.tables.head[visitor] - 1
        while at >= 0:
            if at == session:
                return False
            count += 1
            at = self.tables.link[at] - 1
        return count >= NEWS

    def _key(self, slot: int) -> int:
        """The visitor in a slot."""
        return next(islice(self.visitors, slot, None))
