"""Answers kept beside the stream: one process asks the model, all others are told, until the visit moves on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from purchase_intent.learning import IntentEnsemble
from purchase_intent.models import ModelVersion, Recalibration
from purchase_intent.models.session import IDLE
from purchase_intent.scoring import serving
from purchase_intent.scoring.remembered import forget_answers
from purchase_intent.segments.placeholders import intent_condition, segment_condition
from purchase_intent.segments.presets import install
from purchase_intent.tracking.place import LONGEST
from purchase_intent.tracking.sinks.draining import drain_stream
from purchase_intent.tracking.sinks.wire import ERA, SHOWN

pytestmark = pytest.mark.django_db(transaction=True)
DECISION = "/intent/v1/decision/"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the model is asked."""
    found, plain = list[object](), IntentEnsemble.predict_one

    def predict_one(self: IntentEnsemble, row: Any) -> float:
        found.append(row)
        return plain(self, row)

    monkeypatch.setattr(IntentEnsemble, "predict_one", predict_one)
    return found


def decided(client: Client, *conditions: str) -> Any:
    """The decision, as a process says it that has never been asked."""
    forget_answers()
    response = client.get(f"{DECISION}?{urlencode([('if', each) for each in conditions])}")
    assert response.status_code == 200
    return response.json()


@pytest.fixture
def visit(champion: ModelVersion, client: Client, stream: Any, asked: list[object]) -> Any:
    """What is decided on a visit that has been recorded, and is kept by now."""
    for path in ("/product/7/", "/moved/"):
        client.get(path)
    drain_stream()
    found = decided(client)
    assert (found["standing"], len(asked)) == ("scored", 1)
    return found


def test_the_model_is_asked_once_by_all_processes(client: Client, visit: Any, stream: Any, asked: list[object]) -> None:
    assert [decided(client) for _ in range(3)] == [visit] * 3
    assert len(asked) == 1
    (key,) = stream.keys("{purchase-intent}:said:*")
    assert 0 < stream.ttl(key) <= SHOWN == IDLE.total_seconds()


@pytest.mark.usefixtures("visit")
def test_a_visit_that_moves_on_is_asked_about_anew(client: Client, stream: Any, asked: list[object]) -> None:
    waiting: Any = None
    for step in range(2, 5):
        client.get(f"/product/{step}/")
        waiting = decided(client)
        assert (len(asked), decided(client)) == (2 * step - 2, waiting)
        drain_stream()
        assert decided(client) == waiting
        assert (len(asked), decided(client)) == (2 * step - 1, waiting)
    stream.incr(ERA)  # others have recorded: the database counts
    assert decided(client) == waiting
    assert len(asked) == 8


def test_a_corrected_model_is_asked_anew(
    client: Client, visit: Any, asked: list[object], champion: ModelVersion
) -> None:
    assert visit["standing"] == "scored"
    likely = intent_condition([">= 0.9"])
    assert (decided(client, likely)["holds"], len(asked)) == ([], 1)
    span = {"fitted_from": timezone.now() - timedelta(1), "fitted_until": timezone.now(), "sessions": 9, "buyers": 3}
    Recalibration.objects.create(model=champion, intercept=9.0, **span)
    serving.look_again()
    assert (decided(client, likely)["holds"], len(asked)) == ([likely], 2)
    assert (decided(client, likely)["holds"], len(asked)) == ([likely], 2)


@pytest.mark.parametrize(
    ("later", "standing"),
    [
        pytest.param(IDLE - timedelta(minutes=1), "scored", id="it pauses"),
        pytest.param(IDLE + timedelta(minutes=1), "unknown", id="it has ended"),
        pytest.param(LONGEST + timedelta(minutes=1), "unknown", id="a day later"),
        pytest.param(-timedelta(minutes=1), "scored", id="a clock set back"),
    ],
)
@pytest.mark.usefixtures("visit")
def test_an_answer_counts_no_longer_than_the_visit(
    client: Client, monkeypatch: pytest.MonkeyPatch, later: timedelta, standing: str
) -> None:
    moment = timezone.now() + later
    monkeypatch.setattr(timezone, "now", lambda: moment)
    assert decided(client)["standing"] == standing


def test_conditions_of_the_score_need_no_look_at_the_visit_and_those_of_a_segment_do(
    client: Client, visit: Any, asked: list[object]
) -> None:
    install(now=timezone.now())
    of_the_score = [intent_condition([">= 0.0001"]), intent_condition(["> 1"]), "top_20"]
    assert set(decided(client, *of_the_score)["holds"]) == {of_the_score[0], *({"top_20"} & set(visit["bands"]))}
    assert len(asked) == 1
    assert decided(client, segment_condition(["new-visitors"]))["holds"] == [segment_condition(["new-visitors"])]
    assert len(asked) == 2


@pytest.mark.usefixtures("visit")
def test_a_server_that_keeps_nothing_is_no_fault(client: Client, stream: Any, told: pytest.LogCaptureFixture) -> None:
    """It is full; then it cuts every connection, with an answer on it that nobody has read."""

    def cut() -> None:
        stream.client_kill_filter(_type="normal", skipme=True)

    def full() -> None:
        stream.config_set("maxmemory", 1000)

    for fault in (full, cut):
        client.get("/product/8/")
        drain_stream()
        faults: list[Callable[[], object]] = [fault, stream.flushdb if fault is cut else lambda: None]
        try:
            for each in faults:
                each()
            assert [decided(client)["standing"] for _ in range(3)] == ["scored"] * 3
        finally:
            stream.config_set("maxmemory", 0)
    assert not told.records
