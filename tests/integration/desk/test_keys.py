"""Keys at the desk: made, shown once, used, revoked; by who may."""

from __future__ import annotations

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from purchase_intent.models import ApiKey
from tests.integration.desk.conftest import Clerk
from tests.integration.tracking.sending import beacon, event

LIST = "/admin/purchase_intent/apikey/"
WANTED = {"name": "webshop backend", "scopes": ["events", "orders"], "site": ""}


def made(client: Client) -> str:
    """Make a key, and return it as it is shown."""
    response = client.post(f"{LIST}add/", WANTED)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    found = re.search(r"<code>(pi_[0-9a-f]{8}_[0-9a-f]{40})</code>", response.content.decode())
    assert found is not None
    return found[1]


def test_a_key_is_shown_when_it_is_made_and_never_again(desk: Client) -> None:
    assert "No keys yet" in desk.get(LIST).content.decode()
    text = made(desk)
    key = ApiKey.objects.get()
    assert (key.name, key.scopes, key.made_by) == ("webshop backend", ["events", "orders"], "desk")
    for path in (LIST, f"{LIST}{key.pk}/change/"):
        page = desk.get(path).content.decode()
        assert key.prefix in page
        assert text not in page
        assert text[12:] not in page
    beacon(Client(), event(visitor="v"), headers={"Authorization": f"Bearer {text}"})
    assert "Last used</dt><dd>never" not in desk.get(f"{LIST}{key.pk}/change/").content.decode()


def test_a_revoked_key_is_refused(desk: Client) -> None:
    text, key = made(desk), ApiKey.objects.get()
    assert desk.get(f"{LIST}{key.pk}/revoke/").status_code == 405
    page = desk.post(f"{LIST}{key.pk}/revoke/", follow=True).content.decode()
    assert "Revoked: it is refused." in page
    assert 'value="Revoke"' not in page
    beacon(Client(), event(visitor="v"), headers={"Authorization": f"Bearer {text}"}, status=401)
    told = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert told == ["Added.", "Revoked."]


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"name": ""}, id="no name"),
        pytest.param({"scopes": []}, id="no scope"),
        pytest.param({"scopes": ["everything"]}, id="unknown scope"),
        pytest.param({"site": "x" * 65}, id="endless site"),
    ],
)
def test_what_is_not_fit_is_said_and_no_key_is_made(desk: Client, wrong: dict[str, object]) -> None:
    page = desk.post(f"{LIST}add/", WANTED | wrong).content.decode()
    assert "desk-error" in page
    assert not ApiKey.objects.exists()


def test_who_may_not_makes_and_revokes_none(clerk: Clerk, desk: Client) -> None:
    made(desk)
    key = ApiKey.objects.get()
    reader = clerk("view_apikey")
    assert reader.get(f"{LIST}{key.pk}/change/").status_code == 200
    assert 'value="Revoke"' not in reader.get(f"{LIST}{key.pk}/change/").content.decode()
    assert reader.post(f"{LIST}add/", WANTED).status_code == 403
    assert reader.post(f"{LIST}{key.pk}/revoke/").status_code == 403
    assert ApiKey.objects.in_force().count() == 1
