"""Sessions and visitors folded again from the stored events: after a late event, and for a session's timeline.

The rule is that of an import: what is stored is folded in the order (time, sequence), and what differs is written. Here
it is plain Python, so that a page can do it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from django.db.models import QuerySet

from purchase_intent import models
from purchase_intent.events import Event, EventName, Page
from purchase_intent.features.observe import observe
from purchase_intent.features.state import STATE_LAYOUT, Past, State
from purchase_intent.models import Outcome, Session, Visitor
from purchase_intent.scoring.live import Circle, hits_of, moment

__all__ = ["MOST_EVENTS", "LostRace", "connected", "lived", "rebuild", "rebuild_session", "told_event"]

logger = logging.getLogger(__name__)

MOST_EVENTS: Final = 20_000
"""Events of one person that a page folds again; beyond, only the session itself is."""
AT_ONCE: Final = 1_000
"""Events whose facts are asked for together."""


class LostRace(Exception):
    """Somebody else has written what this was based on: read again, and try again."""


def told_event(row: models.Event) -> Event:
    """A stored event as the fold's encoder reads it."""
    return Event(
        event_id=row.event_id,
        name=EventName(row.name),
        occurred_at=row.occurred_at,
        visitor="-",
        page=Page(row.page),
        product=row.product or None,
        category=row.category or None,
        brand=row.brand or None,
        price=row.price,
        quantity=row.quantity,
        order=row.order or None,
        device=row.device or None,
        channel=row.channel or None,
        country=row.country or None,
    )


def connected(visitors: Iterable[int]) -> set[int]:
    """The visitors whom shared sessions connect with `visitors`, these included: one person to the fold."""
    found, new = set[int](), set(visitors)
    while new:
        found |= new
        sessions = models.Event.objects.filter(visitor__in=new).order_by().values("session")
        senders = models.Event.objects.filter(session__in=sessions).order_by().values_list("visitor_id", flat=True)
        new = set(senders.distinct()) - found
    return found


def rebuild(visitors: set[int]) -> None:
    """Fold all events of one person and write the sessions and visitors that differ.

    To be called in a transaction that has locked these visitors and all their sessions. Raises LostRace where a session
    has moved on all the same.
    """
    circle, ends = Circle(), _Ends()
    for row, hit in _encoded(models.Event.objects.filter(visitor__in=visitors)):
        ends.note(row)
        circle.observe(hit, visitor=row.visitor_id, session=row.session_id)
    for session in Session.objects.in_bulk(list(ends.sessions)).values():
        wanted = circle.session_values(session.pk) | ends.session_values(session.pk)
        _swap(session, wanted)
    for visitor in Visitor.objects.in_bulk(list(ends.visitors)).values():
        values = circle.visitor_values(visitor.pk) | ends.visitor_values(visitor.pk)
        _update(visitor, values | {"told_at": moment(circle.told[visitor.pk]) if visitor.pk in circle.told else None})


def rebuild_session(session: Session) -> None:
    """Fold one session's events alone, over the past it has copied. What it has told before stays told."""
    old, state, last = session.read_state(), State(), None
    ends = _Ends()
    for row, hit in _encoded(models.Event.objects.filter(session=session)):
        ends.note(row)
        observe(state, hit)
        last = hit
    if last is None:
        return
    for name in (item for item in State.__dataclass_fields__ if item.startswith("noted_")):
        setattr(state, name, getattr(old, name))
    values = {
        "state": STATE_LAYOUT.dumps(state),
        "started_at": moment(state.start),
        "last_at": moment(state.last),
        "stage": state.stage,
        "landing": state.landing,
        "has_news": state.noted_events < state.events,
    }
    _swap(session, values | ends.session_values(session.pk))


def lived(session: Session, *, most: int = MOST_EVENTS) -> Iterator[tuple[models.Event, State, Past]]:
    """A session's events in order, with its state and its past right after each.

    A login changes the past in mid-session, so a session with one is folded among all events of its person. Where those
    are more than `most`, it is folded alone, over the past that it has now. The records go on changing with the next
    event: copy what you keep.
    """
    events = models.Event.objects.filter(session=session).order_by()
    senders = set(events.values_list("visitor_id", flat=True).distinct())
    if len(senders) > 1 or events.filter(name=EventName.LOGIN.value).exists():
        person = models.Event.objects.filter(visitor__in=connected(senders))
        if person.order_by()[: most + 1].count() <= most:
            yield from _lived_among(person, session)
            return
    state, past = State(), session.read_past()
    for row, hit in _encoded(models.Event.objects.filter(session=session)):
        observe(state, hit)
        yield row, state, past


def _lived_among(person: QuerySet[models.Event], session: Session) -> Iterator[tuple[models.Event, State, Past]]:
    """A session's events with what the whole person had told by then: a login changes the past in mid-session."""
    circle = Circle()
    for row, hit in _encoded(person):
        circle.observe(hit, visitor=row.visitor_id, session=row.session_id)
        if row.session_id == session.pk:
            yield row, circle.state(session.pk), circle.seen(session.pk)


def _encoded(events: Any) -> Iterator[tuple[models.Event, Any]]:
    """Stored events in order with what the fold reads of each, a bounded number at a time."""
    rows = iter(events.in_order().iterator(chunk_size=AT_ONCE))
    while part := list(islice(rows, AT_ONCE)):
        yield from zip(part, hits_of([told_event(row) for row in part]), strict=True)


class _Ends:
    """The first and the last event of each session and visitor, as their rows show them."""

    def __init__(self) -> None:
        self.sessions: dict[int, tuple[models.Event, int]] = {}
        self.visitors: dict[int, list[Any]] = {}

    def note(self, row: models.Event) -> None:
        first, highest = self.sessions.get(row.session_id, (row, row.sequence))
        self.sessions[row.session_id] = first, max(highest, row.sequence)
        self.visitors.setdefault(row.visitor_id, [row.occurred_at, None])[1] = row.occurred_at

    def session_values(self, session: int) -> dict[str, Any]:
        first, highest = self.sessions[session]
        texts = {"device": first.device, "channel": first.channel, "country": first.country}
        return {"sequence": highest} | texts

    def visitor_values(self, visitor: int) -> dict[str, Any]:
        first, last = self.visitors[visitor]
        return {"first_seen": first, "last_seen": last}


def _swap(session: Session, wanted: dict[str, Any]) -> None:
    """Write what differs; a session that was closed as left and has bought after all counts as bought."""
    if session.outcome == Outcome.LEFT and STATE_LAYOUT.loads(wanted["state"]).purchases:
        wanted = wanted | {"outcome": Outcome.BOUGHT.value}
    changed = _changed(session, wanted)
    if changed and not Session.objects.swap(session, **changed):
        raise LostRace


def _update(visitor: Visitor, wanted: dict[str, Any]) -> None:
    changed = _changed(visitor, wanted)
    if changed:
        Visitor.objects.filter(pk=visitor.pk).update(**changed)


def _changed(row: Session | Visitor, wanted: dict[str, Any]) -> dict[str, Any]:
    """The columns that hold something else; PostgreSQL gives bytes as a view of them."""
    return {
        name: value
        for name, value in wanted.items()
        if (bytes(getattr(row, name)) if isinstance(value, bytes) else getattr(row, name)) != value
    }
