"""From the basket to an order: steps in turn, nothing lost, one order for one checkout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from demo_shop import orders, signals
from demo_shop.basket import Owner, contents, open_cart
from demo_shop.basket import add as add_to
from demo_shop.checkout import Checkout, fingerprint
from demo_shop.models import CartLine, Order, OrderLine, Product
from demo_shop.refusals import Refused
from tests.integration.storefront.conftest import ADDRESS

Add = Callable[..., int]
Stock = Callable[..., Product]
Reviewed = Callable[[], dict[str, str]]

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"] if message.extra_tags != "added"]


def stocks() -> dict[int, int]:
    return dict(Product.objects.values_list("pk", "stock"))


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
