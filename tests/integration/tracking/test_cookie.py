"""The cookie: ours or none, one visitor's alone, and gone with the consent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core import signing
from django.test import Client
from pytest_django import Settings

from purchase_intent.models import Event, Session, Visitor
from purchase_intent.tracking.identity import MAX_AGE
from tests.integration.tracking.corner_shop import CornerShop
from tests.integration.tracking.words import BROWSER, errors, steps

pytestmark = pytest.mark.django_db


def test_it_is_set_as_the_session_cookie_is_and_no_cache_may_keep_it(client: Client, settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE, settings.SESSION_COOKIE_SAMESITE = True, "Strict"
    settings.SESSION_COOKIE_DOMAIN, settings.SESSION_COOKIE_PATH = "testserver", "/"
    response = client.get("/")
    cookie = response.cookies["intent"]
    shown = {name: cookie[name] for name in ("httponly", "secure", "samesite", "domain", "path", "max-age")}
    assert shown == {
        "httponly": True,
        "secure": True,
        "samesite": "Strict",
        "domain": "testserver",
        "path": "/",
        "max-age": MAX_AGE,
    }
    assert "private" in response.headers["Cache-Control"]
    assert "Cookie" in response.headers["Vary"]


def test_it_holds_the_ids_of_visitor_and_session_signed(client: Client) -> None:
    value = client.get("/").cookies["intent"].value
    assert signing.loads(value, salt="purchase_intent.identity.") == [
        Visitor.objects.get().cookie,
        Session.objects.get().key,
    ]


def _foreign(value: str) -> str:
    return signing.dumps(["v", "s"], key="another project's", salt="purchase_intent.identity.")


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda value: value[:-1] + ("A" if value[-1] != "A" else "B"), id="forged"),
        pytest.param(_foreign, id="of another secret"),
        pytest.param(lambda value: signing.dumps(["v", "s"], salt="elsewhere"), id="made for something else"),
        pytest.param(lambda value: value[: len(value) // 2], id="cut off"),
        pytest.param(lambda value: "x" * 100_000, id="huge"),
        pytest.param(lambda value: "\xff\xfe:::'", id="nonsense"),
        pytest.param(lambda value: signing.dumps({"v": 1}, salt="purchase_intent.identity."), id="of another release"),
        pytest.param(lambda value: signing.dumps(["", "s"], salt="purchase_intent.identity."), id="without an id"),
    ],
)
def test_one_that_is_not_ours_is_a_new_visitor(
    client: Client, told: pytest.LogCaptureFixture, spoil: Callable[[str], str]
) -> None:
    value = client.get("/").cookies["intent"].value
    client.cookies["intent"] = spoil(value)
    response = client.get("/product/7/")
    assert response.content == b"<h1>product</h1>"
    assert Visitor.objects.count() == Session.objects.count() == 2
    assert response.cookies["intent"].value != value
    assert errors(told) == []


def test_one_of_another_site_is_a_new_visitor(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.get("/")
    monkeypatch.setattr(CornerShop, "here", "second")
    client.get("/")
    assert sorted(Visitor.objects.values_list("site", flat=True)) == ["", "second"]


def test_a_new_secret_keeps_the_visitors_of_the_old_one(client: Client, settings: Settings) -> None:
    client.get("/")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new one"
    client.get("/")
    assert Visitor.objects.count() == 1


def test_no_two_browsers_share_an_id() -> None:
    values = {Client(headers={"User-Agent": BROWSER}).get("/").cookies["intent"].value for _ in range(5)}
    assert len(values) == Visitor.objects.count() == Session.objects.count() == 5


@pytest.mark.parametrize("header", ["Sec-GPC", "DNT"])
def test_a_browser_that_objects_is_not_recorded_and_loses_its_cookie(client: Client, header: str) -> None:
    client.get("/")
    response = client.get("/product/7/", headers={header: "1"})
    assert steps() == ["page_view/home"]
    assert response.cookies["intent"].value == ""
    assert response.cookies["intent"]["max-age"] == 0


def test_without_consent_nothing_is_stored_and_no_cookie_set(
    client: Client, monkeypatch: pytest.MonkeyPatch, told: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(CornerShop, "agreed", False)
    response = client.get("/product/7/")
    assert not response.cookies
    assert Event.objects.count() == Session.objects.count() == Visitor.objects.count() == 0
    assert told.records == []


def test_a_consent_withdrawn_takes_the_cookie_with_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.get("/")
    monkeypatch.setattr(CornerShop, "agreed", False)
    response = client.get("/")
    assert response.cookies["intent"]["max-age"] == 0
    assert steps() == ["page_view/home"]


def test_a_consent_withdrawn_in_the_view_stops_what_it_told(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from purchase_intent.shortcuts import track

    def doing(request: object) -> None:
        track(request, "cart", product="7")  # type: ignore[arg-type]
        request.COOKIES["refused"] = "yes"  # type: ignore[attr-defined]

    monkeypatch.setattr(CornerShop, "doing", doing)
    assert "intent" not in client.get("/act/").cookies
    assert steps() == []


def test_an_adapter_that_says_nothing_of_consent_has_none(client: Client, settings: Settings) -> None:
    settings.PURCHASE_INTENT = {"SHOP": "tests.integration.tracking.corner_shop.Unsaid"}
    assert not client.get("/").cookies
    assert steps() == []
