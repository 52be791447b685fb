"""From the event as the shop means it to the numbers the fold reads: hashed, in local time, with its facts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from purchase_intent.events import Event, key_hash
from purchase_intent.features.hit import Hit

__all__ = ["encode", "milliseconds"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def milliseconds(event: Event) -> int:
    """The event's time in whole milliseconds since 1970 UTC, rounded down."""
    return (event.occurred_at - _EPOCH) // _MILLISECOND


def encode(event: Event, *, zone: ZoneInfo, facts: Mapping[str, int]) -> Hit:
    """The numbers of one event; `facts` holds what the catalogue knew before its local day (names of FACTS)."""
    local = event.occurred_at.astimezone(zone)
    return Hit(
        time=milliseconds(event),
        kind=int(event.name),
        page=int(event.shown_page),
        product=key_hash(event.product),
        category=key_hash(event.category),
        brand=key_hash(event.brand),
        device=key_hash(event.device),
        channel=key_hash(event.channel),
        country=key_hash(event.country),
        price=float(event.price or 0.0),
        quantity=event.quantity or 0,
        hour=local.hour,
        weekday=local.weekday(),
        **facts,
    )
