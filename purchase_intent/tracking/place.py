"""Where a request's events belong: which session goes on, or which begins, and whose it is."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from purchase_intent.events import Event
from purchase_intent.models import Session, Visitor
from purchase_intent.models.session import IDLE
from purchase_intent.models.statements import session_with_visitor

__all__ = [
    "LONGEST",
    "Place",
    "Sender",
    "derived_key",
    "earlier_key",
    "find_place",
    "fresh_id",
    "has_ended",
    "is_place",
    "key_without",
    "next_key",
    "visits_of",
]

LONGEST: Final = timedelta(hours=24)
"""A session ends this long after it began, however busy it is."""
MOST_STEPS: Final = 50
"""How many ended sessions are followed from the one in the cookie before a new chain is begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sends, as read off the request.

    `visitor` and `session` are the ids in the cookie, or fresh ones; `customer` is the shop's key of who is logged in,
    empty for nobody; `bot` labels what is no shopper: a kind of bot, or "staff". `cookieless`: the ids are of the day.
    """

    visitor: str
    session: str
    site: str = ""
    customer: str = ""
    bot: str = ""
    bot_reason: str = ""
    cookieless: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """The session that goes on, with its visitor, or the key of one to begin, with the cookie's visitor if stored."""

    key: str
    session: Session | None
    visitor: Visitor | None


def find_place(sender: Sender, at: datetime) -> Place:
    """Where an event of the moment `at` belongs: one query where the session goes on.

    The key of a next session follows from the key of the one that ended, so that two tabs that come back at once share
    it.
    """
    key = sender.session
    for _ in range(MOST_STEPS):
        session = session_with_visitor(key=key, site=sender.site)
        if session is None:
            break
        if is_place(sender, session, at):
            return Place(key, session, session.visitor)
        key = next_key(key)
    else:
        key = fresh_id()
    return Place(key, None, Visitor.objects.filter(cookie=sender.visitor, site=sender.site).order_by().first())


def earlier_key(session: Session, first: datetime, last: datetime) -> str:
    """The key of the visitor's session that events of moments from `first` to `last` are of, before `session` began.

    One that went on then, or one to begin: its key follows from the session and the moment.
    """
    theirs = Session.objects.filter(visitor=session.visitor_id, site=session.site).exclude(pk=session.pk)
    found = theirs.filter(started_at__lte=last + IDLE, last_at__gte=first - IDLE).order_by("-last_at", "-pk")
    key = found.values_list("key", flat=True).first()
    return key or derived_key("earlier", f"{session.key}/{first.isoformat()}")


def key_without(visitor: Visitor | None, cookie: str, first: datetime, last: datetime) -> str:
    """The key of a visitor's session at those moments where nobody names one: it goes on, or it follows the latest."""
    if visitor is None:
        return derived_key("first", cookie)
    theirs = Session.objects.filter(visitor=visitor, site=visitor.site, last_at__lte=last + LONGEST)
    latest = theirs.order_by("-last_at", "-pk").values_list("key", "started_at", "last_at")[:MOST_STEPS]
    for key, started_at, last_at in latest:
        if started_at <= last + IDLE and last_at >= first - IDLE:
            return str(key)
        if last_at < first:
            return next_key(key)
    return derived_key("first", cookie)


def derived_key(word: str, told: str) -> str:
    """An id that follows from what is told, the same at every attempt."""
    return hashlib.sha256(f"{word}\x00{told}".encode()).hexdigest()[:32]


def has_ended(session: Session, at: datetime) -> bool:
    """Whether an event of the moment `at` comes too late for a session."""
    if session.closed_at is not None and at > session.closed_at:
        return True
    return at - session.last_at > IDLE or at - session.started_at > LONGEST


def is_place(sender: Sender, session: Session, at: datetime) -> bool:
    """Whether an event of the moment `at` goes on in a session that has its sender's key."""
    return not has_ended(session, at) and not _is_of_another_kind(sender, session.visitor)


def _is_of_another_kind(sender: Sender, visitor: Visitor) -> bool:
    """Whether staff would go on in a shopper's session, or a shopper in that of staff or a robot, by logging in.

    What shoppers do is learnt from, what the others do is not: no session is of both.
    """
    if sender.cookieless and not sender.customer and visitor.known:
        return True  # no cookie could be taken away at the logout
    if not sender.customer or visitor.customer == sender.customer:
        return False
    return bool(visitor.bot) > bool(sender.bot) or (visitor.known and bool(sender.bot) > bool(visitor.bot))


def visits_of(events: list[Event]) -> list[list[Event]]:
    """The events cut where a session ends: one that came late may be of an earlier visit than the rest."""
    visits = [[events[0]]]
    for event in events[1:]:
        if event.occurred_at - visits[-1][-1].occurred_at > IDLE:
            visits.append([])
        visits[-1].append(event)
    return visits


def next_key(key: str) -> str:
    """The key of the session after one that has ended."""
    return hashlib.sha256(b"next" + key.encode()).hexdigest()[:32]


def fresh_id() -> str:
    """An id that nobody can guess."""
    return secrets.token_hex(16)
