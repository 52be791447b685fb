"""`predict/` and `predict/batch/`: the score of events that are brought along, and nothing kept of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.serializers import DateTimeField
from rest_framework.test import APIClient

from purchase_intent.api.predict import _moment
from purchase_intent.models import ApiKey, Event, ModelVersion, Refusal, Scope, Session, Visitor
from purchase_intent.scoring import serving
from purchase_intent.scoring.facts import facts
from purchase_intent.scoring.score import answer
from purchase_intent.tracking.intake.questions import MOST_EVENTS, MOST_SESSIONS
from tests.integration.tracking.sending import ago, event, key_of, said

PREDICT = "/intent/v1/predict/"
BATCH = "/intent/v1/predict/batch/"
CART: list[tuple[str, dict[str, Any]]] = [
    ("page_view", {"page": "home", "product": ""}),
    ("view", {"price": 12.5}),
    ("cart", {"price": 12.5, "quantity": 2}),
    ("view_cart", {"product": ""}),
    ("view", {"product": "9", "category": "lamps", "brand": "Lumo", "price": 3.0}),
]


@pytest.fixture
def key(db: None) -> dict[str, str]:
    """The header of a server that may ask."""
    serving.forget()
    facts.forget()
    return key_of(Scope.PREDICT)


def walk(begin: int, *, step: int = 20_000, **fields: Any) -> list[dict[str, Any]]:
    """From the home page to a basket that holds something."""
    return [
        event(number, name, occurred_at=begin + number * step) | more | fields
        for number, (name, more) in enumerate(CART)
    ]


def ask(headers: dict[str, str], body: Any, status: int = 200, path: str = PREDICT) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body)
    response = Client().post(path, data, content_type="application/json", headers=headers)
    assert response.status_code == status, response.content
    assert response["Content-Type"] == ("application/json" if status == 200 else "application/problem+json")
    return response.json()


def test_it_answers_as_for_a_tracked_visit_and_keeps_nothing(key: dict[str, str], champion: ModelVersion) -> None:
    begin = ago(minutes=3)
    told: dict[str, Any] = {"device": "mobile", "channel": "Direct", "country": "Poland"}
    found = ask(key, {"events": walk(begin, **told), "sent_at": ago()})
    assert (Session.objects.count(), Visitor.objects.count(), Event.objects.count()) == (0, 0, 0)
    body = {"events": walk(begin, visitor="v", session="s", **told), "sent_at": ago()}
    recorded = Client().post(
        "/intent/v1/events/",
        json.dumps(body),
        content_type="application/json",
        headers=key_of(Scope.EVENTS, Scope.ORDERS),
    )
    assert recorded.json()["accepted"] == 5
    session = Session.objects.get()
    expected = answer(session.read_state(), session.read_past(), at=session.last_at)
    assert found["probability"] == pytest.approx(expected.probability, abs=1e-6)
    assert (found["standing"], found["model"], found["stage"]) == ("scored", champion.pk, "cart")
    assert (found["band"], found["accepted"], found["refused"], found["results"]) == (expected.band, 5, 0, [])


def test_of_equal_moments_the_score_is_equal_to_the_bit(key: dict[str, str], champion: ModelVersion) -> None:
    events = walk(ago(minutes=3))
    one = ask(key, {"events": events, "reasons": 3})
    many = ask(key, {"sessions": [{"key": "a", "events": events}, {"events": events[:1]}]}, path=BATCH)
    both = many["sessions"]
    assert {name: both[0][name] for name in ("probability", "band", "bands", "stage")} == {
        name: one[name] for name in ("probability", "band", "bands", "stage")
    }
    assert [(each["index"], each["key"], each["stage"]) for each in both] == [(0, "a", "cart"), (1, None, "browsing")]
    assert len(one["reasons"]) == 3
    assert both[0]["reasons"] == []


def test_without_a_model_the_rules_answer(key: dict[str, str]) -> None:
    found = ask(key, {"events": walk(ago(minutes=3)), "reasons": 1})
    assert (found["standing"], found["model"], found["stage"], len(found["reasons"])) == ("rules", None, "cart", 1)


def test_a_key_in_use_costs_no_query_at_all(key: dict[str, str], champion: ModelVersion) -> None:
    events = walk(ago(minutes=3))
    ask(key, {"events": events})
    with CaptureQueriesContext(connection) as asked:
        ask(key, {"events": walk(ago(minutes=2))})
    assert [query["sql"] for query in asked] == []


def test_earlier_visits_are_the_past_and_end_as_tracked_ones_do(key: dict[str, str]) -> None:
    bought = event(9, "purchase", order="A-1", revenue=9.0, occurred_at=ago(days=2))
    after = [event(1, occurred_at=ago(minutes=2))]
    assert ask(key, {"events": [bought]})["standing"] == "already_bought"
    again = ask(key, {"events": [bought, *after], "reasons": 5})
    fresh = ask(key, {"events": after, "reasons": 5})
    assert (again["stage"], fresh["stage"]) == ("product", "product")
    assert again["probability"] > fresh["probability"]
    apart = [event(1, occurred_at=ago(minutes=50), session="a"), event(2, occurred_at=ago(minutes=1), session="b")]
    assert (
        ask(key, {"events": [*apart, bought | {"occurred_at": ago(), "session": "a"}]})["standing"] == "already_bought"
    )


def test_each_event_is_judged_alone_and_counted_once(key: dict[str, str]) -> None:
    events = walk(ago(minutes=3))
    wrong = [
        event(21, name="teleport"),
        event(22, quantity=-1),
        event(23, occurred_at=ago(days=365)),
        event(24, occurred_at=ago(hours=-2)),
        event(25, product="a\x00"),
        event(26, currency="XXX"),
        event(27, session=7.5),
        [1],
    ]
    found = ask(key, {"events": [*events, *wrong, events[0]], "sent_at": ago()})
    assert said(found) == [
        "refused name unknown_event_name",
        "refused quantity negative_quantity",
        "refused occurred_at time_out_of_range",
        "refused occurred_at time_out_of_range",
        "refused product bad_text",
        "refused currency bad_revenue",
        "refused session bad_text",
        "refused events no_object",
    ]
    assert (found["accepted"], found["duplicate"], found["refused"], found["stage"]) == (5, 1, 8, "cart")
    assert [each["index"] for each in found["results"]] == list(range(5, 13))
    nothing = ask(key, {"events": wrong[:1]})
    assert (nothing["standing"], nothing["probability"], nothing["moment"]) == ("unknown", None, None)
    assert not Refusal.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param(b"", "body", id="nothing"),
        pytest.param(b"\xff\xfe", "body", id="no text"),
        pytest.param(b"[" * 50_000, "body", id="endless depth"),
        pytest.param([], "body", id="a list"),
        pytest.param({}, "events", id="no events"),
        pytest.param({"events": {}}, "events", id="an object of events"),
        pytest.param({"events": [{}], "sent_at": "noon"}, "sent_at", id="no clock"),
        pytest.param({"events": [{}], "reasons": 21}, "reasons", id="too many reasons"),
        pytest.param({"events": [{}], "reasons": True}, "reasons", id="truth for a number"),
        pytest.param({"events": [{}], "reason": 1}, "reason", id="a slip of the pen"),
        pytest.param({"events": [{}], "\ud800": 1}, "body", id="a name that is none"),
    ],
)
def test_a_body_that_is_no_question_is_refused_whole(key: dict[str, str], body: Any, field: str) -> None:
    problem = ask(key, body, 400)
    assert (problem["code"], problem["errors"][0]["field"]) == ("invalid", field)


@pytest.mark.parametrize(
    ("sessions", "field"),
    [
        pytest.param({}, "sessions", id="an object"),
        pytest.param([], "sessions", id="none"),
        pytest.param([0], "sessions[0]", id="a number"),
        pytest.param([{"events": []}], "sessions[0].events", id="no events"),
        pytest.param([{"events": [{}]}, {"events": [{}], "key": "a\n"}], "sessions[1].key", id="no key"),
        pytest.param([{"events": [{}], "reasons": 1}], "sessions[0].reasons", id="reasons of many"),
        pytest.param([{"events": [{}]}] * (MOST_SESSIONS + 1), "sessions", id="too many sessions"),
        pytest.param([{"events": [0] * (MOST_EVENTS // 2)}] * 3, "sessions", id="too many events"),
    ],
)
def test_a_body_that_asks_of_no_sessions_is_refused_whole(key: dict[str, str], sessions: Any, field: str) -> None:
    problem = ask(key, {"sessions": sessions}, 400, BATCH)
    assert (problem["code"], problem["errors"][0]["field"]) == ("invalid", field)


def test_ten_thousand_events_large_bodies_and_bytes_that_are_no_utf8(key: dict[str, str]) -> None:
    found = ask(key, {"events": [0] * 9_999 + [event(1)]})
    assert (found["standing"], found["refused"], found["results"][-1]["count"]) == ("unknown", 10_000, 9_000)
    assert ask(key, {"events": [{}], "padding": "x" * 2**20}, 413)["code"] == "too_large"
    assert ask(key, {"sessions": [{"key": "x" * 2**22}]}, 413, BATCH)["code"] == "too_large"
    body = json.dumps({"events": [event(1), event(2, search="LATIN")]}).encode().replace(b"LATIN", b"caf\xe9")
    assert said(ask(key, body)) == ["refused search bad_text"]


def test_who_may_ask(key: dict[str, str], api: APIClient) -> None:
    question = {"events": [event(1)]}
    for path, body in ((PREDICT, question), (BATCH, {"sessions": [question]})):
        assert ask({}, body, 401, path)["code"] == "not_authenticated"
        assert ask({"Authorization": "Bearer pi_0_0"}, body, 401, path)["code"] == "authentication_failed"
        problem = ask(key_of(Scope.EVENTS, Scope.SCORES), body, 403, path)
        assert (problem["code"], "predict" in problem["detail"]) == ("permission_denied", True)
        assert api.post(path, body, format="json").status_code == 200
    form = Client().post(PREDICT, {"events": "1"}, headers=key)
    assert (form.status_code, form.json()["code"]) == (415, "unsupported_media_type")
    assert Client().get(PREDICT, headers=key).json()["code"] == "method_not_allowed"


def test_a_key_that_is_revoked_here_is_refused_at_once(key: dict[str, str]) -> None:
    ask(key, {"events": [event(1)]})
    ApiKey.objects.get().revoke(timezone.now())
    assert ask(key, {"events": [event(1)]}, 401)["code"] == "authentication_failed"


def test_a_key_revoked_elsewhere_goes_on_for_seconds_only(key: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    from purchase_intent.models import api_key

    ask(key, {"events": [event(1)]})
    ApiKey.objects.update(revoked_at=timezone.now() - timedelta(seconds=1))
    ask(key, {"events": [event(1)]})
    later = api_key.clock() + api_key.BELIEVED_FOR
    monkeypatch.setattr(api_key, "clock", lambda: later)
    ask(key, {"events": [event(1)]}, 401)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu"])
@pytest.mark.parametrize("given", [{}, {"DATETIME_FORMAT": "%d.%m.%Y %H:%M"}, {"DATETIME_FORMAT": None}], ids=str)
@pytest.mark.parametrize("is_aware", [True, False])
def test_a_moment_is_spelled_as_rest_framework_does(
    settings: Settings, zone: str, given: dict[str, Any], is_aware: bool
) -> None:
    settings.USE_TZ = is_aware
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, **given}
    at = datetime(2026, 3, 29, 0, 59, 59, 5000, tzinfo=UTC)
    with timezone.override(zone):
        assert _moment(at) == DateTimeField().to_representation(at)
