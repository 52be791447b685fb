"""Accounts: registering, signing in and out, and where one is led afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from demo_shop import signals
from demo_shop.models import Cart, Product

NEW = {
    "first_name": "Ada",
    "email": "Ada@Example.com",
    "password1": "a long enough secret",
    "password2": "a long enough secret",
}


def test_registering_signs_in_and_keeps_the_basket(kettle: Product, client: Client, add: Callable[..., int]) -> None:
    add(kettle, 2)
    told: list[str] = []

    def registered(user: User, **_: Any) -> None:
        told.append(user.username)

    signals.registered.connect(registered)
    try:
        assert client.post("/register/", NEW | {"next": "/basket/"}).headers["Location"] == "/basket/"
    finally:
        signals.registered.disconnect(registered)
    assert told == ["ada@example.com"]
    user = User.objects.get()
    assert (user.username, user.email, user.first_name) == ("ada@example.com", "ada@example.com", "Ada")
    assert client.get("/basket/").context["basket"].count == 2
    assert Cart.objects.get().user == user
    assert client.get("/register/").headers["Location"] == "/account/"


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"email": "ada"}, "email", "This is no email address: it looks like name@example.com."),
        ({"password2": ""}, "password2", "Please give the same password again."),
        ({"first_name": ""}, "first_name", "Please give your name."),
        ({"password2": "another secret"}, "password2", "The two password fields didn’t match."),  # noqa: RUF001 (Django's own words)
        (
            {"password1": "short", "password2": "short"},
            "password2",
            "This password is too short. It must contain at least 8 characters.",
        ),
    ],
)
def test_a_registration_that_cannot_be_makes_no_account(
    db: None, client: Client, given: dict[str, str], field: str, said: str
) -> None:
    response = client.post("/register/", NEW | given)
    assert (response.status_code, response.context["form"].errors) == (200, {field: [said]})
    assert User.objects.count() == 0


def test_an_address_has_one_account(ada: User, client: Client) -> None:
    errors = client.post("/register/", NEW).context["form"].errors
    assert errors == {"email": ["There is an account with this address. Please sign in."]}
    assert User.objects.get() == ada


@pytest.mark.parametrize("page", ["/sign-in/", "/register/"])
def test_nobody_is_led_to_another_host(ada: User, client: Client, page: str) -> None:
    given = {"username": ada.username, "password": "a long enough secret"} | NEW | {"email": "bo@example.com"}
    response = client.post(page, given | {"next": "https://elsewhere.example/"})
    assert response.headers["Location"] == "/account/"


def test_a_wrong_password_says_no_more_than_it_must(ada: User, client: Client) -> None:
    for username in (ada.username, "nobody@example.com"):
        response = client.post("/sign-in/", {"username": username, "password": "a guess"})
        said = response.context["form"].non_field_errors()
        assert said == ["We know no account with this email address and password."]
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("path", ["/account/", "/account/orders/260302-ABCDEF/"])
def test_an_account_is_for_whoever_is_signed_in(db: None, client: Client, path: str) -> None:
    assert client.get(path).headers["Location"] == f"/sign-in/?next={path}"


def test_signing_out_takes_a_post(ada: User, client: Client) -> None:
    client.force_login(ada)
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").headers["Location"] == "/"
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        pytest.param("delivery", "Two to four working days", id="delivery"),
        pytest.param("returns", "Send anything back within 30 days", id="returns"),
        pytest.param("payment", "no payment takes place", id="payment"),
        pytest.param("about", "Tidewell is a shop that does not exist", id="about"),
    ],
)
def test_there_are_pages_to_read(db: None, client: Client, topic: str, words: str) -> None:
    response = client.get(f"/information/{topic}/")
    assert response.status_code == 200
    assert words in response.content.decode()
    assert f'href="/information/{topic}/" aria-current="page"' in response.content.decode()
    assert client.get("/information/gossip/").status_code == 404


def test_a_form_from_elsewhere_is_refused_in_the_shops_own_words(db: None) -> None:
    response = Client(enforce_csrf_checks=True).post("/register/", NEW)
    assert response.status_code == 403
    assert b"This page was open for too long" in response.content
    assert User.objects.count() == 0
