"""The corner shop as the project under test, with the middlewares a host has."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from django.test import AsyncClient, Client
from pytest_django import Settings

from tests.integration.tracking.corner_shop import CornerShop
from tests.integration.tracking.words import BROWSER, Doing

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "purchase_intent.middleware.TrackingMiddleware",
]


@pytest.fixture(autouse=True)
def shop(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> type[CornerShop]:
    """Serve the corner shop and return its adapter, as it is before anybody has asked it."""
    settings.ROOT_URLCONF = "tests.integration.tracking.corner_shop"
    settings.MIDDLEWARE = MIDDLEWARE
    settings.PURCHASE_INTENT = {"SHOP": "tests.integration.tracking.corner_shop.CornerShop"}
    monkeypatch.setattr(CornerShop, "asked", [])
    return CornerShop


@pytest.fixture
def doing(monkeypatch: pytest.MonkeyPatch) -> Doing:
    """Return a function that says what the view `act` does."""
    return lambda what: monkeypatch.setattr(CornerShop, "doing", staticmethod(what))


@pytest.fixture
def client() -> Client:
    """A browser that a person might use."""
    return Client(headers={"User-Agent": BROWSER})


@pytest.fixture
def async_client() -> AsyncClient:
    """The same, served over ASGI."""
    return AsyncClient(headers={"User-Agent": BROWSER})


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Return what the tracking has logged."""
    with caplog.at_level(logging.WARNING, logger="purchase_intent.tracking"):
        yield caplog
