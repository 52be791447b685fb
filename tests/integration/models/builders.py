"""Visitors, sessions and events for tests, sound unless told otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from purchase_intent.events import EventName
from purchase_intent.models import Event, Session, Visitor
from purchase_intent.models.keys import event_key

__all__ = ["NOON", "event", "minutes", "session", "visitor"]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def minutes(count: float) -> datetime:
    """That many minutes after NOON."""
    return NOON + timedelta(minutes=count)


def visitor(cookie: str = "v1", **fields: Any) -> Visitor:
    """A visitor on record."""
    made: Visitor = Visitor.objects.create(**{"cookie": cookie, "first_seen": NOON, "last_seen": NOON} | fields)
    return made


def session(owner: Visitor, key: str = "s1", **fields: Any) -> Session:
    """A session on record."""
    sound = {"key": key, "visitor": owner, "started_at": NOON, "last_at": NOON}
    made: Session = Session.objects.create(**sound | fields)
    return made


def event(within: Session, minute: float = 0, **fields: Any) -> Event:
    """An event, not yet on record; its id is its minute."""
    when = minutes(minute)
    sound: dict[str, Any] = {
        "event_id": f"e{minute}",
        "visitor": within.visitor,
        "session": within,
        "occurred_at": when,
        "received_at": when,
        "sequence": 0,
        "name": EventName.VIEW.value,
    }
    given = sound | fields
    key = event_key(
        site="",
        visitor=given["visitor"].cookie,
        event_id=given["event_id"],
        milliseconds=int(given["occurred_at"].timestamp() * 1000),
    )
    return Event(**{"key": key} | given)
