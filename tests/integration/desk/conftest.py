"""Somebody at the desk."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from purchase_intent.scoring import serving

Clerk = Callable[..., Client]


@pytest.fixture
def clerk(db: None) -> Clerk:
    """Return a function that logs in a member of staff who may do what is named, such as `view_session`."""

    def _clerk(*permissions: str) -> Client:
        user = User.objects.create_user("clerk", password="a long enough secret", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(user)
        return client

    return _clerk


@pytest.fixture
def desk(db: None) -> Client:
    """Somebody who may do everything."""
    client = Client()
    client.force_login(User.objects.create_superuser("desk", password="a long enough secret"))
    return client


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process look for another champion once, however long the test takes."""
    serving.look_again()
    monkeypatch.setattr(serving, "clock", lambda: 0.0)
