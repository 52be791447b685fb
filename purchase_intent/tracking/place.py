"""Where a request's events belong: which session goes on, or which begins, and whose it is."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from purchase_intent.models import Session, Visitor
from purchase_intent.models.session import IDLE
from purchase_intent.models.statements import session_with_visitor

__all__ = ["LONGEST", "Place", "Sender", "find_place", "fresh_id", "has_ended", "next_key"]

LONGEST: Final = timedelta(hours=24)
"""A session ends this long after it began, however busy it is."""
MOST_STEPS: Final = 50
"""How many ended sessions are followed from the one in the cookie before a new chain is begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sends, as read off the request.

    `visitor` and `session` are the ids in the cookie, or fresh ones; `customer` is the shop's key of who is logged in,
    empty for nobody; `bot` labels what is no shopper: a kind of bot, or "staff".
    """

    visitor: str
    session: str
    site: str = ""
    customer: str = ""
    bot: str = ""
    bot_reason: str = ""


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
        if not has_ended(session, at) and not _is_of_another_kind(sender, session.visitor):
            return Place(key, session, session.visitor)
        key = next_key(key)
    else:
        key = fresh_id()
    return Place(key, None, Visitor.objects.filter(cookie=sender.visitor, site=sender.site).order_by().first())


def has_ended(session: Session, at: datetime) -> bool:
    """Whether an event of the moment `at` comes too late for a session."""
    if session.closed_at is not None and at > session.closed_at:
        return True
    return at - session.last_at > IDLE or at - session.started_at > LONGEST


def _is_of_another_kind(sender: Sender, visitor: Visitor) -> bool:
    """Whether staff would go on in a shopper's session, or a shopper in that of staff or a robot, by logging in.

    What shoppers do is learnt from, what the others do is not: no session is of both.
    """
    if not sender.customer or visitor.customer == sender.customer:
        return False
    return bool(visitor.bot) > bool(sender.bot) or (visitor.known and bool(sender.bot) > bool(visitor.bot))


def next_key(key: str) -> str:
    """The key of the session after one that has ended."""
    return hashlib.sha256(b"next" + key.encode()).hexdigest()[:32]


def fresh_id() -> str:
    """An id that nobody can guess."""
    return secrets.token_hex(16)
