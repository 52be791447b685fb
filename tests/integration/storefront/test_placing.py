"""Placing an order: once, from what was seen, for whoever came first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from demo_shop import orders
from demo_shop.basket import Owner, contents, open_cart
from demo_shop.basket import add as add_to
from demo_shop.checkout import Checkout, fingerprint
from demo_shop.models import CartLine, Order, OrderLine, Product
from demo_shop.refusals import Refused
from tests.integration.storefront.conftest import ADDRESS
from tests.integration.storefront.looks import Add, Reviewed, Stock, messages_of, stocks

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_double_submit_places_one_order(kettle: Product, add: Add, client: Client, reviewed: Reviewed) -> None:
    add(kettle, 2)
    form = reviewed()
    first, second = client.post("/checkout/review/", form), client.post("/checkout/review/", form)
    assert first.headers["Location"] == second.headers["Location"]
    assert (Order.objects.count(), OrderLine.objects.count(), stocks()) == (1, 1, {kettle.pk: 8})


def test_a_second_submit_with_a_new_basket_leads_to_the_first_order(
    kettle: Product, add: Add, client: Client, reviewed: Reviewed
) -> None:
    add(kettle, 2)
    form = reviewed()
    first = client.post("/checkout/review/", form)
    add(kettle, 1)
    assert client.post("/checkout/review/", form).headers["Location"] == first.headers["Location"]
    assert (Order.objects.count(), CartLine.objects.get().quantity) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_submits_at_the_same_moment_place_one_order(kettle: Product) -> None:
    cart = open_cart(Owner())
    add_to(cart, kettle, 3)
    owner = Owner(cart_id=cart.pk)
    checkout = Checkout(uuid4(), ADDRESS, "invoice")
    seen = fingerprint(contents(owner))
    start, placed = Barrier(2), []

    def submit() -> None:
        start.wait(10)
        placed.append(orders.place(checkout, owner, seen=seen, now=NOW))
        connection.close()

    both = [Thread(target=submit) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join(30)
    assert sorted(each.new for each in placed) == [False, True]
    assert placed[0].order == placed[1].order == Order.objects.get()
    assert stocks() == {kettle.pk: 7}


def test_the_last_piece_goes_to_one_shopper(stock: Stock) -> None:
    last = stock(stock=1)
    owners = []
    for _ in range(2):
        cart = open_cart(Owner())
        add_to(cart, last, 1)
        owners.append(Owner(cart_id=cart.pk))
    seen = fingerprint(contents(owners[0]))
    orders.place(Checkout(uuid4(), ADDRESS, "invoice"), owners[0], seen=seen, now=NOW)
    with pytest.raises(Refused) as refused:
        orders.place(Checkout(uuid4(), ADDRESS, "invoice"), owners[1], seen=seen, now=NOW)
    assert refused.value.code == "shortage"
    assert (Order.objects.count(), stocks(), contents(owners[1]).count) == (1, {last.pk: 0}, 1)


def test_a_price_that_changed_since_the_review_is_shown_before_it_is_charged(
    kettle: Product, add: Add, client: Client, reviewed: Reviewed
) -> None:
    add(kettle, 2)
    form = reviewed()
    Product.objects.update(price=Decimal("25.00"))
    response = client.post("/checkout/review/", form)
    assert response.context["problem"] == "A price or quantity has changed. Please look again before you order."
    assert response.context["basket"].goods == Decimal("50.00")
    assert (Order.objects.count(), stocks()) == (0, {kettle.pk: 10})
    again = {"attempt": form["attempt"], "seen": response.context["seen"]}
    assert client.post("/checkout/review/", again).status_code == 302
    assert Order.objects.get().goods == Decimal("50.00")


@pytest.mark.parametrize(
    "tampered",
    [
        pytest.param({"seen": "0" * 64}, id="what was seen"),
        pytest.param({"attempt": str(uuid4())}, id="another checkout"),
        pytest.param({"attempt": "1; drop table"}, id="no checkout at all"),
    ],
)
def test_a_form_that_was_tampered_with_orders_nothing(
    kettle: Product, add: Add, client: Client, reviewed: Reviewed, tampered: dict[str, str]
) -> None:
    add(kettle, 2)
    response = client.post("/checkout/review/", reviewed() | tampered | {"total": "0.01"})
    assert (response.status_code, bool(response.context["problem"])) == (200, True)
    assert (Order.objects.count(), stocks()) == (0, {kettle.pk: 10})


def test_what_sold_out_since_the_review_is_not_ordered(
    kettle: Product, add: Add, client: Client, reviewed: Reviewed
) -> None:
    add(kettle, 2)
    form = reviewed()
    Product.objects.update(stock=1)
    response = client.post("/checkout/review/", form, follow=True)
    assert response.redirect_chain == [("/basket/", 302)]
    assert messages_of(response) == ["Something in your basket cannot be had as it stands. Please look below."]
    assert (Order.objects.count(), stocks(), CartLine.objects.get().quantity) == (0, {kettle.pk: 1}, 2)


def test_placing_from_an_empty_or_missing_basket_is_refused(kettle: Product) -> None:
    checkout = Checkout(uuid4(), ADDRESS, "invoice")
    for owner in (Owner(), Owner(cart_id=open_cart(Owner()).pk), Owner(cart_id=99)):
        with pytest.raises(Refused, match="empty"):
            orders.place(replace(checkout, attempt=uuid4()), owner, seen="", now=NOW)
    assert Order.objects.count() == 0
