"""Free delivery for who is close to an order: really taken off, kept once given, used up by one order."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client

from demo_shop import offers
from demo_shop.models import Order, Product
from purchase_intent.models import Stage
from purchase_intent.scoring.answer import UNKNOWN, Intent, Standing
from tests.integration.storefront.looks import Add, Reviewed, Stock

OFFER = b"Free delivery on this order."


def intent(
    bands: set[str] | frozenset[str] = frozenset({"top_5", "top_20"}),
    stage: Stage = Stage.CART,
    standing: Standing = Standing.SCORED,
    *,
    offer: bool | None = None,
) -> Intent:
    return Intent(standing=standing, probability=0.3, bands=frozenset(bands), stage=stage, offer=offer)


@pytest.mark.parametrize(
    ("answer", "given"),
    [
        pytest.param(intent(), True, id="close to an order"),
        pytest.param(intent(stage=Stage.PRODUCT), True, id="looking at products"),
        pytest.param(intent(bands={"top_20"}), False, id="not close enough"),
        pytest.param(intent(bands=set()), False, id="far away"),
        pytest.param(intent(stage=Stage.CHECKOUT), False, id="in the checkout already"),
        pytest.param(intent(standing=Standing.RULES), False, id="a rule of thumb"),
        pytest.param(intent(standing=Standing.ALREADY_BOUGHT, stage=Stage.BOUGHT), False, id="has bought"),
        pytest.param(UNKNOWN, False, id="nothing is known"),
        pytest.param(intent(bands=set(), offer=True), True, id="by the shop's own rule"),
        pytest.param(intent(offer=False), False, id="not by the shop's own rule"),
        pytest.param(intent(stage=Stage.CHECKOUT, offer=True), False, id="by the rule, in the checkout already"),
    ],
)
def test_the_offer_is_for_who_is_close_to_an_order(answer: Intent, given: bool) -> None:
    session: dict[str, object] = {}
    assert (offers.give(session, answer), offers.given(session)) == (given, given)


def test_the_offer_stays_when_the_score_falls() -> None:
    session: dict[str, object] = {}
    offers.give(session, intent())
    assert offers.give(session, intent(bands=set()))


@pytest.fixture
def offered(client: Client, db: None) -> SessionBase:
    """Return the session of a client that was given the offer."""
    session = client.session
    offers.give(session, intent())
    session.save()
    return session


def test_delivery_is_free_in_basket_checkout_and_order(
    client: Client, offered: SessionBase, kettle: Product, add: Add, reviewed: Reviewed
) -> None:
    assert OFFER in client.get("/").content
    page = client.get(kettle.get_absolute_url()).content
    assert OFFER in page
    assert b"delivered free" in page
    add(kettle)
    page = client.get("/basket/").content
    assert OFFER in page
    assert b"<dd>Free</dd>" in page
    assert b"more and delivery is free" not in page
    client.post("/checkout/review/", reviewed())
    order = Order.objects.get()
    assert (order.goods, order.delivery) == (Decimal("20.00"), Decimal("0.00"))
    assert OFFER not in client.get("/").content
    add(kettle)
    assert client.get("/basket/").context["basket"].delivery == Decimal("4.90")


def test_who_was_not_given_the_offer_pays_for_delivery(
    client: Client, kettle: Product, add: Add, reviewed: Reviewed
) -> None:
    add(kettle)
    page = client.get("/basket/").content
    assert OFFER not in page
    assert "€29.00 more and delivery is free." in page.decode()
    client.post("/checkout/review/", reviewed())
    assert Order.objects.get().delivery == Decimal("4.90")


def test_where_delivery_is_free_anyway_nothing_is_offered(
    client: Client, offered: SessionBase, stock: Stock, add: Add
) -> None:
    add(stock(price=Decimal("49.00")))
    page = client.get("/basket/").content
    assert OFFER not in page
    assert b"Delivery is free on this order." in page


def test_an_offer_used_up_in_another_tab_is_seen_before_the_order(
    client: Client, offered: SessionBase, kettle: Product, add: Add, reviewed: Callable[[], dict[str, str]]
) -> None:
    add(kettle)
    form = reviewed()
    session = SessionStore(session_key=client.session.session_key)
    offers.use_up(session)
    session.save()
    again = client.post("/checkout/review/", form)
    assert "A price or quantity has changed." in again.content.decode()
    assert b"4.90" in again.content
    assert Order.objects.count() == 0
