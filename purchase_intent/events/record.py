"""One event as the shop means it, checked on creation, and read from the payloads of other systems."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, Self

from purchase_intent.events.names import PAGE_OF_EVENT, EventName, Page, event_name
from purchase_intent.events.reasons import EARLIEST, HIGHEST_MONEY, LATEST, LONGEST_TEXT, MOST_UNITS, Reason
from purchase_intent.exceptions import EventRefused

__all__ = ["FIELD_NAMES", "ClientEvent", "Event", "parse_event", "told_name", "told_time"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST: Final = _EPOCH + timedelta(milliseconds=EARLIEST)
_LATEST: Final = _EPOCH + timedelta(milliseconds=LATEST)
_WORDS: Final = ("session", "product", "category", "brand", "order", "search", "device", "channel", "country")


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
        _check_time(self.occurred_at)
        _check_text("visitor", self.visitor, missing=Reason.MISSING_VISITOR)
        _check_words(self.name, self.page)
        for field in _WORDS:
            if (value := getattr(self, field)) is not None:
                _check_text(field, value)
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

    def come_from(self, *, device: str | None, channel: str | None, country: str | None) -> Self:
        """The same event with where it came from. EventRefused names what of that is not fit."""
        origin = {"device": device, "channel": channel, "country": country}
        for field, value in origin.items():
            _check_text(field, value)
        return self._copied(origin)

    def described(self, *, category: str | None, brand: str | None, price: float | None) -> Self:
        """The same event with what is known of its product. EventRefused names what of that is not fit."""
        _check_text("category", category)
        _check_text("brand", brand)
        _check_price(price)
        return self._copied({"category": category, "brand": brand, "price": price})

    def _copied(self, checked: Mapping[str, Any]) -> Self:
        """The same event with other values. Not by `replace`: a page waits for this, and the rest has been checked."""
        made = object.__new__(type(self))
        for field in self.__dataclass_fields__:
            object.__setattr__(made, field, checked[field] if field in checked else getattr(self, field))
        return made

    @property
    def shown_page(self) -> Page:
        """The page named by the sender, or else the one the event implies."""
        return self.page if self.page is not None else PAGE_OF_EVENT.get(self.name, Page.OTHER)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientEvent(Event):
    """An event told by a client with a clock of its own.

    `stamp` is what that clock said, in milliseconds since 1970 UTC, uncorrected: the same at every attempt to send it.
    """

    stamp: int


def _check_text(field: str, value: object, missing: Reason | None = None) -> None:
    if type(value) is str and 0 < len(value) <= LONGEST_TEXT and value.isprintable():
        return
    if value is None or value == "":
        if missing is not None:
            raise EventRefused(field=field, reason=missing, remedy="give a text that is not empty")
        return
    if not isinstance(value, str):
        raise EventRefused(field=field, reason=Reason.BAD_TEXT, remedy=f"give a text, not {type(value).__name__}")
    if len(value) > LONGEST_TEXT:
        raise EventRefused(field=field, reason=Reason.BAD_TEXT, remedy=f"give at most {LONGEST_TEXT} characters")
    if value.isprintable():
        return
    # Neither has a place in an id or a name, and half a surrogate pair cannot be stored. Joiners, narrow blanks and
    # letters newer than this Python are what shoppers write.
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in value):
        raise EventRefused(
            field=field, reason=Reason.BAD_TEXT, remedy="leave out control characters and halves of surrogate pairs"
        )


def _check_words(name: object, page: object) -> None:
    if not isinstance(name, EventName):
        known = ", ".join(sorted(item.label for item in EventName))
        raise EventRefused(
            field="name", reason=Reason.UNKNOWN_EVENT_NAME, remedy=f"use one of {known}, or a known alias"
        )
    if page is not None and not isinstance(page, Page):
        known = ", ".join(item.label for item in Page)
        raise EventRefused(field="page", reason=Reason.UNKNOWN_PAGE, remedy=f"use one of {known}")


def _check_time(value: object) -> None:
    if value is None or value == "":
        raise EventRefused(field="occurred_at", reason=Reason.MISSING_TIME, remedy="give a date and time")
    if not isinstance(value, datetime):
        raise EventRefused(field="occurred_at", reason=Reason.BAD_TIME, remedy="give a date and time")
    if value.utcoffset() is None:
        raise EventRefused(
            field="occurred_at",
            reason=Reason.TIME_WITHOUT_ZONE,
            remedy="give the time with its zone, such as 2026-03-01T12:00:00Z",
        )
    if not _EARLIEST <= value < _LATEST:
        raise EventRefused(
            field="occurred_at", reason=Reason.TIME_OUT_OF_RANGE, remedy="give a time between the years 1995 and 2099"
        )


def _is_number(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


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


FIELD_NAMES: Final = MappingProxyType(
    {
        "event_id": "event_id",
        "messageId": "event_id",
        "event_type": "name",
        "event": "name",
        "event_name": "name",
        "name": "name",
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
)
"""Field names of GA4, Segment and REES46, and what we call them; of several in one payload the first here counts."""

_SPELLINGS: Final = {
    own: tuple(field for field in FIELD_NAMES if FIELD_NAMES[field] == own) for own in FIELD_NAMES.values()
}
_OWN: Final = tuple(Event.__dataclass_fields__)
_TEXTS: Final = frozenset(_OWN) - {"name", "occurred_at", "page", "price", "quantity", "revenue"}
# A product's name may come along as `name`; where another field names the event, that is what it is.
_ORDER: Final = (*((own, own) for own in _OWN if own != "name"), *FIELD_NAMES.items())
_RANKS: Final = {field: (rank, own) for rank, (field, own) in reversed(list(enumerate(_ORDER)))}
"""By a field's name: which comes first of those that mean the same, and what we call it."""


