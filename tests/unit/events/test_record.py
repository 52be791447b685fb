"""What makes an event unfit."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purchase_intent.events import ClientEvent, Event, EventName, Page, Reason, key_hash
from purchase_intent.events.reasons import OF_SENDERS
from purchase_intent.exceptions import EventRefused
from tests.unit.events.refusals import LOG_ONLY, tried

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLAIN: dict[str, Any] = {"event_id": "e1", "name": EventName.VIEW, "occurred_at": NOON, "visitor": "ann"}
TEXTS = ("session", "product", "category", "brand", "order", "search", "device", "channel", "country")

REFUSALS = [
    pytest.param({"event_id": ""}, "event_id", Reason.MISSING_EVENT_ID, id="empty id"),
    pytest.param({"event_id": None}, "event_id", Reason.MISSING_EVENT_ID, id="no id"),
    pytest.param({"event_id": 7.5}, "event_id", Reason.BAD_TEXT, id="id is a fraction"),
    pytest.param({"occurred_at": None}, "occurred_at", Reason.MISSING_TIME, id="no time"),
    pytest.param({"occurred_at": ""}, "occurred_at", Reason.MISSING_TIME, id="empty time"),
    pytest.param({"occurred_at": 1_772_366_400}, "occurred_at", Reason.BAD_TIME, id="time is a number"),
    pytest.param({"occurred_at": NOON.date()}, "occurred_at", Reason.BAD_TIME, id="time is a day"),
    pytest.param({"occurred_at": NOON.replace(tzinfo=None)}, "occurred_at", Reason.TIME_WITHOUT_ZONE, id="no zone"),
    pytest.param(
        {"occurred_at": datetime(1995, 1, 1, tzinfo=UTC) - timedelta(microseconds=1)},
        "occurred_at",
        Reason.TIME_OUT_OF_RANGE,
        id="a moment before 1995",
    ),
    pytest.param(
        {"occurred_at": datetime(2100, 1, 1, tzinfo=UTC)}, "occurred_at", Reason.TIME_OUT_OF_RANGE, id="the year 2100"
    ),
    pytest.param(
        {"occurred_at": datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))},
        "occurred_at",
        Reason.TIME_OUT_OF_RANGE,
        id="the first moment there is",
    ),
    pytest.param(
        {"occurred_at": datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))},
        "occurred_at",
        Reason.TIME_OUT_OF_RANGE,
        id="the last moment there is",
    ),
    pytest.param({"visitor": ""}, "visitor", Reason.MISSING_VISITOR, id="empty visitor"),
    pytest.param({"visitor": "a\x00b"}, "visitor", Reason.BAD_TEXT, id="visitor with a null character"),
    pytest.param({"name": None}, "name", Reason.UNKNOWN_EVENT_NAME, id="no name"),
    pytest.param({"name": "refund"}, "name", Reason.UNKNOWN_EVENT_NAME, id="unknown name"),
    pytest.param({"name": 99}, "name", Reason.UNKNOWN_EVENT_NAME, id="a number is no name"),
    pytest.param({"page": "moon"}, "page", Reason.UNKNOWN_PAGE, id="unknown page"),
    pytest.param({"page": 3}, "page", Reason.UNKNOWN_PAGE, id="a number is no page"),
    pytest.param({"price": "9.99"}, "price", Reason.BAD_PRICE, id="price is a text"),
    pytest.param({"price": True}, "price", Reason.BAD_PRICE, id="price is yes"),
    pytest.param({"price": float("nan")}, "price", Reason.BAD_PRICE, id="price is not a number"),
    pytest.param({"price": float("inf")}, "price", Reason.BAD_PRICE, id="price without end"),
    pytest.param({"price": -0.01}, "price", Reason.NEGATIVE_PRICE, id="a cent below nothing"),
    pytest.param({"price": 1_000_000_000.01}, "price", Reason.ABSURD_PRICE, id="a cent above a billion"),
    pytest.param({"price": 10**400}, "price", Reason.ABSURD_PRICE, id="a whole number no float can hold"),
    pytest.param({"price": -(10**400)}, "price", Reason.NEGATIVE_PRICE, id="and its opposite"),
    pytest.param({"quantity": 1.0}, "quantity", Reason.BAD_QUANTITY, id="quantity is a fraction"),
    pytest.param({"quantity": "1"}, "quantity", Reason.BAD_QUANTITY, id="quantity is a text"),
    pytest.param({"quantity": True}, "quantity", Reason.BAD_QUANTITY, id="quantity is yes"),
    pytest.param({"quantity": -1}, "quantity", Reason.NEGATIVE_QUANTITY, id="one below nothing"),
    pytest.param({"quantity": 100_001}, "quantity", Reason.ABSURD_QUANTITY, id="one too many"),
    pytest.param({"quantity": 10**16}, "quantity", Reason.ABSURD_QUANTITY, id="a quantity of 1e16"),
    pytest.param({"name": EventName.PURCHASE}, "order", Reason.MISSING_ORDER_ID, id="order without id"),
    pytest.param({"name": EventName.PURCHASE, "order": ""}, "order", Reason.MISSING_ORDER_ID, id="order with empty id"),
    pytest.param({"revenue": -1}, "revenue", Reason.BAD_REVENUE, id="revenue below nothing"),
    pytest.param({"revenue": float("nan")}, "revenue", Reason.BAD_REVENUE, id="revenue is not a number"),
    pytest.param({"revenue": 10**400}, "revenue", Reason.BAD_REVENUE, id="revenue no float can hold"),
    pytest.param({"revenue": "9"}, "revenue", Reason.BAD_REVENUE, id="revenue is a text"),
    *(
        pytest.param({field: bad}, field, Reason.BAD_TEXT, id=f"{field} {what}")
        for field in TEXTS
        for bad, what in (
            (7, "is a number"),
            ("x" * 501, "is too long"),
            ("a\nb", "with a line feed"),
            ("a\x7fb", "with a delete"),
            ("\ud800", "with half a surrogate pair"),
        )
    ),
]

"""One event alone cannot be a broken line, nor know of another with its id."""


@pytest.mark.parametrize(("values", "field", "reason"), REFUSALS)
def test_an_event_that_is_not_fit_names_the_field_and_the_reason(
    values: dict[str, Any], field: str, reason: Reason
) -> None:
    with pytest.raises(EventRefused) as refused:
        Event(**{**PLAIN, **values})
    assert (refused.value.field, refused.value.reason) == (field, reason)
    assert refused.value.code == "event_refused"
    assert refused.value.facts == {"field": field, "reason": reason, "remedy": refused.value.remedy}
    assert str(refused.value) == f"{field}: {refused.value.remedy}"
    assert refused.value.remedy


def test_every_reason_is_reached_or_is_for_logs_only() -> None:
    reached = {parameter.values[2] for parameter in REFUSALS}
    assert reached | LOG_ONLY | OF_SENDERS == set(Reason)
    assert reached & LOG_ONLY == set()


def test_the_page_says_which_reasons_are_for_logs_only() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "events.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|.*\| logs \|$", page, re.MULTILINE)) == {item.value for item in LOG_ONLY}


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"price": 0, "quantity": 0, "revenue": 0}, id="nothing at all"),
        pytest.param({"price": 1e9, "quantity": 100_000, "revenue": 1e9}, id="the most there can be"),
        pytest.param({"occurred_at": datetime(1995, 1, 1, tzinfo=UTC)}, id="the first moment"),
        pytest.param({"occurred_at": datetime(2100, 1, 1, tzinfo=UTC) - timedelta(microseconds=1)}, id="the last"),
        pytest.param({"visitor": "x" * 500}, id="the longest text"),
        pytest.param({"category": "Ordinateurs\u00a0portables"}, id="a blank that does not break"),
        pytest.param({"search": "\U0001f469\u200d\U0001f4bb laptop"}, id="letters held together by a joiner"),
        pytest.param({"search": "\u0645\u06cc\u200c\u062e\u0648"}, id="letters held apart"),
        pytest.param({"search": "\U0001fae8"}, id="a letter newer than some Pythons"),
        pytest.param({"session": "", "product": "", "order": ""}, id="empty is none"),
        pytest.param({"name": EventName.PURCHASE, "order": "o1", "revenue": 12}, id="an order"),
    ],
)
def test_what_is_at_the_edge_is_still_fit(values: dict[str, Any]) -> None:
    event = Event(**{**PLAIN, **values})
    assert {name: getattr(event, name) for name in values} == values


@given(st.text(min_size=1, max_size=30))
def test_a_text_is_refused_or_can_be_hashed_and_stored(text: str) -> None:
    made = tried(Event, **{**PLAIN, "product": text})
    if isinstance(made, Event):
        assert made.product == text
        assert key_hash(text) != 0
        assert text.encode().decode() == text
    else:
        assert made == Reason.BAD_TEXT


ORIGIN = {"device": "mobile", "channel": "Email", "country": "Poland"}
GOODS = {"category": "home/lamps", "brand": "Lumo", "price": 19.5}


@pytest.mark.parametrize("kind", [Event, partial(ClientEvent, stamp=17)], ids=["of the server", "of a client"])
def test_what_is_known_besides_is_checked_as_what_was_told(kind: Any) -> None:
    bare = kind(
        event_id="e1", name=EventName.VIEW, occurred_at=datetime(2026, 3, 1, tzinfo=UTC), visitor="v", quantity=2
    )
    assert bare.come_from(**ORIGIN) == replace(bare, **ORIGIN)
    assert bare.described(**GOODS) == replace(bare, **GOODS)
    for field, wrong in (("category", "x" * 501), ("brand", 7), ("price", -1.0), ("price", float("nan"))):
        with pytest.raises(EventRefused) as refused:
            bare.described(**GOODS | {field: wrong})
        with pytest.raises(EventRefused) as told:
            replace(bare, **{field: wrong})
        assert (refused.value.field, refused.value.reason) == (told.value.field, told.value.reason)
    with pytest.raises(EventRefused):
        bare.come_from(**ORIGIN | {"device": 7})


@pytest.mark.parametrize(
    ("name", "page", "shown"),
    [
        (EventName.VIEW, None, Page.PRODUCT),
        (EventName.PURCHASE, None, Page.CONFIRMATION),
        (EventName.PAGE_VIEW, None, Page.OTHER),
        (EventName.VIEW, Page.LISTING, Page.LISTING),
        (EventName.VIEW, Page.OTHER, Page.OTHER),
    ],
)
def test_the_page_named_counts_before_the_page_implied(name: EventName, page: Page | None, shown: Page) -> None:
    assert Event(**{**PLAIN, "name": name, "page": page, "order": "o"}).shown_page is shown
