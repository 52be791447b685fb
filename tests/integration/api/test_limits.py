"""Rates by sender, and what is answered where nothing is."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from purchase_intent.api import throttles
from purchase_intent.models import Scope
from tests.integration.tracking.sending import HERE, event, key_of

pytestmark = pytest.mark.django_db
QUESTION = {"events": [event(1)]}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    throttles.forget_senders()
    found = Clock()
    monkeypatch.setattr(throttles, "clock", found)
    return found


def rate(settings: Settings, **rates: Any) -> None:
    told = {f"intent-{name}": value for name, value in rates.items()}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": told}


def ask(headers: dict[str, str]) -> Any:
    return Client().post("/intent/v1/predict/", QUESTION, content_type="application/json", headers=headers)


def test_who_asks_too_often_is_told_when_to_come_again(settings: Settings, clock: Clock) -> None:
    rate(settings, predict="3/min")
    one, other = key_of(Scope.PREDICT), key_of(Scope.PREDICT)
    assert [ask(one).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = ask(one)
    assert (refused["Content-Type"], refused["Retry-After"]) == ("application/problem+json", "20")
    assert (refused.json()["code"], refused.json()["status"]) == ("throttled", 429)
    assert ask(other).status_code == 200
    clock.now += 19
    assert ask(one).status_code == 429
    clock.now += 1
    assert [ask(one).status_code for _ in range(2)] == [200, 429]
    clock.now += 60
    assert [ask(one).status_code for _ in range(4)] == [200, 200, 200, 429]


@pytest.mark.parametrize(
    ("rates", "headers", "expected"),
    [
        pytest.param({"events": "1/s"}, {"REMOTE_ADDR": "10.0.0.1"}, [200, 429, 200], id="a browser, by address"),
        pytest.param({"events": "1/s", "server": None}, None, [200, 200, 200], id="a server, without a limit"),
        pytest.param({"server": "1/s"}, None, [200, 429, 429], id="a server, by key"),
        pytest.param({}, {"REMOTE_ADDR": "10.0.0.1"}, [200, 200, 200], id="as it comes"),
    ],
)
def test_senders_of_events_are_counted_apart(
    settings: Settings, clock: Clock, rates: dict[str, Any], headers: dict[str, str] | None, expected: list[int]
) -> None:
    rate(settings, **rates)
    told = key_of(Scope.EVENTS) if headers is None else HERE
    first: dict[str, Any] = headers or {}
    body: dict[str, Any] = {"events": [{}]}
    sent: list[dict[str, Any]] = [first, first, {"REMOTE_ADDR": "10.0.0.2"}]
    found = [
        Client().post("/intent/v1/events/", body, content_type="application/json", headers=told, **each)
        for each in sent
    ]
    assert [response.status_code for response in found] == expected


@pytest.mark.parametrize(
    "path", ["/intent/v1/", "/intent/v1/cellar/", "/intent/v1/sessions/a/b/", "/intent/v1/\x00/", "/intent/v1/a%0Ab/"]
)
@pytest.mark.parametrize("method", ["get", "post", "delete", "options"])
def test_where_nothing_is_a_problem_says_so(path: str, method: str) -> None:
    response = getattr(Client(), method)(path)
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")
    assert response.json()["code"] == "endpoint_not_found"
