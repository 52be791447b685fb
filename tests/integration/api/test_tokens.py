"""JSON Web Tokens in the demo shop: the project's own way to sign in, beside keys and sessions."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken

from purchase_intent.models import Scope
from tests.integration.tracking.sending import key_of

LIST = "/intent/v1/sessions/"


def listed(token: str) -> Any:
    return Client().get(LIST, headers={"Authorization": f"Bearer {token}"})


def test_a_token_is_its_user_and_a_key_is_none(merchandiser: User) -> None:
    merchandiser.set_password("enough-salt-for-soup")
    merchandiser.save()
    told = {"username": "merchandiser", "password": "enough-salt-for-soup"}
    tokens = {
        "merchandiser": Client().post("/api/token/", told).json()["access"],
        "stranger": str(AccessToken.for_user(User.objects.create_user("stranger"))),
    }
    assert {name: listed(token).status_code for name, token in tokens.items()} == {"merchandiser": 200, "stranger": 403}
    refused = listed(tokens["merchandiser"][:-2])
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
