"""The database's server, stopped while a page is being made and started again: no page is lost with it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpRequest
from django.test import RequestFactory

from purchase_intent.models import Session
from purchase_intent.scoring.answer import Standing
from purchase_intent.shortcuts import score, track
from tests.integration.tracking.corner_shop import CornerShop
from tests.integration.tracking.words import BROWSER, steps
from tests.postgres import Server

if sys.platform == "win32":
    pytest.skip("the wheel of PostgreSQL is not for Windows", allow_module_level=True)

pytestmark = pytest.mark.slow

REMEDY = "OperationalError: see that the database answers and that manage.py migrate has run."
UNRECORDED = f"This request is not recorded, or not wholly: {REMEDY}"
UNSCORED = f"No score was given: {REMEDY}"
PAGE = "200 OK: <h1>done</h1>"
Ask = Callable[[Callable[[HttpRequest], object] | None], str]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Return a function that has a page made as a web server does, whose connections end with their request or last."""
    factory, handler = RequestFactory(headers={"User-Agent": BROWSER}), WSGIHandler()

    def _ask(doing: Callable[[HttpRequest], object] | None) -> str:
        monkeypatch.setattr(CornerShop, "doing", doing)
        statuses: list[str] = []

        def begin(status: str, headers: list[tuple[str, str]], fault: Any = None, /) -> Callable[[bytes], object]:
            statuses.append(status)
            return bytes

        response = handler(factory.get("/act/").environ, begin)
        body = b"".join(response)
        response.close()
        factory.cookies.update(response.cookies)
        return f"{statuses[0]}: {body.decode()}"

    return _ask


def faults(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged as an error since last asked."""
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    caplog.clear()
    return said


@pytest.fixture(params=[pytest.param(0, id="a connection each"), pytest.param(None, id="one that lasts")])
def lasting(request: pytest.FixtureRequest, server: Server) -> None:
    """Let the host keep its connections for a request, or for good."""
    connection.settings_dict["CONN_MAX_AGE"] = request.param


def test_the_server_stops_in_mid_page(
    server: Server, lasting: None, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    standings: list[Standing] = []

    def stopping(request: HttpRequest) -> None:
        track(request, "wishlist", product="8")
        standings.append(score(request).standing)
        server.stop()
        track(request, "cart", product="8")
        standings.append(score(request).standing)

    assert [ask(None), ask(stopping)] == [PAGE] * 2
    assert standings == [Standing.RULES] * 2
    assert faults(caplog) == [UNRECORDED]
    assert ask(None) == PAGE
    assert faults(caplog) == [UNRECORDED]
    server.start()
    assert ask(None) == PAGE
    assert faults(caplog) == []
    assert steps() == ["page_view/listing"] * 2
    assert Session.objects.get().sequence == 2


def test_the_server_is_gone_before_the_first_page(
    server: Server, lasting: None, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    standings: list[Standing] = []
    server.stop()
    for said in (UNSCORED, UNRECORDED):
        assert ask(lambda request: standings.append(score(request).standing)) == PAGE
        assert faults(caplog) == [said]
    assert standings == [Standing.UNKNOWN] * 2
    server.start()
    assert ask(lambda request: standings.append(score(request).standing)) == PAGE
    assert standings[2:] == [Standing.RULES]
    assert faults(caplog) == []
    assert steps() == ["page_view/listing"]
