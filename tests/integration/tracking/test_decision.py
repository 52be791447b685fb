"""`decision/`, and the placeholders of pages out of a cache: each visitor's own, with consent, and never the score."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.signing import Signer
from django.db import DatabaseError, connection
from django.template import engines
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from purchase_intent.api import throttles
from purchase_intent.models import Event, Session
from purchase_intent.scoring.rules import CUTOFFS
from purchase_intent.segments.placeholders import MOST, intent_condition, segment_condition
from purchase_intent.segments.presets import install
from purchase_intent.tracking.identity import COOKIE
from tests.integration.tracking.corner_shop import CornerShop

pytestmark = pytest.mark.django_db
PATH = "/intent/v1/decision/"
NOBODY: dict[str, Any] = {"standing": "unknown", "band": "", "bands": [], "stage": "none", "offer": None, "holds": []}


def decided(client: Client, *conditions: str, status: int = 200, **headers: str) -> Any:
    response = client.get(f"{PATH}?{urlencode([('if', each) for each in conditions])}", headers=headers)
    assert response.status_code == status, response.content
    if status == 200:
        assert (response["Cache-Control"], response["Vary"]) == ("no-store, private", "Cookie")
    return response.json()


def rendered(text: str) -> str:
    return str(engines["django"].from_string("{% load purchase_intent %}" + text).render({"limit": ">= 0.8"}))


def test_a_visitor_is_told_of_its_own_visit_and_nothing_is_recorded(client: Client) -> None:
    client.get("/moved/")
    Client(headers={"User-Agent": "Firefox"}).get("/")
    before = Event.objects.count()
    found = decided(client, "top_20", "top_1", "offer")
    assert (found["standing"], found["stage"], found["offer"]) == ("rules", "cart", None)
    assert found["holds"] == [name for name in ("top_20", "top_1") if name in found["bands"]]
    assert set(found["bands"]) <= set(CUTOFFS)
    assert "probability" not in str(found)
    assert Event.objects.count() == before


def test_it_costs_the_one_query_for_the_visit(client: Client) -> None:
    client.get("/moved/")
    decided(client)
    with CaptureQueriesContext(connection) as asked:
        decided(client, "top_20")
    assert len(asked) == 1


def test_without_a_visit_it_says_so_and_asks_the_database_nothing(client: Client) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert decided(client, "top_20") == NOBODY
    assert len(asked) == 0
    assert COOKIE not in client.cookies


@pytest.mark.parametrize(
    ("headers", "agreed"),
    [
        pytest.param({"Sec-GPC": "1"}, True, id="Global Privacy Control"),
        pytest.param({"DNT": "1"}, True, id="Do Not Track"),
        pytest.param({}, False, id="no consent"),
    ],
)
def test_without_consent_nobody_is_told_anything(
    client: Client, monkeypatch: pytest.MonkeyPatch, headers: dict[str, Any], agreed: bool
) -> None:
    client.get("/moved/")
    monkeypatch.setattr(CornerShop, "agreed", agreed)
    assert decided(client, "top_20", **headers) == NOBODY


def test_a_forged_cookie_and_one_of_another_site_are_nobodys(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.get("/moved/")
    sound = client.cookies[COOKIE].value
    client.cookies[COOKIE] = sound[:-2] + "xx"
    assert decided(client) == NOBODY
    client.cookies[COOKIE] = sound
    monkeypatch.setattr(CornerShop, "here", "fr")
    assert decided(client) == NOBODY


def test_a_visit_that_has_ended_is_none(client: Client) -> None:
    client.get("/moved/")
    earlier = timezone.now() - timedelta(hours=1)
    Session.objects.update(started_at=earlier, last_at=earlier)
    assert decided(client) == NOBODY


def test_only_conditions_that_a_page_has_signed_are_judged(client: Client) -> None:
    install(now=timezone.now())  # a test before this one may have emptied the tables
    client.get("/moved/")
    score = 0.0001
    sound = [intent_condition([f">= {score}"]), segment_condition(["no-such", "new-visitors"])]
    lies = [
        f">= {score}",
        f"intent|>= {score}",
        sound[0].replace("0.0001", "0.0000"),
        Signer(salt="other").sign(f"intent|>= {score}"),
        segment_condition(["no-such"]),
        intent_condition(["> 1"]),
        intent_condition([]),
        "\x00",
        "x" * 600,
    ]
    assert decided(client, *lies, *sound)["holds"] == sound
    problem = decided(client, *(["top_1"] * (MOST + 1)), status=400)
    assert (problem["code"], problem["errors"][0]["field"]) == ("invalid", "if")
    assert client.get(f"{PATH}?when=top_1").json()["errors"][0]["field"] == "when"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 200, id="a browser that says nothing"),
        pytest.param({"Sec-Fetch-Site": "same-origin"}, 200, id="this site"),
        pytest.param({"Origin": "http://testserver"}, 200, id="this origin"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, 403, id="another site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, 403, id="a sister"),
        pytest.param({"Origin": "https://evil.example"}, 403, id="another origin"),
        pytest.param({"Origin": "null"}, 403, id="no origin to name"),
    ],
)
def test_other_sites_are_refused(client: Client, headers: dict[str, Any], status: int) -> None:
    client.get("/moved/")
    found = decided(client, status=status, **headers)
    assert found.get("code", found.get("standing")) == ("permission_denied" if status == 403 else "rules")


@pytest.mark.parametrize("broken", ["consent", "site"])
def test_a_shop_that_fails_and_a_database_that_is_gone_are_said(
    client: Client, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    client.get("/moved/")
    monkeypatch.setattr(CornerShop, "broken", frozenset({broken}))
    assert decided(client, status=503)["code"] == "adapter_failed"
    monkeypatch.setattr(CornerShop, "broken", frozenset())

    def gone(*args: object, **given: object) -> None:
        raise DatabaseError("server closed the connection")

    monkeypatch.setattr("purchase_intent.tracking.place.session_with_visitor", gone)
    assert decided(client, status=503)["code"] == "database_unavailable"


def test_a_visitor_who_asks_too_often_is_told_to_wait(client: Client, settings: Settings) -> None:
    settings.REST_FRAMEWORK = {"DEFAULT_THROTTLE_RATES": {"intent-decision": "2/h"}}
    client.get("/moved/")
    other = Client(headers={"User-Agent": "Firefox"})
    assert [decided(other)["standing"] for _ in range(3)] == ["unknown"] * 3
    decided(client)
    decided(client)
    assert decided(client, status=429)["code"] == "throttled"
    throttles.forget_senders()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "{% ifintent 'top_5' cached=True %}<b>a</b>{% else %}b{% endifintent %}",
            '<div data-intent-if="top_5" hidden><b>a</b></div><div data-intent-else="top_5">b</div>',
            id="a band",
        ),
        pytest.param(
            "{% ifintent 'offer' cached='span' %}a{% endifintent %}",
            '<span data-intent-if="offer" hidden>a</span>',
            id="the offer, in a span",
        ),
        pytest.param("{% ifintent 'top_5' cached=False %}a{% else %}b{% endifintent %}", "b", id="not cached"),
        pytest.param("{% ifintent 'offer' %}a{% else %}b{% endifintent %}", "b", id="no request"),
        pytest.param(
            "{% ifintent 'top_5' cached='<script>' %}a{% endifintent %}",
            '<div data-intent-if="top_5" hidden>a</div>',
            id="no element",
        ),
        pytest.param("{% ifintent 'top_5' cached= %}a{% endifintent %}", "", id="nothing said"),
    ],
)
def test_a_cached_page_holds_both_parts(text: str, expected: str) -> None:
    assert rendered(text) == expected


def test_a_limit_and_segments_are_signed_and_the_page_is_everybodys(client: Client) -> None:
    part = rendered("{% ifintent limit cached=True %}a{% endifintent %}")
    assert part == f'<div data-intent-if="{intent_condition([">= 0.8"]).replace(">", "&gt;")}" hidden>a</div>'
    assert part == rendered("{% ifintent '>= 0.8' cached=1 %}a{% endifintent %}")
    both = rendered("{% ifsegment 'vip' one_more cached=True %}a{% endifsegment %}")
    assert both == f'<div data-intent-if="{segment_condition(["vip", "one_more"])}" hidden>a</div>'
    request = RequestFactory().get("/")
    text = "{% load purchase_intent %}{% ifintent 'top_5' cached=True %}a{% endifintent %}"
    engines["django"].from_string(text).render({}, request)
    assert not hasattr(request, "_cache_update_cache")
