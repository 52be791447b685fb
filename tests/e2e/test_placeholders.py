"""A page out of a cache in a real browser: each visitor is shown its own parts, under a strict policy."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings

from purchase_intent.models import Visitor
from purchase_intent.segments.presets import install
from tests.e2e.conftest import KITCHEN, Visit

pytestmark = [pytest.mark.slow]

Visits = Callable[..., Visit]


@pytest.fixture(autouse=True)
def cached(settings: Settings, transactional_db: None) -> None:
    """Serve the page from a cache of this side, in a shop with the built-in segments."""
    settings.ROOT_URLCONF = "tests.e2e.cached_shop"
    cache.clear()
    install(now=timezone.now())


def decisions(page: Page) -> list[str]:
    """What the script asks from now on."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "/decision/" in request.url else None)
    return sent


def shown(page: Page) -> str:
    return " ".join(page.locator("#parts").inner_text().split())


def test_each_is_shown_its_own_part_of_one_copy(visit: Visits) -> None:
    seen = visit(1440, answer="accepted")
    asked = decisions(seen.page)
    seen.go(KITCHEN)
    with seen.page.expect_response("**/decision/**") as answered:
        seen.go("/parted/")
    expect(seen.page.get_by_text("Welcome back.")).to_be_visible()
    assert shown(seen.page) == "Welcome back. First time here."
    assert "probability" not in answered.value.text()
    assert answered.value.headers["cache-control"] == "no-store, private"
    other = visit(1440, answer="declined")
    other.go("/parted/")
    other.page.wait_for_timeout(300)
    assert (shown(other.page), len(asked)) == ("Welcome.", 1)
    assert (seen.errors, seen.foreign) == ([], [])


def test_who_objects_sees_what_everybody_sees_and_nothing_is_asked(visit: Visits) -> None:
    seen = visit(360, answer="accepted", objects=True)
    seen.page.add_init_script("Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})")
    asked = decisions(seen.page)
    seen.go("/parted/")
    seen.page.evaluate("intent.decide()")
    seen.page.wait_for_timeout(300)
    assert (shown(seen.page), asked, Visitor.objects.count()) == ("Welcome.", [], 0)
    assert seen.errors == []


def test_without_an_answer_the_page_stays_as_it_came(visit: Visits) -> None:
    seen = visit(1440, answer="accepted")
    seen.go(KITCHEN)
    for fate in ("503", "gone", "nonsense"):
        seen.page.route(
            "**/decision/**",
            lambda route, fate=fate: (
                route.abort() if fate == "gone" else route.fulfill(status=503 if fate == "503" else 200, body="<p>")
            ),
        )
        seen.go("/parted/")
        seen.page.wait_for_timeout(200)
        assert shown(seen.page) == "Welcome."
        seen.page.unroute("**/decision/**")
