"""The script in a real browser: what is done arrives, once, under a strict policy; without consent nothing does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.cache import cache
from playwright.sync_api import Page, Request, Response, Route
from pytest_django import Settings

from purchase_intent.events import EventName
from purchase_intent.models import Event, Session, Visitor
from tests.e2e.conftest import KITCHEN, LONG_NAME, Visit

pytestmark = [pytest.mark.slow]

Visits = Callable[..., Visit]
EVENTS = "/intent/v1/events/"
"""Where the script sends."""


def names() -> list[str]:
    """What was recorded, in order."""
    return [EventName(number).label for number in Event.objects.in_order().values_list("name", flat=True)]


def arrived(page: Page, count: int) -> list[str]:
    """Wait until so many events are stored, and half a second for one too many.

    How long a page was looked at is left out: an address that is typed in tells of it too.
    """
    for _ in range(100):
        if len(told()) >= count:
            break
        page.wait_for_timeout(100)
    page.wait_for_timeout(500)
    return told()


def told() -> list[str]:
    return [name for name in names() if name != "interaction"]


def posts(page: Page) -> list[Request]:
    """The requests that the script sends from now on."""
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.url.endswith(EVENTS) else None)
    return sent


def test_a_visit_ends_with_the_tab_and_every_event_arrives_once(visit: Visits) -> None:
    seen = visit(1440, answer="accepted")
    page = seen.page
    seen.go(KITCHEN)
    page.get_by_role("link", name=LONG_NAME).first.click()
    page.get_by_role("button", name="Add to basket").click()
    page.get_by_role("link", name="View basket").click()
    page.wait_for_load_state()
    page.wait_for_timeout(1200)
    other = page.context.new_page()
    page.close(run_before_unload=True)
    assert arrived(other, 5) == ["page_view", "select_item", "view", "cart", "view_cart"]
    for _ in range(100):
        if "interaction" in names():
            break
        other.wait_for_timeout(100)
    assert names()[5:] == ["interaction"]
    last = Event.objects.get(name=EventName.INTERACTION.value)
    assert Session.objects.get().last_at == last.occurred_at
    assert Session.objects.get().read_state().dwell[5] > 1
    assert (seen.errors, seen.foreign) == ([], [])


@pytest.mark.parametrize(
    ("answer", "objects"),
    [
        pytest.param("accepted", True, id="the browser objects"),
        pytest.param("declined", False, id="declined"),
        pytest.param("", False, id="not answered"),
    ],
)
def test_who_does_not_agree_sends_nothing(visit: Visits, answer: str, objects: bool) -> None:
    seen = visit(1440, answer=answer, objects=objects)
    if objects:
        seen.page.add_init_script(
            "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})"
        )
    sent = posts(seen.page)
    seen.go("/")
    seen.page.evaluate("localStorage.setItem('intent', '[1]')")
    seen.go(KITCHEN)
    seen.page.get_by_role("link", name=LONG_NAME).first.click()
    seen.page.get_by_role("button", name="Add to basket").click()
    seen.page.evaluate("intent.track('wishlist', {product: '7'}); intent.flush()")
    seen.page.wait_for_timeout(1200)
    seen.page.goto("about:blank")
    seen.page.wait_for_timeout(500)
    assert sent == []
    assert [model.objects.count() for model in (Visitor, Session, Event)] == [0, 0, 0]
    seen.go("/")
    assert seen.page.evaluate("Object.keys(localStorage)") == []
    assert seen.errors == []


@pytest.fixture
def cached(settings: Settings) -> None:
    """Serve a page from a cache of this side."""
    settings.ROOT_URLCONF = "tests.e2e.cached_shop"
    cache.clear()


def test_a_page_from_the_servers_own_cache_counts_once(visit: Visits, cached: None) -> None:
    seen = visit(1440, answer="accepted")
    for _ in range(3):
        with seen.page.expect_response(lambda answer: answer.url.endswith(EVENTS)):
            seen.go("/cached/")
    assert arrived(seen.page, 3) == ["page_view"] * 3
    assert Session.objects.count() == 1


def test_a_page_from_a_cache_on_the_way_is_told_by_the_script(visit: Visits, cached: None) -> None:
    """The copy has the header of the visitor for whom it was made."""
    first, second = visit(1440, answer="accepted"), visit(1440, answer="accepted")
    kept: list[Response] = []
    first.page.on("response", lambda answer: kept.append(answer) if answer.url.endswith("/cached/") else None)
    with first.page.expect_response(lambda answer: answer.url.endswith(EVENTS)):
        first.go("/cached/")
    body, headers = kept[0].body(), {name: value for name, value in kept[0].headers.items() if name != "set-cookie"}

    def serve(route: Route) -> None:
        route.fulfill(status=200, body=body, headers=headers)

    for seen in (first, second):
        seen.page.context.route("**/cached/", serve)
    for _ in range(2):
        for seen in (first, second):
            with seen.page.expect_response(lambda answer: answer.url.endswith(EVENTS)):
                seen.go("/cached/")
    assert arrived(first.page, 5) == ["page_view"] * 5
    assert Visitor.objects.count() == Session.objects.count() == 2


def test_attributes_tell_of_what_is_shown_and_done(visit: Visits, cached: None) -> None:
    seen = visit(1440, answer="accepted")
    sent = posts(seen.page)
    seen.go("/viewed/")
    seen.page.get_by_role("button", name="Wish").click()
    seen.page.get_by_role("button", name="Add").click()
    assert sorted(arrived(seen.page, 5)) == ["cart", "page_view", "page_view", "view", "wishlist"]
    cart = Event.objects.get(name=EventName.CART.value)
    assert (cart.product, cart.quantity, cart.page, cart.price) == ("1001", 3, 3, cart.price)
    assert all(len(request.post_data or "") < 65_536 for request in sent)
    assert Visitor.objects.get().bot == "headless"


def test_much_is_sent_in_parts_that_a_browser_takes(visit: Visits) -> None:
    seen = visit(1440, answer="accepted")
    seen.go("/")
    sent = posts(seen.page)
    seen.page.evaluate("for (let n = 0; n < 190; n++) intent.track('search', {search: 'ü'.repeat(480)})")
    seen.page.evaluate("intent.flush()")
    assert arrived(seen.page, 191).count("search") == 190
    sizes = [len((request.post_data or "").encode()) for request in sent]
    assert len(sizes) > 2
    assert max(sizes) < 65_536


def test_what_cannot_be_sent_waits_for_the_next_page(visit: Visits) -> None:
    seen = visit(1440, answer="accepted")
    seen.go("/")
    blocked = lambda route: route.abort()  # noqa: E731 (to be taken away again)
    seen.page.context.route(f"**{EVENTS}", blocked)
    # What is no queue of ours stands in no event's way.
    seen.page.evaluate("localStorage.setItem('intent', '{}')")
    seen.page.evaluate("for (let n = 0; n < 201; n++) intent.track('wishlist', {product: `${n}`}); intent.flush()")
    # Of more than are kept back the latest are.
    seen.page.wait_for_function("JSON.parse(localStorage.getItem('intent') || '[]').length === 200")
    seen.page.context.unroute(f"**{EVENTS}", blocked)
    seen.go("/")
    assert arrived(seen.page, 202) == ["page_view", *["wishlist"] * 200, "page_view"]
    assert not Event.objects.filter(product="0").exists()
    seen.page.wait_for_function("localStorage.getItem('intent') === null")


def test_without_known_consent_nothing_is_kept_in_the_browser(visit: Visits, cached: None) -> None:
    seen = visit(1440, answer="")
    seen.page.context.route(f"**{EVENTS}", lambda route: route.abort())
    seen.go("/cached/")
    seen.page.evaluate("intent.flush()")
    seen.page.wait_for_timeout(500)
    assert seen.page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    assert not Event.objects.exists()


def test_consent_given_on_the_page_begins_the_telling(visit: Visits) -> None:
    seen = visit(1440, answer="")
    seen.go("/")
    seen.page.evaluate("intent.track('wishlist', {product: '7'}); intent.flush()")
    seen.page.context.add_cookies([{"name": "privacy", "value": "accepted", "url": seen.root}])
    seen.page.evaluate("intent.consent(true); intent.track('wishlist', {product: '8'}); intent.flush()")
    assert arrived(seen.page, 1) == ["wishlist"]
    assert Event.objects.get().product == "8"
