"""Who asks the API."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient


@pytest.fixture
def merchandiser(db: None) -> User:
    """Staff who may see sessions."""
    user = User.objects.create_user("merchandiser", is_staff=True)
    user.user_permissions.add(
        Permission.objects.get(codename="view_session", content_type__app_label="purchase_intent")
    )
    return user


@pytest.fixture
def api(merchandiser: User) -> APIClient:
    """The API as the merchandiser sees it, signed in as in the admin."""
    client = APIClient()
    client.force_login(merchandiser)
    return client
