"""A session as the drain has left it, kept beside the stream: with what waits it is the whole, without the database.

The drain replaces a snapshot in the same step that takes the entries it holds out of the stream, so that nobody sees
an event in both, or in neither. What is written elsewhere drops it; then the database is asked.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT
from purchase_intent.models import Session
from purchase_intent.models.session import IDLE
from purchase_intent.models.statements import session_of

__all__ = ["open_sessions", "packed", "unpacked"]

_SESSION: Final = (
    "id",
    "site",
    "key",
    "version",
    "sequence",
    "has_news",
    "stage",
    "landing",
    "device",
    "channel",
    "country",
    "started_at",
    "last_at",
    "scored_at",
    "closed_at",
)
_VISITOR: Final = ("id", "site", "cookie", "known", "customer", "bot", "told_at")
_TIMES: Final = frozenset({"started_at", "last_at", "scored_at", "closed_at", "told_at"})
_PLACES: Final = [place for place, name in enumerate((*_SESSION, *_VISITOR)) if name in _TIMES]
_RECORDS: Final = STATE_LAYOUT.size + PAST_LAYOUT.size
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


def packed(session: Session) -> bytes:
    """A session with its visitor, as it is stored: a line of JSON, then the records of state and past."""
    told = [*_told(session, _SESSION), *_told(session.visitor, _VISITOR)]
    return b"%b\n%b%b" % (_encode(told).encode(), bytes(session.state), bytes(session.past))


def unpacked(data: bytes) -> Session | None:
    """The session with its visitor; None for what another release has packed. Other columns are read if asked for."""
    head, _, records = data.partition(b"\n")
    told = json.loads(head)
    if len(told) != len(_SESSION) + len(_VISITOR) or len(records) != _RECORDS:
        return None
    for place in _PLACES:
        if told[place] is not None:
            told[place] = _EPOCH + timedelta(microseconds=told[place])
    cut = len(_SESSION)
    session = dict(zip(_SESSION, told[:cut], strict=True))
    visitor = dict(zip(_VISITOR, told[cut:], strict=True))
    session["visitor_id"] = visitor["id"]
    session["state"], session["past"] = records[: STATE_LAYOUT.size], records[STATE_LAYOUT.size :]
    return session_of(session, visitor)


def open_sessions(visitors: Collection[str], *, site: str) -> list[tuple[str, str]]:
    """Site and key of the sessions of which there may be a snapshot, of visitors by their cookies' ids."""
    theirs = Session.objects.filter(
        visitor__cookie__in=visitors, visitor__site=site, last_at__gte=timezone.now() - IDLE
    )
    return [*theirs.order_by().values_list("site", "key")]


def _told(row: Any, names: tuple[str, ...]) -> Iterator[Any]:
    for name in names:
        value = getattr(row, name)
        yield (value - _EPOCH) // _MICROSECOND if name in _TIMES and value is not None else value
