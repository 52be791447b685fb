"""`score()` and the tag in async views."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from django.http import HttpRequest

from purchase_intent.models import Event, ModelVersion, Session
from purchase_intent.scoring.answer import Intent, Standing
from purchase_intent.shortcuts import score
from tests.integration.scoring.conftest import AskOverAsgi
from tests.integration.scoring.host import render

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "doing",
    [
        pytest.param(lambda request: score(request, reasons=1).standing, id="score"),
        pytest.param(lambda request: render("{% intent as intent %}{{ intent.standing }}", request), id="the tag"),
    ],
)
def test_an_async_view_gets_no_score_and_is_told_how_to_ask(
    champion: ModelVersion,
    ask_over_asgi: AskOverAsgi,
    caplog: pytest.LogCaptureFixture,
    doing: Callable[[HttpRequest], object],
) -> None:
    assert [ask_over_asgi("/later/", doing) for _ in range(3)] == ["unknown"] * 3
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == [
        "No score was given: score() asks the database: in async code, call it through asgiref's sync_to_async."
    ]
    assert Event.objects.count() == 3
    assert Session.objects.get().score is None


def test_an_async_view_asks_through_a_thread(
    champion: ModelVersion,
    ask_over_asgi: AskOverAsgi,
    caplog: pytest.LogCaptureFixture,
) -> None:
    found: list[Intent] = []
    for _ in range(2):
        ask_over_asgi("/thread/", lambda request: found.append(score(request, reasons=1)))
    assert [(intent.standing, len(intent.reasons)) for intent in found] == [(Standing.SCORED, 1)] * 2
    assert [record for record in caplog.records if record.levelno == logging.ERROR] == []
    session = Session.objects.get()
    assert (session.score, session.sequence) == (found[1].probability, 2)
