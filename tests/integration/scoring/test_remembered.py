"""An answer given once is not worked out again, until something that it depends on is another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from purchase_intent.features.state import Past, State
from purchase_intent.models import ModelVersion
from purchase_intent.scoring import remembered
from purchase_intent.scoring.remembered import forget_answers
from purchase_intent.scoring.score import answer
from purchase_intent.scoring.serving import champion as serving
from purchase_intent.scoring.serving import forget

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)


def state(events: int = 3) -> State:
    return State(events=events, start=1_700_000_000_000, last=1_700_000_100_000, stage=2)


@pytest.fixture
def asked(champion: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """How often the model itself was asked."""
    forget_answers()
    calls: list[object] = []
    loaded = serving()
    assert loaded is not None
    plain = type(loaded.model).predict_one

    def predict_one(self: Any, row: Any) -> Any:
        calls.append(row)
        return plain(self, row)

    monkeypatch.setattr(type(loaded.model), "predict_one", predict_one)
    return calls


@pytest.mark.django_db
def test_the_same_question_is_asked_of_the_model_once(asked: list[object]) -> None:
    first = answer(state(), Past(), at=NOW)
    assert answer(state(), Past(), at=NOW) == first
    assert len(asked) == 1


@pytest.mark.django_db
def test_another_state_past_moment_or_model_is_another_question(asked: list[object]) -> None:
    answer(state(), Past(), at=NOW)
    answer(state(4), Past(), at=NOW)
    answer(state(), Past(sessions=2), at=NOW)
    answer(state(), Past(), at=NOW + timedelta(seconds=1))
    assert len(asked) == 4
    forget()
    answer(state(), Past(), at=NOW)
    assert len(asked) == 5


@pytest.mark.django_db
def test_the_oldest_answers_go_first(asked: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST", 2)
    for events in (3, 4, 5, 5, 4, 3):
        answer(state(events), Past(), at=NOW)
    assert len(asked) == 4


@pytest.mark.django_db
def test_reasons_are_worked_out_each_time(champion: ModelVersion) -> None:
    forget_answers()
    plain = answer(state(), Past(), at=NOW)
    assert plain.reasons == ()
    assert len(answer(state(), Past(), at=NOW, reasons=2).reasons) == 2
    assert answer(state(), Past(), at=NOW) == plain
