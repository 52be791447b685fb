"""Nights: the moments as of which visitors are scored, and the visit that is imagined then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from purchase_intent.events import Event, EventName, Page
from purchase_intent.features.encode import encode
from purchase_intent.features.hit import Hit
from purchase_intent.features.observe import observe
from purchase_intent.features.state import State

__all__ = ["NIGHT", "RECENT", "arrival", "arrival_hit", "last_night", "nights_between"]

NIGHT: Final = time(3)
"""On the shop's clock: the moment as of which a night's scores are."""
RECENT: Final = timedelta(days=90)
"""Visitors seen within this time have a score of their own."""


def last_night(now: datetime, zone: ZoneInfo) -> datetime:
    """The latest three o'clock in the morning on a clock, in UTC."""
    day = now.astimezone(zone).date()
    moments = (datetime.combine(day - timedelta(days=back), NIGHT, zone).astimezone(UTC) for back in range(3))
    return next(moment for moment in moments if moment <= now)


def nights_between(first: datetime, last: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Every night from `first` to `last`, both included, in UTC."""
    day = first.astimezone(zone).date()
    while (night := datetime.combine(day, NIGHT, zone).astimezone(UTC)) <= last:
        if night >= first:
            yield night
        day += timedelta(days=1)


def arrival_hit(
    night: datetime,
    *,
    zone: ZoneInfo,
    facts: Mapping[str, int],
    device: str = "",
    channel: str = "",
    country: str = "",
) -> Hit:
    """The first event of a visit imagined at `night`: the home page. `facts` as for `encode`."""
    event = Event(
        event_id="next",
        name=EventName.PAGE_VIEW,
        occurred_at=night,
        visitor="next",
        page=Page.HOME,
        device=device,
        channel=channel,
        country=country,
    )
    return encode(event, zone=zone, facts=facts)


def arrival(
    night: datetime,
    *,
    zone: ZoneInfo,
    facts: Mapping[str, int],
    device: str = "",
    channel: str = "",
    country: str = "",
) -> State:
    """The state of that visit after its first page."""
    state = State()
    observe(state, arrival_hit(night, zone=zone, facts=facts, device=device, channel=channel, country=country))
    return state
