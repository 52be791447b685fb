"""From what `track` and `track_order` are told to events, checked; and what the catalogue adds to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

from purchase_intent.adapters import ProductFacts
from purchase_intent.events import PAGE_OF_EVENT, Event, EventName, Page, event_name
from purchase_intent.events.reasons import LONGEST_TEXT, Reason
from purchase_intent.exceptions import EventRefused

__all__ = [
    "Amount",
    "Line",
    "Source",
    "deed",
    "incomplete",
    "order_deeds",
    "page_of",
    "placed",
    "spelled",
    "with_facts",
]

E = TypeVar("E", bound=Event)
Amount = Decimal | float | int
"""Money in the shop's currency."""

_UNKNOWN: Final = ProductFacts()
_AHEAD: Final = timedelta(minutes=5)
"""By how much another machine's clock may be ahead of ours."""
_CHECKOUT_PAGES: Final = frozenset({Page.CHECKOUT, Page.PAYMENT, Page.REVIEW})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of an order: `price` is of one unit, in the shop's currency."""

    product: str | int = ""
    category: str = ""
    brand: str = ""
    price: Amount | None = None
    quantity: int | None = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Who does it and when, on which page: the same for all that one request tells."""

    visitor: str
    moment: datetime
    page: Page


def spelled(name: object) -> EventName:
    """The event that a name stands for, ours or GA4's, Segment's or REES46's; EventRefused for any other."""
    known = name if isinstance(name, EventName) else event_name(name) if isinstance(name, str) else None
    if known is None:
        words = ", ".join(item.label for item in EventName)
        raise EventRefused(
            field="name", reason=Reason.UNKNOWN_EVENT_NAME, remedy=f"use one of {words}, or a known alias"
        )
    return known


def placed(kind: Callable[..., E], **values: Any) -> E:
    """An event of that kind on the page where it happens, by its checked fields; EventRefused where one is not fit."""
    name, page = values["name"], values.get("page")
    if isinstance(name, EventName) and (page is None or isinstance(page, Page)):
        values["page"] = page_of(name, page or Page.OTHER)
    return kind(**values)


def page_of(name: EventName, shown: Page) -> Page:
    """The page an event happens on where `shown` is the page asked for, as the logs that models learn from have it."""
    if name is EventName.CHECKOUT and shown in _CHECKOUT_PAGES:
        return shown
    # Tracked by the page it led to, it still happened in a list.
    if name is EventName.SELECT_ITEM and shown in (Page.PRODUCT, Page.OTHER):
        return Page.LISTING
    return PAGE_OF_EVENT.get(name, shown)


def deed(name: EventName, source: Source, *, event_id: str, **given: object) -> Event:
    """One event of `track`. EventRefused names the argument and the remedy."""
    if name is EventName.PURCHASE:
        raise EventRefused(
            field="name", reason=Reason.MISSING_ORDER_ID, remedy="tell of an order with track_order, once for all lines"
        )
    return _event(name, source, event_id, given)


def order_deeds(
    source: Source, *, number: object, revenue: object, lines: object
) -> tuple[list[Event], list[EventRefused]]:
    """The purchases of one order, one a line, and what was refused of them.

    An order without a line that is fit is still an order: one purchase of nothing that is known. EventRefused where
    the order itself is not fit. The ids come from its number, so that the same order told again is the same events.
    """
    key = _text(number)
    whole = {"order": key, "revenue": revenue}
    if revenue is None:
        raise EventRefused(field="revenue", reason=Reason.BAD_REVENUE, remedy="give the order's total")
    bare = replace(_event(EventName.PURCHASE, source, "order", whole), event_id=_line_id(key, 0))
    events, refused = [], []
    for place, line in enumerate(lines if isinstance(lines, Iterable) else [lines]):
        try:
            events.append(_event(EventName.PURCHASE, source, _line_id(key, place), whole | _told_by(line)))
        except EventRefused as refusal:
            refused.append(refusal)
    return events or [bare], refused


def _told_by(line: object) -> dict[str, object]:
    """What one line of an order says; EventRefused where it is no Line."""
    if not isinstance(line, Line):
        raise EventRefused(
            field="lines", reason=Reason.BROKEN_LINE, remedy=f"give a list of Line, not of {type(line).__name__}"
        )
    return {name: getattr(line, name) for name in Line.__dataclass_fields__}


def incomplete(event: Event) -> bool:
    """Whether the catalogue may add to what is known of its product."""
    return bool(event.product) and (not event.category or not event.brand or event.price is None)


def with_facts(event: E, facts: ProductFacts, *, overruled: bool = False) -> E:
    """The event with what its sender left out; EventRefused where the catalogue's word is not fit.

    `overruled`: the catalogue's category and brand count before the sender's.
    """
    if facts == _UNKNOWN:
        return event
    category = (facts.category or event.category) if overruled else (event.category or facts.category)
    brand = (facts.brand or event.brand) if overruled else (event.brand or facts.brand)
    price: Any = event.price if event.price is not None else _number(facts.price)
    return event.described(category=category or None, brand=brand or None, price=price)


def _event(name: EventName, source: Source, event_id: str, given: Mapping[str, object]) -> Event:
    values: dict[str, Any] = {field: None if value == "" else value for field, value in given.items()}
    for field in ("price", "revenue"):
        values[field] = _number(values.get(field))
    for field in ("product", "order"):
        values[field] = _text(values.get(field))
    values["occurred_at"] = _moment(values.get("occurred_at"), source.moment)
    values["page"] = _page(values.get("page"), page_of(name, source.page))
    return Event(name=name, event_id=event_id, visitor=source.visitor, **values)


def _moment(value: object, now: datetime) -> object:
    """The time given, in whole milliseconds; EventRefused for one to come."""
    if value is None:
        return now
    if not isinstance(value, datetime) or value.utcoffset() is None:
        return value
    if value > now + _AHEAD:
        raise EventRefused(
            field="occurred_at", reason=Reason.TIME_OUT_OF_RANGE, remedy="give a time that has passed, or none"
        )
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


def _page(value: object, implied: Page) -> object:
    if value is None:
        return implied
    return Page.__members__.get(value.strip().upper(), value) if isinstance(value, str) else value


def _text(value: object) -> object:
    return str(value) if type(value) is int and abs(value) < 2**64 else value


def _number(value: object) -> object:
    """A decimal as a float: what is not finite stays so, for the event to refuse it."""
    if not isinstance(value, Decimal):
        return value
    return float(value) if value.is_finite() else float("nan")


def _line_id(number: object, place: int) -> str:
    return f"{number}"[: LONGEST_TEXT - 12] + f"/{place}"
