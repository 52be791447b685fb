"""Segments over the API: the list, who belongs to one, and to which of them a session belongs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from purchase_intent.models import Segment, Session
from purchase_intent.segments.editing import switch
from purchase_intent.segments.filling import fill_segments
from tests.integration.segments.street import CART, MONDAY, VIEW, segment_of, shopper

pytestmark = pytest.mark.django_db

LIST = "/intent/v1/segments/"


@pytest.fixture(autouse=True)
def two(db: None) -> None:
    Segment.objects.all().delete()
    segment_of("carting", ("left_units", ">=", 1))
    segment_of("fresh", ("visits", "=", 1))


def got(api: APIClient, path: str) -> Any:
    response = api.get(path)
    assert response.status_code == 200, response.content
    return response.json()


def test_the_list_holds_conditions_and_what_was_measured(api: APIClient) -> None:
    before = got(api, LIST)
    assert [(each["key"], each["measured_at"], each["size"], each["figures"]) for each in before] == [
        ("carting", None, None, {}),
        ("fresh", None, None, {}),
    ]
    shopper("one", (VIEW, CART))
    shopper("two", (VIEW,), (VIEW,))
    fill_segments(MONDAY)
    first = got(api, LIST)[0]
    figures = first.pop("figures")
    assert first == {
        "key": "carting",
        "title": "Carting",
        "about": "",
        "action": "",
        "active": True,
        "version": 1,
        "rule": {"match": "all", "conditions": [{"field": "left_units", "operator": ">=", "value": 1.0}]},
        "measured_at": "2026-03-02T04:40:00+01:00",
        "size": 1,
        "looked_at": 2,
    }
    assert figures["conversion"]["of"] == 1
    switch(Segment.objects.get(key="fresh"), on=False, now=MONDAY)
    assert [each["key"] for each in got(api, f"{LIST}?active=true")] == ["carting"]
    assert [each["key"] for each in got(api, f"{LIST}?active=false")] == ["fresh"]


def test_members_come_page_by_page_the_latest_first(api: APIClient) -> None:
    early = shopper("one", (VIEW,), customer="ada")
    fill_segments(MONDAY)
    late = shopper("two", (VIEW,))
    fill_segments(MONDAY + timedelta(days=1))
    first = got(api, f"{LIST}fresh/members/?page_size=1")
    assert first["results"] == [
        {"visitor": late.pk, "customer": "", "version": 1, "entered_at": "2026-03-03T04:40:00+01:00"}
    ]
    (second,) = got(api, first["next"])["results"]
    assert (second["visitor"], second["customer"]) == (early.pk, "ada")


def test_a_session_belongs_by_the_conditions_in_force(api: APIClient) -> None:
    shopper("one", (VIEW, CART), (VIEW,))
    shopper("two", (VIEW,))
    assert got(api, "/intent/v1/sessions/one-1/segments/") == {
        "session": "one-1",
        "segments": ["carting"],
        "moment": "2026-03-01T13:00:00+01:00",
    }
    assert got(api, "/intent/v1/sessions/two-0/segments/")["segments"] == ["fresh"]
    Session.objects.update(state=b"")
    assert got(api, "/intent/v1/sessions/two-0/segments/")["segments"] == []


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        pytest.param(f"{LIST}nix/members/", 404, "segment_not_found", id="no segment"),
        pytest.param("/intent/v1/sessions/nix/segments/", 404, "session_not_found", id="no session"),
        pytest.param(f"{LIST}?activ=true", 400, "invalid", id="no parameter"),
        pytest.param(f"{LIST}?active=yes", 400, "invalid", id="no value"),
        pytest.param(f"{LIST}fresh/members/?page_size=999", 400, "invalid", id="too long a page"),
        pytest.param(f"{LIST}fresh/members/?cursor=nix", 400, "invalid", id="no cursor"),
    ],
)
def test_refusals(api: APIClient, path: str, status: int, code: str) -> None:
    response = api.get(path)
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_others_are_told_nothing() -> None:
    assert [APIClient().get(path).status_code for path in (LIST, f"{LIST}fresh/members/")] == [401, 401]
