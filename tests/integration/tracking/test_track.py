"""What a shop tells by `track`: what becomes of it, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from purchase_intent.events import Page
from purchase_intent.models import Event, Session
from purchase_intent.shortcuts import score, shown_again, track, track_order
from purchase_intent.tracking import telling
from purchase_intent.tracking.attached import tracker_of
from purchase_intent.tracking.recorder import Journey
from tests.integration.tracking.corner_shop import CornerShop
from tests.integration.tracking.words import Doing, Wordless, errors, kinds, steps, warned

pytestmark = pytest.mark.django_db


def test_what_is_told_is_stored_with_what_the_catalogue_knows(client: Client, doing: Doing) -> None:
    doing(lambda request: track(request, "Product Added", product=7, price=Decimal("12.50"), quantity=3))
    client.post("/act/")
    event = Event.objects.get()
    stored = (event.product, event.category, event.brand, event.price, event.quantity)
    assert stored == ("7", "home/lamps", "Lumo", 12.5, 3)


def test_the_catalogue_is_not_asked_for_what_was_told(client: Client, doing: Doing, shop: type[CornerShop]) -> None:
    doing(lambda request: track(request, "cart", product="7", category="a", brand="b", price=1))
    client.post("/act/")
    assert "product" not in shop.asked
    assert Event.objects.values_list("category", "brand", "price").get() == ("a", "b", 1.0)


@pytest.mark.parametrize("word", ["'; DROP TABLE purchase_intent_event; --", "<script>alert(1)</script>", "Lampe 💡"])
def test_any_text_is_stored_as_it_is(client: Client, doing: Doing, word: str) -> None:
    doing(lambda request: track(request, "search", search=word))
    client.get("/act/")
    assert Event.objects.get().search == word


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"name": "teleport"}, "track('teleport') is not recorded: name: use one of ", id="unknown name"),
        pytest.param({"name": None}, "track(None) is not recorded: name: use one of ", id="no name"),
        pytest.param({"name": Wordless()}, "track(Wordless) is not recorded: name: use one of ", id="no text"),
        pytest.param({"name": "purchase"}, "name: tell of an order with track_order", id="a purchase"),
        pytest.param({"price": 1e300}, "price: give at most 1000000000", id="absurd price"),
        pytest.param({"price": 10**400}, "price: give at most 1000000000", id="a price no float holds"),
        pytest.param({"price": Decimal("1e400")}, "price: give a finite number", id="a decimal no float holds"),
        pytest.param({"price": float("nan")}, "price: give a finite number", id="no number"),
        pytest.param({"price": Decimal("sNaN")}, "price: give a finite number", id="no decimal"),
        pytest.param({"price": "12"}, "price: give a finite number", id="a price as text"),
        pytest.param({"price": -1}, "price: give 0 or more", id="negative price"),
        pytest.param({"quantity": -1}, "quantity: give 0 or more", id="negative quantity"),
        pytest.param({"quantity": 2.5}, "quantity: give a whole number", id="half a piece"),
        pytest.param({"product": "x" * 100_000}, "product: give at most 500 characters", id="100 KB of product"),
        pytest.param({"event_id": "x" * 100_000}, "event_id: give at most 500 characters", id="100 KB of id"),
        pytest.param({"product": "a\x00b"}, "product: leave out control characters", id="control characters"),
        pytest.param({"search": "\ud800"}, "search: leave out control characters", id="half a surrogate pair"),
        pytest.param({"category": 7}, "category: give a text, not int", id="a number as category"),
        pytest.param({"page": "attic"}, "page: use one of ", id="unknown page"),
        pytest.param({"occurred_at": datetime(2026, 1, 1)}, "occurred_at: give the time with its zone", id="naive"),  # noqa: DTZ001
        pytest.param(
            {"occurred_at": datetime(2090, 1, 1, tzinfo=UTC)}, "occurred_at: give a time that has passed", id="to come"
        ),
    ],
)
def test_what_is_not_fit_is_logged_with_its_remedy_and_the_rest_is_recorded(
    client: Client, doing: Doing, told: pytest.LogCaptureFixture, given: dict[str, Any], message: str
) -> None:
    def act(request: HttpRequest) -> None:
        track(request, **{"name": "cart", "product": "8"} | given)
        track(request, "wishlist", product="9")

    doing(act)
    assert client.get("/act/").content == b"<h1>done</h1>"
    assert steps() == ["wishlist/listing", "page_view/listing"]
    (said,) = warned(told)
    assert message in said
    assert len(said) < 500
    assert errors(told) == []


@pytest.mark.parametrize(
    ("path", "given", "expected"),
    [
        pytest.param("/act/", {"name": "cart"}, "cart/listing", id="the page asked for"),
        pytest.param("/act/", {"name": "view"}, "view/product", id="what the event implies"),
        pytest.param("/act/", {"name": "cart", "page": Page.PRODUCT}, "cart/product", id="given"),
        pytest.param("/act/", {"name": "cart", "page": "Product"}, "cart/product", id="given as a word"),
        pytest.param("/review/", {"name": "checkout"}, "checkout/review", id="a later step of the checkout"),
        pytest.param("/act/", {"name": "checkout"}, "checkout/checkout", id="a checkout elsewhere"),
        pytest.param("/product-7/", {"name": "select_item"}, "select_item/listing", id="chosen, told by its page"),
        pytest.param("/register/", {"name": "sign_up"}, "sign_up/register", id="an account"),
        pytest.param("/product/8/", {}, "view/product", id="a product"),
    ],
)
def test_the_page_is_spelled_as_the_logs_spell_it(
    client: Client, doing: Doing, path: str, given: dict[str, Any], expected: str
) -> None:
    doing(lambda request: track(request, **given))
    (client.get if not given else client.post)(path)
    assert steps() == [expected]


def test_what_was_told_twice_with_its_id_and_time_is_one_event(client: Client, doing: Doing) -> None:
    when = timezone.now() - timedelta(minutes=1)
    doing(lambda request: track(request, "wishlist", product="8", event_id="w-1", occurred_at=when))
    client.post("/act/")
    client.post("/act/")
    assert kinds() == ["wishlist"]
    assert Event.objects.get().occurred_at == when.replace(microsecond=when.microsecond // 1000 * 1000)


def test_a_catalogue_that_fails_costs_the_facts_alone(
    client: Client, doing: Doing, monkeypatch: pytest.MonkeyPatch, told: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(CornerShop, "broken", frozenset({"product"}))

    def act(request: HttpRequest) -> None:
        for number in "789":
            track(request, "cart", product=number)

    doing(act)
    client.post("/act/")
    assert kinds() == ["cart", "cart", "cart"]
    assert len(errors(told)) == 1


def test_outside_a_tracked_request_it_is_said_once(told: pytest.LogCaptureFixture) -> None:
    telling._say_once.cache_clear()
    for request in (HttpRequest(), None):
        track(request, "cart", product="7")  # type: ignore[arg-type]
        track_order(request, number="A-1", revenue=3, lines=[])  # type: ignore[arg-type]
    assert warned(told) == [
        "track was called without a tracked request: list purchase_intent.middleware.TrackingMiddleware."
    ]
    assert kinds() == []


def test_after_the_response_it_is_said_once(client: Client, doing: Doing, told: pytest.LogCaptureFixture) -> None:
    telling._say_once.cache_clear()
    kept: list[HttpRequest] = []
    doing(kept.append)
    client.get("/act/")
    track(kept[0], "cart", product="7")
    assert warned(told) == ["track was called after the response was made: call it in the view."]
    assert kinds() == ["page_view"]


class _Undone(Exception):
    pass


def _bought(request: HttpRequest, *, undone: bool) -> None:
    try:
        with transaction.atomic():
            track(request, "cart", product="7")
            with transaction.atomic():
                track(request, "wishlist", product="7")
            if undone:
                raise _Undone
    except _Undone:
        pass


@pytest.mark.parametrize("undone", [False, True])
def test_what_is_told_within_a_transaction_around_the_request_goes_with_it(
    client: Client, doing: Doing, undone: bool
) -> None:
    doing(lambda request: _bought(request, undone=undone))
    client.get("/act/")
    assert kinds() == ([] if undone else ["cart", "wishlist"]) + ["page_view"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("undone", [False, True])
def test_what_is_told_in_the_outermost_transaction_waits_for_its_commit(
    client: Client, doing: Doing, undone: bool
) -> None:
    doing(lambda request: _bought(request, undone=undone))
    client.get("/act/")
    assert kinds() == ([] if undone else ["cart", "wishlist"]) + ["page_view"]


@pytest.mark.django_db(transaction=True)
def test_a_request_that_is_one_transaction_is_recorded(
    client: Client, doing: Doing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    doing(lambda request: track(request, "cart", product="7"))
    client.get("/act/")
    assert kinds() == ["cart", "page_view"]
    with pytest.raises(ZeroDivisionError):
        client.get("/failing/")
    assert kinds() == ["cart", "page_view"]


def test_a_database_that_fails_costs_the_record_alone(
    client: Client, monkeypatch: pytest.MonkeyPatch, told: pytest.LogCaptureFixture
) -> None:
    def gone(*args: object, **kwargs: object) -> None:
        raise DatabaseError("server closed the connection unexpectedly")

    monkeypatch.setattr(Journey, "record", gone)
    response = client.get("/product/7/")
    assert response.content == b"<h1>product</h1>"
    assert not response.cookies
    (said,) = errors(told)
    assert said == (
        "This request is not recorded, or not wholly: DatabaseError: see that the database answers and that manage.py "
        "migrate has run."
    )


def test_what_a_fault_kept_from_being_foreseen_is_recorded_whole_at_the_end(
    client: Client, doing: Doing, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Journey.session

    def act(request: HttpRequest) -> None:
        def gone(*args: object, **kwargs: object) -> None:
            raise DatabaseError("for a moment")

        track(request, "cart", product="7")
        tracker = tracker_of(request)
        assert tracker is not None
        with monkeypatch.context() as patched:
            patched.setattr(Journey, "session", gone)
            with pytest.raises(DatabaseError):
                tracker.pending()
        assert Journey.session is session

    doing(act)
    client.post("/act/")
    assert Event.objects.values_list("brand", "device", "country").get() == ("Lumo", "desktop", "Poland")


def test_a_page_shown_again_is_no_page_view(
    client: Client, shop: type[CornerShop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop, "doing", staticmethod(shown_again))
    response = client.get("/act/")
    assert (response.content, steps()) == (b"<h1>done</h1>", [])
    assert "intent" not in response.cookies


def test_what_is_told_of_a_page_shown_again_counts(
    client: Client, shop: type[CornerShop], monkeypatch: pytest.MonkeyPatch
) -> None:
    def tell(request: HttpRequest) -> None:
        shown_again(request)
        track(request, "wishlist", product="7")

    monkeypatch.setattr(shop, "doing", staticmethod(tell))
    client.get("/act/")
    assert steps() == ["wishlist/listing"]


def test_the_shop_may_know_better_what_led_here(
    client: Client, shop: type[CornerShop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop, "referrer", lambda self, request: "https://www.bing.com/" + "x" * 5_000, raising=False)
    client.get("/", headers={"Referer": "http://testserver/consent/"})
    assert Session.objects.get().channel == "Organic Search"


def test_the_score_of_a_page_shown_again_is_kept(
    client: Client, shop: type[CornerShop], monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[float | None] = []

    def ask(request: HttpRequest) -> None:
        shown_again(request)
        found.append(score(request).probability)

    client.get("/product/7/")
    assert Session.objects.get().score is None
    monkeypatch.setattr(shop, "doing", staticmethod(ask))
    client.get("/act/")
    session = Session.objects.get()
    assert found == [session.score]
    assert session.score is not None
    assert steps() == ["view/product"]
