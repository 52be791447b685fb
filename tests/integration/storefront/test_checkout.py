"""From the basket to an order: steps in turn, nothing lost, one order for one checkout."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from demo_shop import signals
from demo_shop.models import CartLine, Order, OrderLine, Product
from tests.integration.storefront.conftest import ADDRESS
from tests.integration.storefront.looks import Add, Reviewed, Stock, messages_of, stocks


def test_an_order_takes_the_stock_and_empties_the_basket(
    stock: Stock, add: Add, client: Client, reviewed: Reviewed
) -> None:
    kettle, pan = stock(), stock("Moss Pan", price=Decimal("7.50"))
    add(kettle, 2), add(pan)
    response = client.post("/checkout/review/", reviewed())
    order = Order.objects.get()
    assert response.headers["Location"] == f"/checkout/thank-you/{order.number}/"
    assert (order.goods, order.delivery, order.total) == (Decimal("47.50"), Decimal("4.90"), Decimal("52.40"))
    assert {name: getattr(order, name) for name in ADDRESS} == ADDRESS
    assert list(order.lines.values_list("name", "price", "quantity")) == [
        ("Moss Kettle", Decimal("20.00"), 2),
        ("Moss Pan", Decimal("7.50"), 1),
    ]
    assert stocks() == {kettle.pk: 8, pan.pk: 9}
    assert CartLine.objects.count() == 0
    assert b"Thank you, Ada Example" in client.get(response.headers["Location"]).content


def test_delivery_is_free_from_its_limit_on(stock: Stock, add: Add, client: Client, reviewed: Reviewed) -> None:
    add(stock(price=Decimal("49.00")))
    client.post("/checkout/review/", reviewed())
    assert (Order.objects.get().delivery, Order.objects.get().total) == (Decimal(0), Decimal("49.00"))


@pytest.mark.parametrize("step", ["address", "payment", "review"])
def test_an_empty_basket_leads_back_and_says_so(kettle: Product, client: Client, step: str) -> None:
    for response in (
        client.get(f"/checkout/{step}/", follow=True),
        client.post(f"/checkout/{step}/", ADDRESS, follow=True),
    ):
        assert response.redirect_chain == [("/basket/", 302)]
        assert messages_of(response) == ["Your basket is empty, so there is nothing to check out yet."]
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    ("step", "leads_to", "said"),
    [
        ("payment", "/checkout/address/", "Please give your address first."),
        ("review", "/checkout/address/", "Please give your address first."),
    ],
)
def test_a_step_out_of_turn_leads_to_what_is_missing(
    kettle: Product, add: Add, client: Client, step: str, leads_to: str, said: str
) -> None:
    add(kettle)
    response = client.get(f"/checkout/{step}/", follow=True)
    assert (response.redirect_chain, messages_of(response)) == ([(leads_to, 302)], [said])


def test_a_review_without_a_payment_leads_to_it(kettle: Product, add: Add, client: Client) -> None:
    add(kettle)
    client.post("/checkout/address/", ADDRESS)
    response = client.post("/checkout/review/", {"attempt": str(uuid4()), "seen": ""}, follow=True)
    assert (response.redirect_chain, messages_of(response)) == (
        [("/checkout/payment/", 302)],
        ["Please choose how to pay first."],
    )
    assert Order.objects.count() == 0


def test_a_session_that_expired_begins_anew_and_orders_nothing(
    kettle: Product, ada: User, add: Add, client: Client, reviewed: Reviewed
) -> None:
    client.force_login(ada)
    add(kettle)
    form = reviewed()
    client.logout()
    client.force_login(ada)
    response = client.post("/checkout/review/", form)
    assert response.headers["Location"] == "/checkout/address/"
    assert (Order.objects.count(), stocks()) == (0, {kettle.pk: 10})


@pytest.mark.parametrize(
    ("field", "given", "said"),
    [
        ("name", "", "Please give your name."),
        ("email", "ada", "This is no email address: it looks like name@example.com."),
        ("street", "  ", "Please give your street and number."),
        ("postcode", "!", "A postcode has 3 to 11 letters or digits."),
        ("city", "", "Please give your town or city."),
        ("country", "XX", "Select a valid choice. XX is not one of the available choices."),
    ],
)
def test_an_error_stands_beside_its_field_and_nothing_else_is_lost(
    kettle: Product, add: Add, client: Client, field: str, given: str, said: str
) -> None:
    add(kettle)
    response = client.post("/checkout/address/", ADDRESS | {field: given})
    form = response.context["form"]
    assert (response.status_code, form.errors) == (200, {field: [said]})
    assert {name: form[name].value() for name in ADDRESS} == ADDRESS | {field: given}


def test_a_payment_that_is_none_of_ours_is_refused(kettle: Product, add: Add, client: Client) -> None:
    add(kettle)
    client.post("/checkout/address/", ADDRESS)
    for given in ({"payment": "card"}, {}):
        assert list(client.post("/checkout/payment/", given).context["form"].errors) == ["payment"]
    assert client.get("/checkout/review/").headers["Location"] == "/checkout/payment/"


def test_going_back_to_the_address_finds_it_filled_in(
    kettle: Product, add: Add, client: Client, reviewed: Reviewed
) -> None:
    add(kettle)
    reviewed()
    form = client.get("/checkout/address/").context["form"]
    assert {name: form[name].value() for name in ADDRESS} == ADDRESS
    assert client.post("/checkout/address/", ADDRESS | {"city": "Bonn"}).headers["Location"] == "/checkout/review/"
    assert b"Bonn" in client.get("/checkout/review/").content


def test_an_order_is_shown_to_whoever_placed_it_and_nobody_else(
    kettle: Product, ada: User, add: Add, client: Client, reviewed: Reviewed
) -> None:
    client.force_login(ada)
    add(kettle)
    thanks = client.post("/checkout/review/", reviewed()).headers["Location"]
    number = Order.objects.get().number
    stranger = Client()
    stranger.force_login(User.objects.create_user("bo@example.com"))
    for path in (thanks, f"/account/orders/{number}/"):
        assert client.get(path).status_code == 200
        assert stranger.get(path).status_code == 404
    assert Client().get(thanks).status_code == 404
    assert b"No orders yet" in stranger.get("/account/").content
    assert number.encode() in client.get("/account/").content


def test_the_next_checkout_knows_the_last_address(
    kettle: Product, ada: User, add: Add, client: Client, reviewed: Reviewed
) -> None:
    client.force_login(ada)
    add(kettle)
    assert client.get("/checkout/address/").context["form"]["email"].value() == "ada@example.com"
    client.post("/checkout/review/", reviewed())
    add(kettle)
    form = client.get("/checkout/address/").context["form"]
    assert {name: form[name].value() for name in ADDRESS} == ADDRESS


def test_each_act_of_a_checkout_is_told_once(kettle: Product, add: Add, client: Client, reviewed: Reviewed) -> None:
    told: list[str] = []

    def begun(basket: Any, **_: Any) -> None:
        told.append(f"begun with {basket.count}")

    def chosen(payment: str, **_: Any) -> None:
        told.append(payment)

    def ordered(order: Order, lines: list[OrderLine], **_: Any) -> None:
        told.append(f"{order.total} for {[line.product.category_code for line in lines if line.product]}")

    heard = ((signals.checkout_begun, begun), (signals.payment_chosen, chosen), (signals.order_placed, ordered))
    for signal, receiver in heard:
        signal.connect(receiver)
    try:
        add(kettle, 2)
        client.get("/checkout/address/")
        form = reviewed()
        for _ in range(2):
            client.post("/checkout/review/", form)
    finally:
        for signal, receiver in heard:
            signal.disconnect(receiver)
    assert told == ["begun with 2", "invoice", "44.90 for ['home/kitchen']"]