def told_name(payload: Mapping[str, Any]) -> EventName | None:
    """The event that a flat payload names; None where it names none that is known."""
    named = _first(payload, "name")
    return event_name(named) if isinstance(named, str) else None


def told_time(payload: Mapping[str, Any]) -> object:
    """What a flat payload gives as the event's time, as it stands; None for nothing."""
    own = payload.get("occurred_at")
    return own if own is not None and own != "" else _first(payload, "occurred_at")


def _first(payload: Mapping[str, Any], wanted: str) -> object:
    for field in _SPELLINGS[wanted]:
        if (value := payload.get(field)) is not None and value != "":
            return value
    return None


def parse_event(payload: Mapping[str, Any], *, kind: Callable[..., Event] = Event) -> Event:
    """The event a flat payload describes, with our field names or those of GA4, Segment or REES46.

    Our own name of a field counts first, then the others in the order of FIELD_NAMES: a known user before an anonymous
    one. A time may be a datetime or ISO 8601 text with a zone, an id a text or a whole number. Fields nobody
    knows, None and empty texts are left out. EventRefused names the field and the remedy.
    """
    values: dict[str, Any] = dict.fromkeys(("event_id", "name", "occurred_at", "visitor"))
    ranks: dict[str, int] = {}
    for field, value in payload.items():
        if value is not None and value != "" and field in _RANKS:
            rank, own = _RANKS[field]
            if rank <= ranks.get(own, rank):
                values[own], ranks[own] = value, rank
    for field in _TEXTS & values.keys():
        values[field] = _text(values[field])
    values["name"] = _name(values["name"])
    values["occurred_at"] = _time(values["occurred_at"])
    if "page" in values:
        values["page"] = _page(values["page"])
    return kind(**values)


def _text(value: object) -> object:
    return str(value) if type(value) is int and abs(value) < 2**64 else value


def _name(value: object) -> object:
    known = event_name(value) if isinstance(value, str) else None
    return known if known is not None else value


def _time(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value.removesuffix(" UTC") + "+00:00" if value.endswith(" UTC") else value)
    except ValueError:
        return value


def _page(value: object) -> object:
    return Page.__members__.get(value.strip().upper(), value) if isinstance(value, str) else value
