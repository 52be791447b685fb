"""The basket: what goes in, what is refused, and how it follows its shopper."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from demo_shop import signals
from demo_shop.basket import Basket, Owner, contents, join
from demo_shop.models import MOST_OF_ONE, Cart, CartLine, Product

Add = Callable[..., int]
Stock = Callable[..., Product]


def quantities() -> dict[int, int]:
    return dict(CartLine.objects.values_list("product_id", "quantity"))


def test_adding_twice_adds_up(kettle: Product, add: Add, client: Client) -> None:
    assert (add(kettle, 2), add(kettle, 3)) == (302, 302)
    assert quantities() == {kettle.pk: 5}
    shown = client.get("/basket/").context["basket"]
    assert (shown.count, shown.goods, shown.delivery, shown.total) == (5, Decimal("100.00"), 0, Decimal("100.00"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param("0", "Please choose at least one.", id="none"),
        pytest.param("-3", "Please choose at least one.", id="negative"),
        pytest.param("21", "We sell at most 20 to one person.", id="more than one person gets"),
        pytest.param("9" * 30, "We sell at most 20 to one person.", id="huge"),
        pytest.param("11", "There are only 10 left.", id="more than there is"),
        pytest.param("1.5", "Please give a whole number.", id="half"),
        pytest.param("many", "Please give a whole number.", id="a word"),
        pytest.param("", "Please say how many.", id="nothing"),
    ],
)
def test_a_quantity_that_cannot_be_is_refused_beside_the_field(
    kettle: Product, client: Client, given: str, said: str
) -> None:
    response = client.post(kettle.get_absolute_url(), {"quantity": given})
    assert (response.status_code, response.context["form"].errors) == (200, {"quantity": [said]})
    assert (quantities(), Cart.objects.count(), "cart" in client.session) == ({}, 0, False)


def test_changing_without_a_basket_makes_none(kettle: Product, client: Client) -> None:
    response = client.post(f"/basket/{kettle.pk}/change/", {"quantity": "2"})
    assert b"This is not in your basket any more." in response.content
    assert Cart.objects.count() == 0


def test_what_is_in_the_basket_already_counts(kettle: Product, add: Add, client: Client) -> None:
    add(kettle, 8)
    response = client.post(kettle.get_absolute_url(), {"quantity": "3"})
    assert response.context["form"].errors == {"quantity": ["There are only 10 left and 8 in your basket already."]}
    assert quantities() == {kettle.pk: 8}


def test_one_person_gets_so_many_and_no_more(stock: Stock, add: Add, client: Client) -> None:
    plenty = stock(stock=500)
    add(plenty, MOST_OF_ONE)
    response = client.post(plenty.get_absolute_url(), {"quantity": "1"})
    assert response.context["form"].errors == {
        "quantity": ["We sell at most 20 to one person, and you have 20 in your basket already."]
    }
    assert quantities() == {plenty.pk: MOST_OF_ONE}


def test_what_is_sold_out_has_no_button_and_cannot_be_added(stock: Stock, client: Client) -> None:
    gone = stock(stock=0)
    assert b"Add to basket" not in client.get(gone.get_absolute_url()).content
    response = client.post(gone.get_absolute_url(), {"quantity": "1"})
    assert response.context["form"].errors == {"quantity": ["This is sold out."]}
    assert quantities() == {}


def test_what_is_off_sale_is_nowhere(stock: Stock, add: Add, client: Client) -> None:
    assert add(stock(on_sale=False)) == 404
    assert quantities() == {}


@pytest.mark.parametrize("number", ["999", "9" * 40], ids=["unknown", "too large for any database"])
@pytest.mark.parametrize("act", ["change", "remove"])
def test_a_number_that_is_no_products_is_not_found(
    kettle: Product, add: Add, client: Client, act: str, number: str
) -> None:
    add(kettle, 2)
    assert client.post(f"/basket/{number}/{act}/", {"quantity": "1"}).status_code == 404
    assert quantities() == {kettle.pk: 2}


def test_a_price_that_the_shopper_sends_is_no_price(kettle: Product, client: Client) -> None:
    client.post(kettle.get_absolute_url(), {"quantity": "1", "price": "0.01", "total": "0.01"})
    assert client.get("/basket/").context["basket"].goods == Decimal("20.00")


def test_a_get_changes_nothing(kettle: Product, add: Add, client: Client) -> None:
    add(kettle)
    assert client.get(f"/basket/{kettle.pk}/remove/").status_code == 405
    assert client.get(f"/basket/{kettle.pk}/change/").status_code == 405
    assert quantities() == {kettle.pk: 1}


def test_quantities_can_be_changed_and_lines_removed(stock: Stock, add: Add, client: Client) -> None:
    kettle, pan = stock(), stock("Moss Pan")
    add(kettle), add(pan, 2)
    assert client.post(f"/basket/{kettle.pk}/change/", {"quantity": "4"}).status_code == 302
    assert client.post(f"/basket/{pan.pk}/change/", {"quantity": "0"}).status_code == 302
    assert quantities() == {kettle.pk: 4}
    assert client.post(f"/basket/{kettle.pk}/remove/").status_code == 302
    assert client.post(f"/basket/{kettle.pk}/remove/").status_code == 302
    assert quantities() == {}
    assert b"Nothing in here yet" in client.get("/basket/").content


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param("-1", "Please choose at least one, or remove it.", id="negative"),
        pytest.param("12", "There are only 10 left.", id="more than there is"),
        pytest.param("999999999999", "We sell at most 20 to one person.", id="huge"),
        pytest.param("x", "Please give a whole number.", id="a letter"),
    ],
)
def test_a_change_that_cannot_be_is_said_beside_its_line(
    kettle: Product, add: Add, client: Client, given: str, said: str
) -> None:
    add(kettle, 2)
    response = client.post(f"/basket/{kettle.pk}/change/", {"quantity": given})
    ((_, form),) = response.context["lines"]
    assert (response.status_code, form.errors, form["quantity"].value()) == (200, {"quantity": [said]}, given)
    assert quantities() == {kettle.pk: 2}


def test_changing_what_is_not_in_the_basket_is_told(stock: Stock, add: Add, client: Client) -> None:
    kettle, pan = stock(), stock("Moss Pan")
    add(kettle)
    response = client.post(f"/basket/{pan.pk}/change/", {"quantity": "2"})
    assert b"This is not in your basket any more." in response.content
    assert quantities() == {kettle.pk: 1}


def test_one_browser_does_not_see_anothers_basket(kettle: Product, add: Add, client: Client) -> None:
    add(kettle, 2)
    other = Client()
    assert other.get("/basket/").context["basket"] == Basket()
    other.post(f"/basket/{kettle.pk}/remove/")
    assert quantities() == {kettle.pk: 2}


def test_a_line_that_became_short_says_so_and_bars_the_checkout(kettle: Product, add: Add, client: Client) -> None:
    add(kettle, 5)
    Product.objects.update(stock=3)
    page = client.get("/basket/").content.decode()
    assert "Only 3 left. Please lower the quantity." in page
    assert "Go to checkout" not in page
    assert client.post(f"/basket/{kettle.pk}/change/", {"quantity": "3"}).status_code == 302
    assert "Go to checkout" in client.get("/basket/").content.decode()


def test_the_basket_survives_a_login(kettle: Product, ada: User, add: Add, client: Client) -> None:
    add(kettle, 2)
    given = {"username": "Ada@Example.com", "password": "a long enough secret", "next": "/basket/"}
    response = client.post("/sign-in/", given)
    assert (response.status_code, response.headers["Location"]) == (302, "/basket/")
    assert list(Cart.objects.values_list("user_id", flat=True)) == [ada.pk]
    assert contents(Owner(user_id=ada.pk)).count == 2


def test_two_baskets_become_one_at_a_login(stock: Stock, ada: User, add: Add, client: Client) -> None:
    kettle, pan, cup = stock(), stock("Moss Pan"), stock("Moss Cup", stock=500)
    own = Cart.objects.create(user=ada)
    for product, quantity in ((kettle, 7), (cup, 15)):
        CartLine.objects.create(cart=own, product=product, quantity=quantity)
    add(kettle, 6), add(pan, 1), add(cup, 15)
    client.force_login(ada)
    assert quantities() == {kettle.pk: 10, pan.pk: 1, cup.pk: MOST_OF_ONE}
    assert Cart.objects.get() == own


def test_joining_again_changes_nothing(kettle: Product, ada: User, add: Add, client: Client) -> None:
    add(kettle, 2)
    number = client.session["cart"]
    join(number, ada.pk)
    join(number, ada.pk)
    assert quantities() == {kettle.pk: 2}


def test_nobody_takes_a_cart_that_is_somebodys(kettle: Product, ada: User, add: Add, client: Client) -> None:
    add(kettle, 2)
    number = client.session["cart"]
    join(number, ada.pk)
    other = User.objects.create_user("bo@example.com")
    join(number, other.pk)
    assert Cart.objects.get().user == ada
    assert client.get("/basket/").context["basket"] == Basket()


def test_signing_out_leaves_the_basket_with_the_account(kettle: Product, ada: User, add: Add, client: Client) -> None:
    client.force_login(ada)
    add(kettle, 2)
    client.post("/sign-out/")
    assert client.get("/basket/").context["basket"] == Basket()
    client.force_login(ada)
    assert client.get("/basket/").context["basket"].count == 2


def test_each_act_is_told_once_with_how_many(kettle: Product, add: Add, client: Client) -> None:
    told: list[tuple[str, int]] = []

    def added(product: Product, quantity: int, **_: Any) -> None:
        told.append(("added", quantity))

    def removed(product: Product, quantity: int, **_: Any) -> None:
        told.append(("removed", quantity))

    signals.basket_added.connect(added)
    signals.basket_removed.connect(removed)
    try:
        add(kettle, 2)
        add(kettle, 99)
        for quantity in ("5", "5", "3"):
            client.post(f"/basket/{kettle.pk}/change/", {"quantity": quantity})
        client.post(f"/basket/{kettle.pk}/remove/")
        client.post(f"/basket/{kettle.pk}/remove/")
    finally:
        signals.basket_added.disconnect(added)
        signals.basket_removed.disconnect(removed)
    assert told == [("added", 2), ("added", 3), ("removed", 2), ("removed", 3)]


def test_a_listener_that_fails_changes_nothing_for_the_shopper(
    kettle: Product, add: Add, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**_: Any) -> None:
        raise RuntimeError("the listener's own fault")

    signals.basket_added.connect(broken)
    try:
        assert add(kettle, 2) == 302
    finally:
        signals.basket_added.disconnect(broken)
    assert quantities() == {kettle.pk: 2}
    assert [record.name for record in caplog.records] == ["django.dispatch"]


@pytest.mark.parametrize("lines", [1, 12])
def test_the_page_takes_the_same_queries_for_any_basket(
    stock: Stock, add: Add, client: Client, django_assert_num_queries: DjangoAssertNumQueries, lines: int
) -> None:
    for number in range(lines):
        add(stock(f"Kettle {number}"))
    client.get("/basket/")
    with django_assert_num_queries(6):  # session, lines, pieces, departments; a savepoint for an experiment
        assert client.get("/basket/").status_code == 200
