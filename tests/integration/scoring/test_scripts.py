"""Arms for a page's own scripts: what the page tells them, and what is counted of what they have shown."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import include, path
from django.utils import timezone
from pytest_django import Settings

from purchase_intent import shortcuts
from purchase_intent.experiments import exposing
from purchase_intent.experiments.definition import ArmSpec
from purchase_intent.experiments.editing import stop_experiment
from purchase_intent.models import Exposure, Segment, Visitor
from purchase_intent.segments.presets import install
from tests.integration.scoring import host
from tests.integration.scoring.conftest import BROWSER
from tests.integration.scoring.host import Host, render
from tests.integration.scoring.test_variants import NOW, running
from tests.integration.segments.street import segment_of

pytestmark = pytest.mark.django_db

urlpatterns = [*host.urlpatterns, path("intent/", include("purchase_intent.urls"))]
TAG = "{% experiments_script %}"


@pytest.fixture
def browser(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A browser on a page with the tag, of a shop that includes the app's URLs."""
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = ["purchase_intent.middleware.TrackingMiddleware"]
    settings.PURCHASE_INTENT = {"SHOP": "tests.integration.scoring.host.Host"}
    monkeypatch.setattr(Host, "doing", staticmethod(lambda request: render(TAG, request)), raising=False)
    return Client(headers={"User-Agent": BROWSER})


def told(browser: Client, query: str = "") -> dict[str, Any]:
    """The definitions in the page."""
    found = re.search(r'<script id="intent-experiments" type="application/json">(.*?)</script>', page(browser, query))
    assert found is not None
    facts: dict[str, Any] = json.loads(found[1])
    return facts


def page(browser: Client, query: str = "") -> str:
    return browser.get(f"/{query}").content.decode()


def tell(browser: Client, body: object, **headers: str) -> Any:
    """What a page's script sends, and its answer."""
    sent = body if isinstance(body, str) else json.dumps(body)
    given = {"Sec-Fetch-Site": "same-origin"} | headers
    return browser.post("/intent/v1/exposures/", sent, content_type="text/plain;charset=UTF-8", headers=given)


def results(browser: Client, **arms: str) -> dict[str, str]:
    answer = tell(browser, {"exposures": arms})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "private")
    found: dict[str, str] = answer.json()["results"]
    return found


def test_a_page_tells_its_scripts_enough_to_draw_and_exposes_nobody(browser: Client) -> None:
    bar = running(arms=(ArmSpec("off", 0.5), ArmSpec("on", 0.5, "Secret title")))
    stop_experiment(running("done"), shipped="on", who="a", now=NOW)
    facts = told(browser)
    assert facts["unit"] == Visitor.objects.get().cookie
    assert facts["given"] == {}
    assert facts["experiments"]["done"] == {"default": "on"}
    defined = facts["experiments"]["bar"]
    assert (defined["default"], defined["allocation"]["arms"]) == ("off", ["off", "on"])
    text = page(browser)
    assert "Secret" not in text
    assert text.index("bucketing.js") < text.index("experiments.js")
    assert 'data-url="/intent/v1/exposures/" data-consent="yes"' in text
    assert not Exposure.objects.exists()
    assert bar.state == "running"


def test_a_page_for_a_cache_says_nothing_of_its_visitor(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    running()
    running("other")
    text = "{% experiments_script 'bar' 'gone' cached=True %}"
    monkeypatch.setattr(Host, "doing", staticmethod(lambda request: render(text, request)))
    facts = told(browser)
    assert (facts["unit"], facts["given"], list(facts["experiments"])) == ("", {}, ["bar"])
    assert "data-cached" in page(browser)
    assert "data-consent" not in page(browser)


def test_what_a_script_has_shown_is_counted_once_and_not_taken_on_trust(browser: Client) -> None:
    install(now=timezone.now())  # a test before this one may have emptied the tables
    running(arms=(ArmSpec("off", 0.0), ArmSpec("on", 1.0)))
    running("closed", traffic=0.0)
    told(browser)
    asked = {"bar": "on", "closed": "on", "gone": "on"}
    expected = {"bar": "counted", "closed": "not_taking_part", "gone": "unknown_experiment"}
    assert results(browser, bar="off") == {"bar": "another_arm"}
    assert not Exposure.objects.exists()
    assert results(browser, **asked) == expected
    exposing.forget_exposures()  # another process
    assert results(browser, **asked) == expected
    exposure = Exposure.objects.get()
    assert (exposure.arm.key, exposure.unit) == ("on", Visitor.objects.get().cookie)
    assert exposure.visitor is not None
    assert exposure.score is not None
    assert Segment.objects.get(key="new-visitors").pk in Exposure.unlisted(exposure.segments or "")


def test_who_left_a_segment_keeps_the_arm_and_staff_are_told_the_arm_they_ask_for(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    Segment.objects.all().delete()
    segment_of("first-page", ("events", "<=", 1))
    running(segment="first-page")
    assert told(browser)["given"] == {"bar": {"arm": "on", "counts": True}}
    assert results(browser, bar="on") == {"bar": "counted"}
    assert told(browser)["given"] == {"bar": {"arm": "on", "counts": True}}
    monkeypatch.setattr(Host, "is_staff", lambda self, request: True)
    assert told(browser)["given"] == {}
    assert told(browser, "?intent_arm=bar:on")["given"] == {"bar": {"arm": "on", "counts": False}}
    assert results(browser, bar="on") == {"bar": "not_taking_part"}


def test_without_consent_without_a_cookie_or_with_a_fault_nothing_is_counted(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    running()
    assert results(browser, bar="on") == {"bar": "no_cookie"}
    assert results(browser, bar="on") == {"bar": "no_cookie"}
    told(browser)
    monkeypatch.setattr(Host, "agreed", False)
    assert results(browser, bar="on") == {"bar": "no_consent"}
    facts = told(browser)
    assert (facts["unit"], facts["given"]) == ("", {})
    monkeypatch.setattr(shortcuts, "offered", lambda *args, **kwargs: 1 / 0)
    assert told(browser) == {}
    assert not Exposure.objects.exists()


def test_what_cannot_be_read_or_comes_from_elsewhere_is_refused(browser: Client) -> None:
    running()
    told(browser)
    many = {"exposures": {f"e{number}": "on" for number in range(51)}}
    bodies: list[object] = ["", "[", "[]", "{}", {"exposures": []}, {"exposures": {}}, {"exposures": {"bar": 1}}, many]
    for body in bodies:
        answer = tell(browser, body)
        assert answer.status_code == 400
        assert "50 entries at most" in json.dumps(answer.json())
    assert tell(browser, {"exposures": {"bar": "on"}}, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert not Exposure.objects.exists()


def test_a_shop_without_the_urls_has_no_script(browser: Client, settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.integration.scoring.host"
    assert page(browser) == ""


def test_arms_are_told_over_the_api_as_pages_show_them_and_nobody_is_counted(browser: Client) -> None:
    running()
    assert browser.get("/intent/v1/variants/").json() == {"variants": {"bar": "off"}}  # no visit yet: the default
    page(browser)
    assert browser.get("/intent/v1/variants/?experiment=bar&experiment=nix").json() == {"variants": {"bar": "on"}}
    assert not Exposure.objects.exists()
    assert results(browser, bar="on") == {"bar": "counted"}
    assert Exposure.objects.get().arm.key == "on"
