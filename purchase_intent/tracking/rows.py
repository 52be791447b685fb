"""Events and orders as rows to insert."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from purchase_intent import models
from purchase_intent.adapters import current_shop
from purchase_intent.events import ClientEvent, Event, EventName
from purchase_intent.features.encode import milliseconds
from purchase_intent.models import Order, Session
from purchase_intent.models.event import EventRow
from purchase_intent.models.keys import event_key
from purchase_intent.tracking.place import Sender

__all__ = ["event_row", "in_order", "key_of", "login_event", "new_events", "order_rows", "texts_of", "told_by"]


def in_order(events: Iterable[Event]) -> list[Event]:
    """The events by time, in whole milliseconds; those of one moment stay in the order given."""
    whole = [
        replace(event, occurred_at=event.occurred_at - timedelta(microseconds=event.occurred_at.microsecond % 1000))
        if event.occurred_at.microsecond % 1000
        else event
        for event in events
    ]
    return sorted(whole, key=lambda event: event.occurred_at)


def event_row(
    event: Event,
    *,
    sender: Sender,
    visitor: int,
    session: int,
    sequence: int,
    now: datetime,
    key: UUID | None = None,
) -> EventRow:
    """One event as it is stored. Its `key` is of the cookie that sent it, whoever its visitor has become since."""
    return EventRow(
        key=key or key_of(sender, event),
        event_id=event.event_id,
        visitor_id=visitor,
        session_id=session,
        occurred_at=event.occurred_at,
        received_at=now,
        sequence=sequence,
        name=event.name.value,
        page=event.shown_page.value,
        product=event.product or "",
        category=event.category or "",
        brand=event.brand or "",
        price=event.price,
        quantity=event.quantity,
        order=event.order or "",
        revenue=event.revenue,
        search=event.search or "",
        device=event.device or "",
        channel=event.channel or "",
        country=event.country or "",
    )


def key_of(sender: Sender, event: Event) -> UUID:
    """The key of an event."""
    site, visitor, event_id, stamp = told_by(sender, event)
    return event_key(site=site, visitor=visitor, event_id=event_id, milliseconds=stamp)


def told_by(sender: Sender, event: Event) -> tuple[str, str, str, int]:
    """What the key is made of: who sent what, by the sender's own clock, which says the same at every attempt."""
    stamp = event.stamp if isinstance(event, ClientEvent) else milliseconds(event)
    return sender.site, sender.visitor, event.event_id, stamp


def new_events(sender: Sender, events: Sequence[Event]) -> list[Event]:
    """The events that are not stored yet, each once; lines of an order that is stored are none: it is told once."""
    keyed = {key_of(sender, event): event for event in reversed(events)}
    there = set(models.Event.objects.filter(pk__in=list(keyed)).order_by().values_list("pk", flat=True))
    numbers = {event.order for event in events if event.name is EventName.PURCHASE}
    told = (
        set(Order.objects.filter(site=sender.site, number__in=numbers).order_by().values_list("number", flat=True))
        if numbers
        else set()
    )
    new = [event for key, event in keyed.items() if key not in there]
    return [event for event in reversed(new) if event.name is not EventName.PURCHASE or event.order not in told]


def login_event(event: Event) -> Event:
    """The login that a call implies; made again for the same call, it has the same id."""
    digest = hashlib.sha256(event.event_id.encode()).hexdigest()[:32]
    return Event(
        event_id=f"login-{digest}",
        name=EventName.LOGIN,
        occurred_at=event.occurred_at,
        visitor=event.visitor,
        page=event.page,
        device=event.device,
        channel=event.channel,
        country=event.country,
    )


def texts_of(event: Event) -> dict[str, str]:
    """What a session takes over from its first event."""
    return {"device": event.device or "", "channel": event.channel or "", "country": event.country or ""}


def order_rows(sender: Sender, rows: Iterable[EventRow], session: Session) -> list[Order]:
    """The orders that purchase lines tell of: the total they name, or else what the lines add up to."""
    orders: dict[str, list[EventRow]] = {}
    for row in rows:
        if row.name == EventName.PURCHASE.value:
            orders.setdefault(row.order, []).append(row)
    return [
        Order(
            site=sender.site,
            number=number,
            visitor_id=lines[0].visitor_id,
            session=session,
            revenue=Decimal(str(round(_total(lines), 4))),
            currency=current_shop().currency,
            placed_at=lines[0].occurred_at,
        )
        for number, lines in orders.items()
    ]


def _total(lines: list[EventRow]) -> float:
    named = [line.revenue for line in lines if line.revenue is not None]
    return max(named) if named else sum((line.price or 0.0) * (line.quantity or 1) for line in lines)
