"""`score()` and the template tag, of a request, of a stored session and of nobody; what they cost unused."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import DatabaseError
from django.http import HttpRequest
from django.test import AsyncClient, Client, RequestFactory
from pytest_django import DjangoAssertNumQueries, Settings

from purchase_intent import shortcuts
from purchase_intent.exceptions import ForkedTooLate
from purchase_intent.features.live import read_row
from purchase_intent.features.state import STATE_LAYOUT
from purchase_intent.models import Event, ModelVersion, Score, Session, Stage, Visitor
from purchase_intent.scoring import serving
from purchase_intent.scoring.answer import UNKNOWN, Intent, Standing
from purchase_intent.scoring.score import answer, milliseconds
from purchase_intent.shortcuts import score, track
from tests.integration.scoring.host import Host, render
from tests.integration.scoring.visits import visit
from tests.trained import damage

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[3]
Act = Callable[[Callable[[HttpRequest], object]], str]
AskOverAsgi = Callable[[str, Callable[[HttpRequest], object]], str]
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


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


def test_a_stored_session_is_scored_as_of_its_end_at_the_latest(champion: ModelVersion) -> None:
    session = stored(STATE_LAYOUT.dumps(visit(3)))
    ended = NOON + timedelta(minutes=30)
    assert score(session).moment == ended
    assert score(session) == answer(visit(3), session.read_past(), at=ended)
    assert score(session, as_of=NOON) == answer(visit(3), session.read_past(), at=NOON)


def test_a_stored_session_without_a_state_is_unknown(champion: ModelVersion) -> None:
    assert score(stored(b"short")).standing is Standing.UNKNOWN


# The tag


PAGE = (
    "{% intent as intent %}{{ intent.standing }} {{ intent.stage.label }} "
    "{% if intent.probability is not None %}number{% endif %} {% if 'top_5' in intent.bands %}top{% endif %}"
)


def test_a_template_shows_the_score(champion: ModelVersion, act: Act) -> None:
    assert act(lambda request: render(PAGE, request)).strip() == "scored browsing number"


def test_a_tag_that_is_not_used_asks_nothing(
    champion: ModelVersion, act: Act, asked: list[int], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def unused(request: HttpRequest) -> str:
        with django_assert_num_queries(0):
            return render("{% intent as intent %}plain", request)

    assert act(unused) == "plain"
    assert asked == []
    assert Session.objects.get().score is None


def test_reasons_are_worked_out_when_they_are_shown(champion: ModelVersion, act: Act, asked: list[int]) -> None:
    act(lambda request: render("{% intent as intent %}{{ intent.probability }}", request))
    assert asked == [0]
    text = (
        "{% intent reasons=2 as intent %}{{ intent.stage }}{% for why in intent.reasons %}|{{ why.text }}{% endfor %}"
    )
    shown = act(lambda request: render(text, request))
    assert asked == [0, 0, 2]
    assert shown.count("|") == 2


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(PAGE, id="read"),
        pytest.param("{% intent %}", id="printed"),
        pytest.param("{% intent reasons='many' as intent %}{{ intent.reasons|length }}", id="no number of reasons"),
        pytest.param("{% intent reasons=-1 as intent %}{{ intent.reasons|length }}", id="fewer than none"),
        pytest.param(
            "{% intent as intent %}{{ intent.nonsense }}{{ intent.moment }}{{ intent.model }}", id="unknown name"
        ),
    ],
)
def test_a_template_never_fails(text: str, act: Act) -> None:
    assert "object at" not in render(text, None)
    assert "object at" not in act(lambda request: render(text, request))


def test_a_page_that_does_not_use_the_tag_imports_no_learner() -> None:
    program = """
import json, sys
import django
django.setup()
from django.template import engines
from django.test import RequestFactory
text = "{% load purchase_intent %}{% intent as intent %}plain"
assert engines["django"].from_string(text).render({}, RequestFactory().get("/")) == "plain"
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment | {"DJANGO_SETTINGS_MODULE": "demo_shop.settings"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "purchase_intent" in loaded
    assert loaded.isdisjoint({"catboost", "lightgbm", "xgboost", "sklearn", "pandas", "numba", "duckdb", "pyarrow"})
