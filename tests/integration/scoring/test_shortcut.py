"""`score()` of a request, of a stored session and of nobody."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.http import HttpRequest
from django.test import RequestFactory

from purchase_intent import shortcuts
from purchase_intent.exceptions import ForkedTooLate
from purchase_intent.features.live import read_row
from purchase_intent.features.state import STATE_LAYOUT
from purchase_intent.models import Event, ModelVersion, Score, Session, Stage, Visitor
from purchase_intent.scoring import serving
from purchase_intent.scoring.answer import UNKNOWN, Intent, Standing
from purchase_intent.scoring.score import answer, milliseconds
from purchase_intent.shortcuts import score, track
from tests.integration.scoring.conftest import Act
from tests.integration.scoring.host import Host
from tests.integration.scoring.visits import visit
from tests.trained import damage

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def stored(state: bytes = b"", **fields: object) -> Session:
    owner = Visitor.objects.create(cookie="v", first_seen=NOON, last_seen=NOON)
    sound = {"key": "s", "visitor": owner, "started_at": NOON, "last_at": NOON, "state": state}
    made: Session = Session.objects.create(**sound | fields)
    return made


def test_a_request_is_scored_after_what_it_tells(champion: ModelVersion, act: Act) -> None:
    found: list[Intent] = []

    def put_into_cart(request: HttpRequest) -> None:
        found.append(score(request))
        track(request, "cart", product="7", price=20, quantity=1)
        found.append(score(request))

    act(put_into_cart)
    assert [intent.stage for intent in found] == [Stage.BROWSING, Stage.CART]
    assert [intent.standing for intent in found] == [Standing.SCORED] * 2
    assert found[0].probability != found[1].probability


def test_the_score_is_stored_with_the_session_and_is_what_history_gives(champion: ModelVersion, act: Act) -> None:
    found: list[Intent] = []
    act(lambda request: found.append(score(request)))
    act(lambda request: found.append(score(request)))
    session = Session.objects.get()
    last = Event.objects.order_by("sequence").last()
    serves = serving.champion()
    assert last is not None
    assert serves is not None
    row = read_row(session.read_state(), session.read_past(), milliseconds(last.occurred_at))
    chance = float(serves.model.predict(row)[0])
    assert (session.score, session.model_id, session.scored_at) == (chance, champion.pk, last.occurred_at)
    assert found[1].probability == chance
    assert Score.objects.count() == 2


def test_a_request_is_scored_once(champion: ModelVersion, act: Act, asked: list[int]) -> None:
    found: list[Intent] = []

    def ask(request: HttpRequest) -> None:
        found.extend(score(request, reasons=count) for count in (0, 0, 2, 1, 0))

    act(ask)
    assert asked == [0, 2]
    assert [len(intent.reasons) for intent in found] == [0, 0, 2, 1, 0]
    assert len({intent.probability for intent in found}) == 1


def test_without_consent_nothing_is_known(champion: ModelVersion, act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Host, "agreed", False)
    found: list[Intent] = []
    act(lambda request: found.append(score(request)))
    assert found == [UNKNOWN]
    assert Event.objects.count() == 0


def test_without_the_middleware_nothing_is_known(champion: ModelVersion, caplog: pytest.LogCaptureFixture) -> None:
    assert score(RequestFactory().get("/")) == UNKNOWN
    assert score(None) == UNKNOWN  # type: ignore[arg-type]
    assert not caplog.records


def test_without_a_model_the_rules_answer(act: Act) -> None:
    found: list[Intent] = []
    act(lambda request: found.append(score(request, reasons=1)))
    assert (found[0].standing, found[0].model, len(found[0].reasons)) == (Standing.RULES, None, 1)
    assert Session.objects.get().score == found[0].probability
    assert Score.objects.count() == 0


def test_a_damaged_champion_does_not_harm_the_page(
    champion: ModelVersion, act: Act, caplog: pytest.LogCaptureFixture
) -> None:
    damage(champion)
    found: list[Intent] = []
    for _ in range(3):
        act(lambda request: found.append(score(request)))
    assert [intent.standing for intent in found] == [Standing.RULES] * 3
    assert [record.levelno for record in caplog.records].count(logging.ERROR) == 1
    assert Event.objects.count() == 3


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        pytest.param(DatabaseError("gone"), "see that the database answers", id="database"),
        pytest.param(ForkedTooLate(), "leave preload_app off", id="fork"),
        pytest.param(ArithmeticError("odd"), "mend what the traceback ends with", id="any other"),
    ],
)
def test_a_fault_is_logged_once_and_gives_no_answer(
    act: Act, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: Exception, words: str
) -> None:
    def failing(*_: Any, **__: Any) -> Intent:
        raise fault

    monkeypatch.setattr(shortcuts, "answer", failing)
    found: list[Intent] = []
    for _ in range(3):
        act(lambda request: found.append(score(request)))
    assert found == [UNKNOWN] * 3
    [message] = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert message.startswith("No score was given: ")
    assert words in message
    assert Event.objects.count() == 3


def test_a_stored_session_is_scored_as_of_its_end_at_the_latest(champion: ModelVersion) -> None:
    session = stored(STATE_LAYOUT.dumps(visit(3)))
    ended = NOON + timedelta(minutes=30)
    assert score(session).moment == ended
    assert score(session) == answer(visit(3), session.read_past(), at=ended)
    assert score(session, as_of=NOON) == answer(visit(3), session.read_past(), at=NOON)


def test_a_stored_session_without_a_state_is_unknown(champion: ModelVersion) -> None:
    assert score(stored(b"short")).standing is Standing.UNKNOWN
