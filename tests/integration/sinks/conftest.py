"""The corner shop with a spool of the test's own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from purchase_intent.tracking.sinks.chain import forget_chains
from purchase_intent.tracking.sinks.spool import spool_in
from tests.integration.tracking.conftest import MIDDLEWARE
from tests.integration.tracking.words import BROWSER


@pytest.fixture
def spool(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """Serve the corner shop with a spool, and return the spool's folder."""
    settings.ROOT_URLCONF = "tests.integration.tracking.corner_shop"
    settings.MIDDLEWARE = MIDDLEWARE
    folder = tmp_path / "spool"
    settings.PURCHASE_INTENT = {
        "SHOP": "tests.integration.tracking.corner_shop.CornerShop",
        "SPOOL": str(folder),
    }
    yield folder
    spool_in.cache_clear()
    forget_chains()


@pytest.fixture
def client() -> Client:
    """A browser that a person might use."""
    return Client(headers={"User-Agent": BROWSER})


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Return what the tracking has logged."""
    with caplog.at_level(logging.WARNING, logger="purchase_intent.tracking"):
        yield caplog
