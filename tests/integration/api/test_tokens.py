"""JSON Web Tokens in the demo shop: the project's own way to sign in, beside keys and sessions."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from purchase_intent.models import Scope
from tests.integration.tracking.sending import key_of

LIST = "/intent/v1/sessions/"


def test_a_token_is_its_user_and_a_key_is_none(merchandiser: User) -> None:
    merchandiser.set_password("enough-salt-for-soup")
    merchandiser.save()
    User.objects.create_user("stranger", password="enough-salt-for-soup")
    found = {}
    for name in ("merchandiser", "stranger"):
        told = {"username": name, "password": "enough-salt-for-soup"}
        token = Client().post("/api/token/", told).json()["access"]
        found[name] = Client().get(LIST, headers={"Authorization": f"Bearer {token}"}).status_code
    assert found == {"merchandiser": 200, "stranger": 403}
    refused = Client().get(LIST, headers={"Authorization": f"Bearer {token[:-2]}"})
    assert (refused.status_code, refused["Content-Type"]) == (401, "application/problem+json")
    assert (refused.json()["code"], refused.json()["detail"]) == (
        "token_not_valid",
        "Given token not valid for any token type",
    )
    assert "WWW-Authenticate" in refused
    assert Client().get(LIST, headers=key_of(Scope.SCORES)).status_code == 200


@pytest.mark.django_db
def test_a_wrong_password_gets_no_token() -> None:
    assert Client().post("/api/token/", {"username": "a", "password": "b"}).status_code == 401
