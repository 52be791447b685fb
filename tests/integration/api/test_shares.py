"""Exclusion groups and holdouts over the API: made, renamed, tried and taken away by staff who may."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from purchase_intent.experiments.definition import GroupRange
from purchase_intent.models import ExclusionGroup, Holdout, Visitor
from tests.integration.experiments.town import running
from tests.integration.segments.street import VIEW, shopper

pytestmark = pytest.mark.django_db

GROUPS, HOLDOUTS = "/intent/v1/exclusion-groups/", "/intent/v1/holdouts/"
PREVIEW = "/intent/v1/holdout-preview/"


def signed_in(name: str, *permissions: str, is_staff: bool = True) -> APIClient:
    user = User.objects.create_user(name, is_staff=is_staff)
    user.user_permissions.add(*Permission.objects.filter(codename__in=permissions))
    client = APIClient()
    client.force_login(user)
    return client


@pytest.fixture
def staff(db: None) -> APIClient:
    verbs = ("view", "add", "change", "delete")
    return signed_in("ada", *(f"{verb}_{kind}" for verb in verbs for kind in ("exclusiongroup", "holdout")))


def asked(client: APIClient, method: str, path: str, body: Any = None, *, status: int) -> Any:
    response = getattr(client, method)(path, body, format="json")
    assert response.status_code == status, response.content
    return response.json() if response.content else None


def test_a_group_is_made_renamed_and_taken_away(staff: APIClient) -> None:
    whole = [{"start": 0.0, "end": 1.0}]
    made = asked(staff, "post", GROUPS, {"key": "checkout", "title": "Checkout"}, status=201)
    assert made == {"key": "checkout", "title": "Checkout", "taken": [], "free": whole}
    assert asked(staff, "patch", f"{GROUPS}checkout/", {"title": "Tests"}, status=200) == made | {"title": "Tests"}
    assert asked(staff, "get", GROUPS, status=200) == [made | {"title": "Tests"}]
    asked(staff, "delete", f"{GROUPS}checkout/", status=204)
    assert not ExclusionGroup.objects.exists()
    said = [(each.action_flag, each.user.username) for each in LogEntry.objects.order_by("pk")]
    assert said == [(1, "ada"), (2, "ada"), (3, "ada")]
    assert asked(staff, "get", f"{GROUPS}checkout/", status=404)["code"] == "group_not_found"


def test_a_group_says_what_is_taken_and_free_and_stays_while_it_is_named(staff: APIClient) -> None:
    running(group=GroupRange("checkout", 0.25, 0.5))
    taken = {"start": 0.25, "end": 0.5, "experiment": "bar", "running": True}
    told = asked(staff, "get", f"{GROUPS}checkout/", status=200)
    assert (told["taken"], told["free"]) == ([taken], [{"start": 0.0, "end": 0.25}, {"start": 0.5, "end": 1.0}])
    refused = asked(staff, "delete", f"{GROUPS}checkout/", status=409)
    assert (refused["code"], "an experiment names checkout" in refused["detail"]) == ("experiment_refused", True)
    assert (ExclusionGroup.objects.count(), LogEntry.objects.count()) == (1, 0)


def test_a_holdout_is_tried_made_and_taken_away(staff: APIClient) -> None:
    shopper("one", (VIEW,))
    Visitor.objects.update(last_seen="2199-01-01T00:00Z")
    tried = asked(staff, "post", PREVIEW, {"share": 0.6}, status=200)
    assert tried == {"share": 0.6, "shoppers": 1, "held_out": 1}
    assert not Holdout.objects.exists()
    made = asked(staff, "post", HOLDOUTS, {"key": "never", "share": 0.05}, status=201)
    assert made == {"key": "never", "share": 0.05, "experiments": []}
    assert asked(staff, "patch", f"{HOLDOUTS}never/", {"share": 0.5}, status=405)["code"] == "method_not_allowed"
    running(holdout="never")
    assert asked(staff, "get", HOLDOUTS, status=200) == [made | {"experiments": ["bar"]}]
    asked(staff, "delete", f"{HOLDOUTS}never/", status=409)
    asked(staff, "post", HOLDOUTS, {"key": "other", "share": 0.05}, status=201)
    asked(staff, "delete", f"{HOLDOUTS}other/", status=204)
    assert [each.key for each in Holdout.objects.all()] == ["never"]
    assert asked(staff, "get", f"{HOLDOUTS}other/", status=404)["code"] == "holdout_not_found"


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        pytest.param(GROUPS, {"key": "Not a key", "title": "x"}, 400, "is no key: use small letters", id="no key"),
        pytest.param(GROUPS, {"key": "new", "title": " "}, 400, "title: This field may not be blank", id="no title"),
        pytest.param(GROUPS, {"key": "there", "title": "x"}, 409, "its key is taken for good", id="group taken"),
        pytest.param(HOLDOUTS, {"key": "there", "share": 0.1}, 409, "its key is taken for good", id="holdout taken"),
        pytest.param(HOLDOUTS, {"key": "new", "share": 1}, 400, "share: give a share above 0 and below 1", id="all"),
        pytest.param(HOLDOUTS, {"key": "new", "part": 0.1}, 400, "Not a field. Use one of: share, key", id="a slip"),
        pytest.param(PREVIEW, {"share": 0}, 400, "share: give a share above 0", id="preview of none"),
    ],
)
def test_what_is_not_fit_is_refused_and_nothing_written(
    staff: APIClient, path: str, body: dict[str, Any], status: int, words: str
) -> None:
    ExclusionGroup.objects.create(key="there", title="There")
    Holdout.objects.create(key="there", share=0.5)
    assert words in asked(staff, "post", path, body, status=status)["detail"]
    assert (ExclusionGroup.objects.count(), Holdout.objects.count(), LogEntry.objects.count()) == (1, 1, 0)


def test_each_needs_its_own_permission(staff: APIClient) -> None:
    Holdout.objects.create(key="there", share=0.5)
    body = {"key": "new", "share": 0.1}
    viewer, shopping = signed_in("ben", "view_holdout"), signed_in("eve", "add_holdout", is_staff=False)
    assert [viewer.get(path).status_code for path in (HOLDOUTS, f"{HOLDOUTS}there/", GROUPS)] == [200, 200, 403]
    for client in (viewer, shopping):
        assert {client.post(path, body, format="json").status_code for path in (HOLDOUTS, PREVIEW)} == {403}
        assert client.delete(f"{HOLDOUTS}there/").status_code == 403
    assert "purchase_intent.add_holdout" in viewer.post(HOLDOUTS, body, format="json").json()["detail"]
    assert APIClient().get(HOLDOUTS).status_code == 401
    assert Holdout.objects.count() == 1
