"""The key of an event: a UUID that sorts by time, and that a retry of the same event makes again.

The first 48 bits are the client's own milliseconds, uncorrected, because a correction may turn out otherwise at the
next attempt. The rest is a hash of who sent what: a retry collides with itself, and nobody can claim another visitor's
ids without that visitor's signed cookie. The layout is version 8 of RFC 9562, which leaves the content to us.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

__all__ = ["MOST_MILLISECONDS", "event_key", "first_key", "month_after", "month_keys", "month_of"]

MOST_MILLISECONDS: Final = 2**48 - 1
"""The latest moment a key can hold: in the year 10889."""
_VERSION: Final = 8 << 76
_VARIANT: Final = 0b10 << 62
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def event_key(*, site: str, visitor: str, event_id: str, milliseconds: int) -> UUID:
    """The key of one event.

    `visitor` is the cookie's id, `event_id` the client's own, `milliseconds` the client's uncorrected time since 1970
    UTC: any integer, since a clock may be set to anything; what a key cannot hold counts as its nearest moment.
    """
    parts = [part.encode() for part in (site, visitor, event_id)]
    # With its length before it, no part can take over the end of another.
    told = b"".join([len(part).to_bytes(8, "big") + part for part in parts])
    bits = int.from_bytes(hashlib.sha256(told).digest()[:10], "big")
    high, low = bits >> 68, bits & (2**62 - 1)
    return UUID(int=_at(milliseconds) | _VERSION | high << 64 | _VARIANT | low)


def first_key(when: datetime) -> UUID:
    """The lowest UUID of an aware moment: every key of that millisecond or a later one is greater."""
    return UUID(int=_at((when - _EPOCH) // _MILLISECOND))


def month_keys(month: date) -> tuple[UUID, UUID]:
    """The range of a month's keys, in UTC: from the first (included) to the second (left out)."""
    begin, end = month.replace(day=1), month_after(month)
    return (
        first_key(datetime(begin.year, begin.month, 1, tzinfo=UTC)),
        first_key(datetime(end.year, end.month, 1, tzinfo=UTC)),
    )


def month_of(when: datetime) -> date:
    """The first day of a moment's month, in UTC."""
    return when.astimezone(UTC).date().replace(day=1)


def month_after(month: date) -> date:
    """The first day of the month after."""
    return (month.replace(day=1) + timedelta(days=31)).replace(day=1)


def _at(milliseconds: int) -> int:
    return min(max(milliseconds, 0), MOST_MILLISECONDS) << 80
