"""A second bundle, a clock to put forward, and a shop of one page that does what a test asks of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpRequest
from django.test import AsyncClient, Client
from pytest_django import Settings

from purchase_intent import shortcuts
from purchase_intent.scoring import serving
from purchase_intent.scoring.answer import Intent
from purchase_intent.scoring.score import answer
from tests.integration.scoring.host import Host
from tests.trained import Trained, twin

Act = Callable[[Callable[[HttpRequest], object]], str]
AskOverAsgi = Callable[[str, Callable[[HttpRequest], object]], str]
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class Clock:
    """Seconds, as a test puts them forward."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="session")
def bundle(trained: Trained) -> bytes:
    return trained.bundle


@pytest.fixture(scope="session")
def other_bundle(trained: Trained) -> bytes:
    return twin(trained)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(serving, "clock", found)
    return found


@pytest.fixture
def host(settings: Settings) -> None:
    """Serve the shop whose view does what a test asks of it."""
    settings.ROOT_URLCONF = "tests.integration.scoring.host"
    settings.MIDDLEWARE = ["purchase_intent.middleware.TrackingMiddleware"]
    settings.PURCHASE_INTENT = {"SHOP": "tests.integration.scoring.host.Host"}


@pytest.fixture
def act(host: None, monkeypatch: pytest.MonkeyPatch) -> Act:
    """Serve one page on which something is done, to the same browser each time; what it answered."""
    client = Client(headers={"User-Agent": BROWSER})

    def serve(doing: Callable[[HttpRequest], object]) -> str:
        monkeypatch.setattr(Host, "doing", staticmethod(doing), raising=False)
        response = client.get("/")
        assert response.status_code == 200
        return response.content.decode()

    return serve


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many reasons each answer was asked for, in the order of asking."""
    found: list[int] = []

    def counted(*args: Any, reasons: int = 0, **rest: Any) -> Intent:
        found.append(reasons)
        return answer(*args, reasons=reasons, **rest)

    monkeypatch.setattr(shortcuts, "answer", counted)
    return found


@pytest.fixture
def ask_over_asgi(host: None, monkeypatch: pytest.MonkeyPatch) -> AskOverAsgi:
    """Serve one page of a path over ASGI, to the same browser each time; what it answered."""
    client = AsyncClient(headers={"User-Agent": BROWSER})

    def serve(path: str, doing: Callable[[HttpRequest], object]) -> str:
        monkeypatch.setattr(Host, "doing", staticmethod(doing), raising=False)
        response = async_to_sync(client.get)(path)
        assert response.status_code == 200
        return str(response.content.decode())

    return serve
