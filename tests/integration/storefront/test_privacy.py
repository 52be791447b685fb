"""The question about privacy: asked once, answered without a script, changed at any time."""

from __future__ import annotations

import pytest
from django.test import Client

from demo_shop.models import Product

ASKED = "May we note which pages you see"


def text(client: Client, path: str, **headers: str) -> str:
    return client.get(path, headers=headers).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("given", ["accepted", "declined"])
def test_an_answer_is_kept_and_not_asked_for_again(client: Client, kettle: Product, given: str) -> None:
    here = f"{kettle.get_absolute_url()}?from=mail"
    assert ASKED in text(client, here)
    answered = client.post("/privacy/", {"answer": given, "next": here})
    assert (answered.status_code, answered.headers["Location"]) == (302, here)
    cookie = answered.cookies["privacy"]
    assert (cookie.value, cookie["httponly"], cookie["samesite"], cookie["max-age"], cookie["secure"]) == (
        given, True, "Lax", 180 * 24 * 60 * 60, "",
    )  # fmt: skip
    assert ASKED not in text(client, here)


@pytest.mark.django_db
def test_over_https_the_answer_travels_no_other_way(client: Client) -> None:
    answered = client.post("/privacy/", {"answer": "accepted"}, secure=True)
    assert answered.cookies["privacy"]["secure"] is True


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        pytest.param("https://elsewhere.example/", "/", id="another host"),
        pytest.param("//elsewhere.example/", "/", id="another host, short"),
        pytest.param("javascript:alert(1)", "/", id="a script"),
        pytest.param("shop/", "/", id="no path"),
        pytest.param("", "/", id="nowhere"),
        pytest.param("/basket/7/change/", "/basket/", id="an address that takes no GET"),
        pytest.param("/search/?q=lamp&page=2", "/search/?q=lamp&page=2", id="a page of the shop"),
    ],
)
def test_an_answer_leads_back_to_a_page_of_this_shop(client: Client, wanted: str, leads_to: str) -> None:
    assert client.post("/privacy/", {"answer": "declined", "next": wanted}).headers["Location"] == leads_to


@pytest.mark.django_db
@pytest.mark.parametrize("given", ["", "maybe", "Accepted"])
def test_what_is_no_answer_is_not_kept(client: Client, given: str) -> None:
    answered = client.post("/privacy/", {"answer": given})
    assert (answered.status_code, "privacy" in answered.cookies) == (400, False)
    assert b"That was no answer we know." in answered.content


@pytest.mark.django_db
def test_a_cookie_that_is_no_answer_counts_as_none(client: Client) -> None:
    client.cookies["privacy"] = "whatever"
    assert ASKED in text(client, "/")


@pytest.mark.django_db
@pytest.mark.parametrize("header", ["sec_gpc", "dnt"])
def test_who_objects_by_their_browser_is_not_asked(client: Client, header: str) -> None:
    assert ASKED not in text(client, "/", **{header: "1"})
    assert "Your browser asks not to be followed" in text(client, "/privacy/", **{header: "1"})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param(None, "You have not answered yet, and nothing is recorded.", id="no answer"),
        pytest.param("accepted", "You said yes: your visits are recorded.", id="yes"),
        pytest.param("declined", "You said no: nothing is recorded.", id="no"),
    ],
)
def test_the_footer_leads_to_the_choices_as_they_stand(client: Client, given: str | None, said: str) -> None:
    if given is not None:
        client.post("/privacy/", {"answer": given})
    assert '<a href="/privacy/">Privacy choices</a>' in text(client, "/")
    page = text(client, "/privacy/")
    assert said in page
    assert ASKED not in page
