"""One event as the shop means it, checked on creation, and read from the payloads of other systems."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from purchase_intent.events.names import PAGE_OF_EVENT, EventName, Page, event_name
from purchase_intent.events.reasons import EARLIEST, HIGHEST_MONEY, LATEST, LONGEST_TEXT, MOST_UNITS, Reason
from purchase_intent.exceptions import EventRefused

__all__ = ["Event", "parse_event"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a visitor did at one moment.

    `occurred_at` is aware; `price` is of one unit and, like `revenue` (the order's total), in the shop's currency.
    EventRefused names the first field that is not fit.
    """

    event_id: str
    name: EventName
    occurred_at: datetime
    visitor: str
    session: str | None = None
    page: Page | None = None
    product: str | None = None
    category: str | None = None
    brand: str | None = None
    price: float | None = None
    quantity: int | None = None
    order: str | None = None
    revenue: float | None = None
    search: str | None = None
    device: str | None = None
    channel: str | None = None
    country: str | None = None

    def __post_init__(self) -> None:
        _check_text("event_id", self.event_id, missing=Reason.MISSING_EVENT_ID)
        _check_text("visitor", self.visitor, missing=Reason.MISSING_VISITOR)
        _check_time(self.occurred_at)
        for field in ("session", "product", "category", "brand", "order", "search", "device", "channel", "country"):
            _check_text(field, getattr(self, field))
        _check_price(self.price)
        _check_quantity(self.quantity)
        if self.name is EventName.PURCHASE and not self.order:
            raise EventRefused(
                field="order",
                reason=Reason.MISSING_ORDER_ID,
                remedy="a purchase needs the shop's order id, or all such orders would be one",
            )
        if self.revenue is not None and not (_is_number(self.revenue) and 0 <= self.revenue <= HIGHEST_MONEY):
            raise EventRefused(
                field="revenue", reason=Reason.BAD_REVENUE, remedy=f"give a number from 0 to {HIGHEST_MONEY:.0f}"
            )

    @property
    def shown_page(self) -> Page:
        """The page named by the sender, or else the one the event implies."""
        return self.page if self.page is not None else PAGE_OF_EVENT.get(self.name, Page.OTHER)


def _check_text(field: str, value: object, missing: Reason | None = None) -> None:
    if value is None or value == "":
        if missing is not None:
            raise EventRefused(field=field, reason=missing, remedy="give a text that is not empty")
        return
    if not isinstance(value, str):
        raise EventRefused(field=field, reason=Reason.BAD_TEXT, remedy=f"give a text, not {type(value).__name__}")
    if len(value) > LONGEST_TEXT:
        raise EventRefused(field=field, reason=Reason.BAD_TEXT, remedy=f"give at most {LONGEST_TEXT} characters")
    if "\x00" in value or not value.isprintable():
        raise EventRefused(field=field, reason=Reason.BAD_TEXT, remedy="leave out control characters")


def _check_time(value: object) -> None:
    if not isinstance(value, datetime):
        raise EventRefused(field="occurred_at", reason=Reason.BAD_TIME, remedy="give a date and time")
    if value.utcoffset() is None:
        raise EventRefused(
            field="occurred_at",
            reason=Reason.TIME_WITHOUT_ZONE,
            remedy="give the time with its zone, such as 2026-03-01T12:00:00Z",
        )
    if not EARLIEST <= value.timestamp() * 1000 < LATEST:
        raise EventRefused(
            field="occurred_at", reason=Reason.TIME_OUT_OF_RANGE, remedy="give a time between the years 1995 and 2099"
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check_price(value: float | None) -> None:
    if value is None:
        return
    if not _is_number(value):
        raise EventRefused(field="price", reason=Reason.BAD_PRICE, remedy="give a finite number")
    if value < 0:
        raise EventRefused(field="price", reason=Reason.NEGATIVE_PRICE, remedy="give 0 or more; a refund is no event")
    if value > HIGHEST_MONEY:
        raise EventRefused(field="price", reason=Reason.ABSURD_PRICE, remedy=f"give at most {HIGHEST_MONEY:.0f}")


def _check_quantity(value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise EventRefused(field="quantity", reason=Reason.BAD_QUANTITY, remedy="give a whole number")
    if value < 0:
        raise EventRefused(
            field="quantity", reason=Reason.NEGATIVE_QUANTITY, remedy="give 0 or more; taking out is remove_from_cart"
        )
    if value > MOST_UNITS:
        raise EventRefused(field="quantity", reason=Reason.ABSURD_QUANTITY, remedy=f"give at most {MOST_UNITS}")


_FIELDS: Final = {
    "event_id": "event_id",
    "messageId": "event_id",
    "event_type": "name",
    "event": "name",
    "event_name": "name",
    "event_time": "occurred_at",
    "timestamp": "occurred_at",
    "user_id": "visitor",
    "userId": "visitor",
    "anonymousId": "visitor",
    "client_id": "visitor",
    "user_session": "session",
    "session_id": "session",
    "product_id": "product",
    "item_id": "product",
    "category_code": "category",
    "item_category": "category",
    "item_brand": "brand",
    "order_id": "order",
    "transaction_id": "order",
    "value": "revenue",
    "search_term": "search",
    "query": "search",
}
"""Field names of GA4, Segment and REES46, and ours."""

_REQUIRED: Final = {
    "event_id": Reason.MISSING_EVENT_ID,
    "name": Reason.UNKNOWN_EVENT_NAME,
    "occurred_at": Reason.MISSING_TIME,
    "visitor": Reason.MISSING_VISITOR,
}

_OWN: Final = frozenset(Event.__dataclass_fields__)


def parse_event(payload: Mapping[str, Any]) -> Event:
    """The event a flat payload describes, with our field names or those of GA4, Segment or REES46.

    A time may be a datetime or ISO 8601 text with a zone. Fields nobody knows are left out. EventRefused names the
    field and the remedy.
    """
    values: dict[str, Any] = {}
    for field, value in payload.items():
        own = field if field in _OWN else _FIELDS.get(field)
        if own is not None and value is not None and (own == field or own not in values):
            values[own] = value
    for field, missing in _REQUIRED.items():
        if field not in values:
            raise EventRefused(field=field, reason=missing, remedy="this field is required")
    values["name"] = _name(values["name"])
    values["occurred_at"] = _time(values["occurred_at"])
    if "page" in values:
        values["page"] = _page(values["page"])
    return Event(**values)


def _name(value: object) -> EventName:
    if isinstance(value, EventName):
        return value
    name = event_name(value) if isinstance(value, str) else None
    if name is None:
        known = ", ".join(sorted(item.label for item in EventName))
        raise EventRefused(
            field="name", reason=Reason.UNKNOWN_EVENT_NAME, remedy=f"use one of {known}, or a known alias"
        )
    return name


def _time(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise EventRefused(
            field="occurred_at", reason=Reason.BAD_TIME, remedy="give ISO 8601, such as 2026-03-01T12:00:00Z"
        ) from error


def _page(value: object) -> Page:
    if isinstance(value, Page):
        return value
    page = Page.__members__.get(value.strip().upper()) if isinstance(value, str) else None
    if page is None:
        known = ", ".join(item.label for item in Page)
        raise EventRefused(field="page", reason=Reason.UNKNOWN_PAGE, remedy=f"use one of {known}")
    return page
