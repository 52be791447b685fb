"""One payload, whoever sends it: a beacon, REST framework's client, and the client that comes with the app."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from django.test import Client as Browser
from pytest_django.live_server_helper import LiveServer
from rest_framework.test import APIClient

from purchase_intent import client as client_module
from purchase_intent.client import Client, event
from purchase_intent.exceptions import SendingFailed
from purchase_intent.models import ApiKey, Event, Order, Scope
from tests.integration.tracking.sending import PATH, ago, beacon, key_of

CASES: Final = json.loads(Path(__file__).with_name("conformance.json").read_text(encoding="utf-8"))
Send = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


def aged(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events of a case, as old as it says."""
    return [{**each, "occurred_at": ago(milliseconds=each["age"])} for each in events]


def words(results: list[dict[str, Any]]) -> list[str]:
    return [result.get("reason", result["status"]) for result in results]


@pytest.mark.django_db
@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
@pytest.mark.parametrize("sender", ["browser", "framework"])
def test_every_sender_gets_the_same_answer(client: Browser, case: dict[str, Any], sender: str) -> None:
    if sender == "browser":
        answer = beacon(client, *aged(case["events"]))
        assert words(answer["results"]) == case["browser"]
    else:
        events = [{**each, "visitor": "v-77"} for each in aged(case["events"])]
        headers = key_of(Scope.EVENTS, Scope.ORDERS)
        answer = APIClient().post(PATH, {"events": events}, format="json", headers=headers).json()
        assert words(answer["results"]) == case["server"]
    assert Event.objects.count() == answer["accepted"] == words(answer["results"]).count("accepted")


@pytest.mark.django_db(transaction=True)
def test_the_client_that_comes_with_the_app_sends_the_same(live_server: LiveServer) -> None:
    _, text = ApiKey.objects.make(name="backend", scopes=[Scope.EVENTS, Scope.ORDERS])
    client = Client(live_server.url + PATH, key=text)
    for case in CASES:
        events = [{**each, "visitor": f"v-{case['case']}"} for each in aged(case["events"])]
        assert words(client.send(events)) == case["server"]
        assert not [result for result in client.send(events) if result["status"] == "accepted"]
    assert Order.objects.get().number == "A-1"
    own = event("view", visitor="v", product="7")
    assert [result["status"] for result in client.send([own])] == ["accepted"]


@pytest.mark.django_db(transaction=True)
def test_what_is_too_much_for_one_request_is_sent_in_parts(
    live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "AT_ONCE", 3)
    _, text = ApiKey.objects.make(name="backend", scopes=[Scope.EVENTS])
    sent = [event("view", visitor="v", product=str(number)) for number in range(7)]
    told = Client(live_server.url + PATH, key=text).send(sent)
    assert [(result["index"], result["event_id"]) for result in told] == [
        (number, each["event_id"]) for number, each in enumerate(sent)
    ]
    monkeypatch.setattr(client_module, "LARGEST", 300)
    assert [len(part) for part in client_module._parts([{"a": "x" * 120}] * 5)] == [2, 2, 1]


@pytest.mark.django_db(transaction=True)
def test_the_client_says_what_went_wrong(live_server: LiveServer) -> None:
    with pytest.raises(SendingFailed, match="401: This is no key in force"):
        Client(live_server.url + PATH, key="pi_0_0").send([event("view", visitor="v")])
    with pytest.raises(SendingFailed, match="begin it with https"):
        Client("ftp://shop.test/events", key="k")
    with pytest.raises(SendingFailed, match="does not answer"):
        Client("http://127.0.0.1:9/", key="k", timeout=1).send([event("view")])


@pytest.mark.django_db(transaction=True)
def test_the_client_asks_for_scores_of_one_visit_and_of_many_in_parts(
    live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, text = ApiKey.objects.make(name="backend", scopes=[Scope.PREDICT])
    client = Client(live_server.url + PATH, key=text)
    walk = [event("view", product="7", price=9.5), event("cart", product="7", price=9.5, quantity=2)]
    found = client.predict(walk, reasons=2)
    assert (found["standing"], found["stage"], found["accepted"], len(found["reasons"])) == ("rules", "cart", 2, 2)
    visits = {f"visit {number}": walk[: 1 + number % 2] for number in range(5)}
    monkeypatch.setattr(client_module, "VISITS_AT_ONCE", 2)
    told = client.predict_batch(visits)
    assert [(key, each["accepted"]) for key, each in told.items()] == [(key, len(each)) for key, each in visits.items()]
    assert told["visit 1"]["probability"] == found["probability"] > told["visit 0"]["probability"]
    assert Event.objects.count() == 0
    with pytest.raises(SendingFailed, match=r"400: reasons: give a whole number from 0 to 20"):
        client.predict(walk, reasons=21)
    with pytest.raises(SendingFailed, match=r"400: sessions\[0\]\.events: send a list of at least one event"):
        client.predict_batch({"empty": []})


@pytest.mark.parametrize(
    ("limit", "most", "sizes"),
    [
        pytest.param("VISITS_AT_ONCE", 2, [2, 2, 1], id="visits"),
        pytest.param("EVENTS_AT_ONCE", 7, [2, 2, 1], id="events, three a visit"),
        pytest.param("EVENTS_AT_ONCE", 2, [1, 1, 1, 1, 1], id="a visit that is too much by itself goes alone"),
        pytest.param("LARGEST_OF_VISITS", 130, [2, 2, 1], id="bytes"),
    ],
)
def test_visits_are_asked_about_in_parts(
    monkeypatch: pytest.MonkeyPatch, limit: str, most: int, sizes: list[int]
) -> None:
    monkeypatch.setattr(client_module, limit, most)
    visits = {str(number): [{"a": number}] * 3 for number in range(5)}
    parts = list(client_module._visits(visits))
    assert [len(part) for part in parts] == sizes
    assert [visit["key"] for part in parts for visit in part] == list(visits)
