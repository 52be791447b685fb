"""Segments over the API: the list, who belongs to one, and to which of them a session belongs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.utils import timezone
from rest_framework.test import APIClient

from purchase_intent.models import Scope, Segment, SegmentVersion, Session
from purchase_intent.segments.editing import switch
from purchase_intent.segments.fields import FIELDS
from purchase_intent.segments.filling import fill_segments
from tests.integration.segments.street import CART, MONDAY, VIEW, segment_of, shopper
from tests.integration.tracking.sending import key_of

pytestmark = pytest.mark.django_db

LIST = "/intent/v1/segments/"
GIFTS = f"{LIST}gift-hunters/"
PREVIEW = "/intent/v1/segment-preview/"


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
        {
            "visitor": late.pk,
            "customer": "",
            "version": 1,
            "entered_at": "2026-03-03T04:40:00+01:00",
            "left_at": None,
            "why": "",
        }
    ]
    (second,) = got(api, first["next"])["results"]
    assert (second["visitor"], second["customer"]) == (early.pk, "ada")
    assert got(api, f"{LIST}fresh/members/?open=false")["results"] == []
    switch(Segment.objects.get(key="fresh"), on=False, now=MONDAY + timedelta(days=2))
    left = got(api, f"{LIST}fresh/members/?open=false&page_size=1")["results"]
    assert [(each["visitor"], each["left_at"], each["why"]) for each in left] == [
        (late.pk, "2026-03-04T04:40:00+01:00", "off")
    ]
    assert [(each["size"], each["measured_at"]) for each in got(api, f"{LIST}fresh/reports/")] == [
        (2, "2026-03-03T04:40:00+01:00"),
        (1, "2026-03-02T04:40:00+01:00"),
    ]


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


RULE: dict[str, Any] = {"match": "all", "conditions": [{"field": "visits", "operator": ">=", "value": "2"}]}
NEW: dict[str, Any] = {"key": "gift-hunters", "title": "Gift hunters", "action": "Show wrapping.", "rule": RULE}


@pytest.fixture
def editor(api: APIClient, merchandiser: User) -> APIClient:
    merchandiser.user_permissions.add(*Permission.objects.filter(codename__in=("add_segment", "change_segment")))
    return api


def sent(api: APIClient, method: str, path: str, body: Any, *, status: int) -> Any:
    response = getattr(api, method)(path, body, format="json")
    assert response.status_code == status, response.content
    return response.json()


def test_one_is_tried_made_changed_and_retired(editor: APIClient, django_capture_on_commit_callbacks: Any) -> None:
    begin = timezone.now() - timedelta(hours=2)
    for name, visits in (("one", 1), ("two", 2), ("three", 3)):
        shopper(name, *[(VIEW,)] * visits, begin=begin)
    tried = sent(editor, "post", PREVIEW, {"rule": RULE}, status=200)
    assert [tried[name] for name in ("members", "tried", "everybody", "low", "high", "whole")] == [2, 3, 3, 2, 2, True]
    assert len(tried["examples"]) == 2
    assert tried["figures"]["share"]["of"] == 3
    assert not Segment.objects.filter(key="gift-hunters").exists()
    with django_capture_on_commit_callbacks(execute=True):
        made = sent(editor, "post", LIST, NEW, status=201)
    assert (made["version"], made["active"], made["about"]) == (1, True, "")
    assert made["rule"]["conditions"] == [{"field": "visits", "operator": ">=", "value": 2.0}]
    assert got(editor, GIFTS)["size"] == 2  # its members were told at once
    other = {"match": "all", "conditions": [{"field": "visits", "operator": ">=", "value": 3}]}
    with django_capture_on_commit_callbacks(execute=True):
        changed = sent(editor, "patch", GIFTS, {"rule": other, "title": "Hunters"}, status=200)
    assert (changed["version"], changed["title"], changed["action"]) == (2, "Hunters", "Show wrapping.")
    assert got(editor, GIFTS)["size"] == 1
    assert sent(editor, "patch", GIFTS, {"rule": other}, status=200)["version"] == 2  # the same is no new version
    versions = got(editor, f"{GIFTS}versions/")
    assert [(each["version"], each["who"]) for each in versions] == [
        (2, "merchandiser, over the API"),
        (1, "merchandiser, over the API"),
    ]
    assert sent(editor, "patch", GIFTS, {"active": False}, status=200)["active"] is False
    assert got(editor, f"{GIFTS}members/")["results"] == []
    said = [each.change_message for each in LogEntry.objects.order_by("pk")]
    assert [text.partition(":")[0].partition(",")[0] for text in said] == [
        "Made over the API with the conditions",
        "Title",
        "Switched off",
    ]


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        pytest.param({"rule": {"match": "all", "conditions": []}}, 400, "needs at least one condition", id="empty"),
        pytest.param(
            {"rule": {"match": "all", "conditions": [{"field": "visit", "operator": "=", "value": 1}]}},
            400,
            "there is no field “visit”: the nearest is visits",
            id="unknown field",
        ),
        pytest.param(
            {"rule": {"match": "any", "conditions": [{"field": "visits", "operator": "=", "value": "x"}]}},
            400,
            "rule: condition 1, value: “x” is no number",
            id="wrong value",
        ),
        pytest.param({"key": "Gift hunters"}, 400, "key: “Gift hunters” is no key", id="no key"),
        pytest.param({"key": "fresh"}, 409, "key: another segment is called fresh", id="key taken"),
        pytest.param({"title": ""}, 400, "title: This field may not be blank", id="no title"),
        pytest.param({"titel": "x"}, 400, "titel: Not a field. Use one of: key, title", id="a slip of the pen"),
    ],
)
def test_what_is_not_fit_is_refused_and_nothing_written(
    editor: APIClient, changed: dict[str, Any], status: int, words: str
) -> None:
    refused = sent(editor, "post", LIST, NEW | changed, status=status)
    assert (refused["code"], words in refused["detail"]) == ("segment_refused" if status == 409 else "invalid", True)
    if "rule" in changed:
        assert words in sent(editor, "post", PREVIEW, {"rule": changed["rule"]}, status=400)["detail"]
        assert words in sent(editor, "patch", f"{LIST}fresh/", {"title": "x"} | changed, status=400)["detail"]
    assert (Segment.objects.count(), SegmentVersion.objects.count(), LogEntry.objects.count()) == (2, 2, 0)
    assert Segment.objects.get(key="fresh").title == "Fresh"


def test_who_may_see_and_who_may_make(api: APIClient, merchandiser: User) -> None:
    for client in (api, APIClient(headers=key_of(*Scope))):  # neither who only reads, nor a server's key, makes one
        assert client.get(f"{LIST}fresh/").status_code == 200
        assert client.post(LIST, NEW, format="json").status_code == 403
        assert client.post(PREVIEW, {"rule": RULE}, format="json").status_code == 403
        assert client.patch(f"{LIST}fresh/", {"active": False}, format="json").status_code == 403
    merchandiser.user_permissions.add(Permission.objects.get(codename="change_segment"))
    assert "purchase_intent.add_segment" in sent(api, "post", LIST, NEW, status=403)["detail"]
    assert sent(api, "post", PREVIEW, {"rule": RULE}, status=200)["members"] == 0
    assert sorted(Segment.objects.filter(is_active=True).values_list("key", flat=True)) == ["carting", "fresh"]


def test_what_conditions_can_be_about_is_listed(api: APIClient) -> None:
    fields = {each.pop("field"): each for each in got(api, "/intent/v1/segment-fields/")}
    assert set(fields) == set(FIELDS)
    assert fields["visits"]["operators"] == [">=", ">", "<=", "<", "=", "!="]
    assert fields["band"]["choices"][-1] == "top_1"
