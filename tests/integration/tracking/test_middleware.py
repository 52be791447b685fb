"""What the middleware records of a request, and what it leaves alone; over WSGI and over ASGI."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import AsyncClient, Client
from pytest_django import DjangoAssertNumQueries, Settings

from purchase_intent.middleware import TrackingMiddleware
from purchase_intent.models import Event, Session, Visitor
from purchase_intent.shortcuts import script_facts, track
from purchase_intent.tracking import telling
from tests.integration.tracking.corner_shop import CornerShop
from tests.integration.tracking.words import errors, steps

pytestmark = pytest.mark.django_db


def test_a_page_is_recorded_with_its_role_and_where_it_came_from(client: Client) -> None:
    response = client.get("/", headers={"Referer": "https://www.google.com/search?q=secret"})
    assert response.content == b"<h1>home</h1>"
    event = Event.objects.get()
    assert (event.device, event.channel, event.country) == ("desktop", "Organic Search", "Poland")
    assert event.occurred_at.microsecond % 1000 == 0
    assert steps() == ["page_view/home"]


def test_the_next_page_goes_on_in_the_same_session(client: Client) -> None:
    client.get("/", headers={"Referer": "https://duckduckgo.com/"})
    again = client.get("/product/7/", headers={"Referer": "http://testserver/"})
    assert steps() == ["page_view/home", "view/product"]
    assert Session.objects.count() == Visitor.objects.count() == 1
    assert set(Event.objects.values_list("channel", flat=True)) == {"Organic Search"}
    assert "intent" not in again.cookies


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        pytest.param("/stream/", {}, ["page_view/listing"], id="a streamed page"),
        pytest.param("/", {"HX-Request": "true", "HX-Boosted": "true"}, ["page_view/home"], id="a boosted link"),
        pytest.param("/", {"Sec-Fetch-Dest": "document"}, ["page_view/home"], id="a document"),
        pytest.param("/", {"HX-Request": "true"}, [], id="htmx"),
        pytest.param("/", {"X-Requested-With": "XMLHttpRequest"}, [], id="an XMLHttpRequest"),
        pytest.param("/", {"Turbo-Frame": "cart"}, [], id="a frame of Turbo"),
        pytest.param("/", {"Range": "bytes=0-10"}, [], id="a part of a file"),
        pytest.param("/", {"Sec-Purpose": "prefetch;prerender"}, [], id="prerendered"),
        pytest.param("/", {"Purpose": "prefetch"}, [], id="prefetched"),
        pytest.param("/", {"X-Moz": "prefetch"}, [], id="prefetched by Firefox"),
        pytest.param("/product/7/", {"Sec-Purpose": "prefetch"}, [], id="prefetched, and the view tells"),
        pytest.param("/stock/", {}, [], id="JSON"),
        pytest.param("/media/leaflet/", {}, [], id="an upload"),
        pytest.param("/nowhere/", {}, [], id="not found"),
        pytest.param("/missing/", {}, ["wishlist/other"], id="not found, but told"),
        pytest.param("/moved/", {}, ["cart/other"], id="a redirect, but told"),
        pytest.param("/admin/login/", {}, [], id="the admin"),
    ],
)
def test_only_pages_that_are_shown_are_page_views(
    client: Client, settings: Settings, path: str, headers: dict[str, str], expected: list[str]
) -> None:
    settings.MEDIA_URL = "/media/"
    response = client.get(path, headers=headers)
    b"".join(response) if response.streaming else response.content
    assert steps() == expected
    assert ("intent" in response.cookies) == bool(expected)


def test_it_is_left_out_where_the_shop_says_nothing_of_consent(
    client: Client, settings: Settings, told: pytest.LogCaptureFixture
) -> None:
    settings.PURCHASE_INTENT = {"SHOP": "tests.integration.tracking.corner_shop.Unsaid"}
    telling._say_once.cache_clear()
    with pytest.raises(MiddlewareNotUsed, match="no consent of its own"):
        TrackingMiddleware(lambda request: HttpResponse())
    assert client.get("/product/7/").content == b"<h1>product</h1>"
    assert (steps(), told.messages) == ([], [])
    assert script_facts(HttpRequest()) == {"consent": "no"}
    settings.PURCHASE_INTENT = {"SHOP": "nowhere.Shop"}
    assert TrackingMiddleware(lambda request: HttpResponse()).is_async is False


@pytest.mark.parametrize("method", ["head", "post", "options"])
def test_only_a_get_shows_a_page(client: Client, method: str) -> None:
    getattr(client, method)("/")
    assert steps() == []


def test_a_head_of_a_page_whose_view_tells_is_nothing(client: Client) -> None:
    client.head("/product/7/")
    assert steps() == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("search", ["search/search"], id="a search"),
        pytest.param("checkout", ["checkout/checkout"], id="a step of the checkout"),
        pytest.param("page_view", ["page_view/listing"], id="the page view itself"),
        pytest.param("wishlist", ["wishlist/listing", "page_view/listing"], id="no page"),
    ],
)
def test_a_page_view_is_added_where_the_view_tells_of_no_page(
    client: Client, monkeypatch: pytest.MonkeyPatch, name: str, expected: list[str]
) -> None:
    monkeypatch.setattr(CornerShop, "doing", lambda request: track(request, name))
    client.get("/act/")
    assert steps() == expected


@pytest.mark.parametrize("path", ["/failing/", "/afailing/"])
def test_the_exception_of_a_view_passes_untouched_and_what_it_told_is_kept(client: Client, path: str) -> None:
    with pytest.raises(ZeroDivisionError, match="the view's own"):
        client.get(path)
    assert steps() == ["cart/other"]


def test_an_exception_that_reaches_the_middleware_goes_on(client: Client, settings: Settings) -> None:
    settings.DEBUG_PROPAGATE_EXCEPTIONS = True
    with pytest.raises(ZeroDivisionError, match="the view's own"):
        client.get("/failing/")
    assert steps() == ["cart/other"]


def test_a_page_that_records_nothing_asks_nobody_anything(
    client: Client, shop: type[CornerShop], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        client.get("/stock/")
        client.get("/nowhere/")
    assert shop.asked == []


def test_a_page_of_a_going_session_costs_three_statements_and_a_savepoint(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get("/product/9/")
    with django_assert_num_queries(5):
        client.get("/product/9/")
    assert steps() == ["view/product", "view/product"]


def test_the_customer_is_asked_for_at_the_end(
    client: Client, shop: type[CornerShop], monkeypatch: pytest.MonkeyPatch
) -> None:
    before: list[str] = []

    def doing(request: HttpRequest) -> None:
        track(request, "cart", product="8")
        before.extend(shop.asked)

    monkeypatch.setattr(CornerShop, "doing", doing)
    client.get("/act/")
    assert before == ["consent", "site", "page"]
    assert shop.asked[3:] == ["consent", "country", "product", "customer", "is_staff"]


def test_the_middleware_listed_twice_records_once(client: Client, settings: Settings) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "purchase_intent.middleware.TrackingMiddleware"]
    client.get("/")
    assert steps() == ["page_view/home"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("/aact/", ["page_view/listing"], id="an async view"),
        pytest.param("/act/", ["page_view/listing"], id="a sync view"),
        pytest.param("/astream/", ["page_view/listing"], id="streamed"),
        pytest.param("/product/7/", ["view/product"], id="told"),
        pytest.param("/abuy/", ["cart/product", "page_view/product"], id="told in a transaction"),
        pytest.param("/moved/", ["cart/other"], id="a redirect"),
        pytest.param("/nowhere/", [], id="not found"),
    ],
)
def test_over_asgi_the_same_is_recorded(async_client: AsyncClient, path: str, expected: list[str]) -> None:
    async def ask() -> HttpResponseBase:
        response: HttpResponseBase = await async_client.get(path)
        if isinstance(response, StreamingHttpResponse):
            assert b"".join([part async for part in response]) == b"<h1>one</h1><h1>two</h1>"
        return response

    response = async_to_sync(ask)()
    assert steps() == expected
    assert ("intent" in response.cookies) == bool(expected)


@pytest.mark.parametrize("path", ["/failing/", "/afailing/"])
@pytest.mark.parametrize("propagate", [False, True])
def test_over_asgi_the_exception_of_a_view_passes_untouched(
    async_client: AsyncClient, settings: Settings, path: str, propagate: bool
) -> None:
    settings.DEBUG_PROPAGATE_EXCEPTIONS = propagate
    with pytest.raises(ZeroDivisionError, match="the view's own"):
        async_to_sync(async_client.get)(path)
    assert steps() == ["cart/other"]


def test_over_asgi_a_login_and_a_logout_are_recorded(async_client: AsyncClient) -> None:
    User.objects.create(username="ada")
    async_to_sync(async_client.get)("/aact/")
    async_to_sync(async_client.post)("/aenter/", {"name": "ada"})
    left = async_to_sync(async_client.post)("/aleave/")
    assert steps() == ["page_view/listing", "login/sign_in", "logout/other"]
    assert Visitor.objects.get().known
    assert "intent" in left.cookies


@pytest.mark.parametrize("method", ["consent", "site", "customer", "is_staff", "page", "country"])
def test_a_broken_adapter_is_one_error_with_its_remedy(
    client: Client,
    shop: type[CornerShop],
    monkeypatch: pytest.MonkeyPatch,
    told: pytest.LogCaptureFixture,
    method: str,
) -> None:
    monkeypatch.setattr(shop, "broken", frozenset({method}))
    response = client.get("/product/8/")
    assert response.content == b"<h1>product</h1>"
    assert "intent" not in response.cookies
    (said,) = errors(told)
    assert said == (
        "This request is not recorded, or not wholly: LookupError: mend what the traceback ends with, such as a method "
        "of the shop's adapter."
    )
    assert steps() == []
