"""How the payloads of other systems become events."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purchase_intent.events import Event, EventName, Page, Reason, parse_event
from purchase_intent.exceptions import EventRefused
from tests.unit.events.refusals import LOG_ONLY, tried

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


SAME: dict[str, Any] = {"event_id": "e1", "occurred_at": NOON, "visitor": "ann"}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(
            {
                "event_name": "add_to_cart",
                "event_id": "e1",
                "event_time": "2026-03-01T12:00:00.000Z",
                "client_id": "ann",
                "session_id": 1772366400,
                "item_id": "SKU_12345",
                "item_category": "Apparel",
                "item_brand": "Google",
                "price": 9.99,
                "quantity": 3,
                "value": 29.97,
                "currency": "USD",
            },
            Event(
                **SAME,
                name=EventName.CART,
                session="1772366400",
                product="SKU_12345",
                category="Apparel",
                brand="Google",
                price=9.99,
                quantity=3,
                revenue=29.97,
            ),
            id="GA4 cart",
        ),
        pytest.param(
            {
                "event_name": "purchase",
                "event_id": "e1",
                "event_time": "2026-03-01T13:00:00+01:00",
                "user_id": "ann",
                "client_id": "GA1.2.3",
                "transaction_id": "T_12345",
                "value": 72.05,
            },
            Event(**SAME, name=EventName.PURCHASE, order="T_12345", revenue=72.05),
            id="GA4 purchase of a known user",
        ),
        pytest.param(
            {
                "type": "track",
                "event": "Product Viewed",
                "messageId": "e1",
                "timestamp": "2026-03-01T12:00:00Z",
                "anonymousId": "anon",
                "userId": "ann",
                "product_id": "507f",
                "category": "Games",
                "name": "Monopoly: 3rd Edition",
                "brand": "Hasbro",
                "price": 18.99,
                "quantity": 1,
            },
            Event(
                **SAME, name=EventName.VIEW, product="507f", category="Games", brand="Hasbro", price=18.99, quantity=1
            ),
            id="Segment view, with the product's name",
        ),
        pytest.param(
            {
                "event": "Products Searched",
                "messageId": "e1",
                "timestamp": NOON,
                "anonymousId": "ann",
                "userId": None,
                "query": "blue hotpants",
            },
            Event(**SAME, name=EventName.SEARCH, search="blue hotpants"),
            id="Segment search of an anonymous visitor",
        ),
        pytest.param(
            {
                "event": "Order Completed",
                "messageId": "e1",
                "timestamp": NOON,
                "userId": "ann",
                "order_id": "50314b8e",
                "revenue": 25.0,
                "value": 22.5,
            },
            Event(**SAME, name=EventName.PURCHASE, order="50314b8e", revenue=25.0),
            id="Segment order, whose revenue is ours by name",
        ),
        pytest.param(
            {
                "event_id": "e1",
                "event_time": "2026-03-01 12:00:00 UTC",
                "event_type": "cart",
                "product_id": 1004856,
                "category_id": 2053013555631882655,
                "category_code": "electronics.smartphone",
                "brand": "samsung",
                "price": 128.42,
                "user_id": 541312140,
                "user_session": "72d76fde-8bb3-4e00-8c23-a032dfed738c",
            },
            Event(
                event_id="e1",
                name=EventName.CART,
                occurred_at=NOON,
                visitor="541312140",
                session="72d76fde-8bb3-4e00-8c23-a032dfed738c",
                product="1004856",
                category="electronics.smartphone",
                brand="samsung",
                price=128.42,
            ),
            id="REES46 cart",
        ),
        pytest.param(
            {**SAME, "name": EventName.VIEW, "page": " Listing ", "weather": "fine"},
            Event(**SAME, name=EventName.VIEW, page=Page.LISTING),
            id="our own names, and one that nobody knows",
        ),
        pytest.param(
            {**SAME, "name": "view", "page": Page.HOME, "brand": "", "price": None},
            Event(**SAME, name=EventName.VIEW, page=Page.HOME),
            id="empty and None are left out",
        ),
    ],
)
def test_a_payload_becomes_the_event_it_describes(payload: dict[str, Any], expected: Event) -> None:
    assert parse_event(payload) == expected
    assert parse_event(dict(reversed(payload.items()))) == expected, "whatever the order of its fields"


def without(field: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda payload: {name: value for name, value in payload.items() if name != field}


def with_(**values: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda payload: {**payload, **values}


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        pytest.param(without("messageId"), "event_id", Reason.MISSING_EVENT_ID, id="no id"),
        pytest.param(without("event"), "name", Reason.UNKNOWN_EVENT_NAME, id="no name"),
        pytest.param(with_(event="Coupon Denied"), "name", Reason.UNKNOWN_EVENT_NAME, id="unknown name"),
        pytest.param(with_(event=["Product Viewed"]), "name", Reason.UNKNOWN_EVENT_NAME, id="name in a list"),
        pytest.param(without("timestamp"), "occurred_at", Reason.MISSING_TIME, id="no time"),
        pytest.param(with_(timestamp=" "), "occurred_at", Reason.BAD_TIME, id="blank time"),
        pytest.param(with_(timestamp="yesterday"), "occurred_at", Reason.BAD_TIME, id="time in words"),
        pytest.param(with_(timestamp="2026-13-01T00:00:00Z"), "occurred_at", Reason.BAD_TIME, id="month 13"),
        pytest.param(with_(timestamp=1772366400), "occurred_at", Reason.BAD_TIME, id="time as a number"),
        pytest.param(with_(timestamp="2026-03-01T12:00:00"), "occurred_at", Reason.TIME_WITHOUT_ZONE, id="no zone"),
        pytest.param(with_(timestamp="2026-03-01"), "occurred_at", Reason.TIME_WITHOUT_ZONE, id="a day only"),
        pytest.param(with_(timestamp="1890-03-01T12:00:00Z"), "occurred_at", Reason.TIME_OUT_OF_RANGE, id="long ago"),
        pytest.param(without("anonymousId"), "visitor", Reason.MISSING_VISITOR, id="no visitor"),
        pytest.param(with_(anonymousId={"id": 1}), "visitor", Reason.BAD_TEXT, id="visitor in a mapping"),
        pytest.param(with_(anonymousId=True), "visitor", Reason.BAD_TEXT, id="visitor is yes"),
        pytest.param(with_(product_id=10**5000), "product", Reason.BAD_TEXT, id="an id of five thousand digits"),
        pytest.param(with_(page="moon"), "page", Reason.UNKNOWN_PAGE, id="unknown page"),
        pytest.param(with_(page=4), "page", Reason.UNKNOWN_PAGE, id="page as a number"),
        pytest.param(with_(price="12.50"), "price", Reason.BAD_PRICE, id="price as a text"),
        pytest.param(with_(price=-1), "price", Reason.NEGATIVE_PRICE, id="negative price"),
        pytest.param(with_(event="purchase"), "order", Reason.MISSING_ORDER_ID, id="order without id"),
        pytest.param(with_(value=-5), "revenue", Reason.BAD_REVENUE, id="negative value"),
    ],
)
def test_a_payload_that_is_not_fit_names_our_field_and_the_reason(
    change: Callable[[dict[str, Any]], dict[str, Any]], field: str, reason: Reason
) -> None:
    payload = {"event": "view_item", "messageId": "e1", "timestamp": "2026-03-01T12:00:00Z", "anonymousId": "ann"}
    assert parse_event(payload).visitor == "ann"
    with pytest.raises(EventRefused) as refused:
        parse_event(change(payload))
    assert (refused.value.field, refused.value.reason) == (field, reason)


@given(
    st.dictionaries(
        st.sampled_from(
            ["event_id", "event", "timestamp", "userId", "price", "quantity", "page", "product_id", "value"]
        ),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=8)
        | st.lists(st.integers(), max_size=2)
        | st.sampled_from(["view", "2026-03-01T12:00:00Z", "listing", NOON]),
    )
)
def test_whatever_is_sent_becomes_an_event_or_a_refusal(payload: dict[str, Any]) -> None:
    made = tried(parse_event, payload)
    assert isinstance(made, Event) or made in set(Reason) - LOG_ONLY
