"""A batch as columns: what is said of each row is what is said of it alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from purchase_intent.features.columns import unpacked
from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT, Past, State
from purchase_intent.models import ModelVersion
from purchase_intent.models.bulk import instant, microseconds
from purchase_intent.scoring import columns
from purchase_intent.scoring.answer import Standing
from purchase_intent.scoring.columns import Rows, say
from purchase_intent.scoring.score import answer
from tests.integration.scoring.visits import NOON_MS, visit

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

PAIRS: list[tuple[State, Past]] = [
    (visit(1), Past()),
    (visit(5, purchases=1), Past()),
    (visit(2, device=7, price=19.99), Past(sessions=3, last_seen=NOON_MS - 10**8)),
    (State(), Past()),
    (visit(4, cart_units=3, cart_value=120.5, checkouts=1), Past(sessions=1, bought=1)),
    (visit(3, cart_units=1, kinds=[0, 0, 0, 0, 3, 0, 1, 0]), Past(sessions=9, left=1)),
]


def rows(pairs: list[tuple[State, Past]]) -> Rows:
    """The pairs as columns, each as of a moment of its own."""
    return Rows(
        keys=np.arange(len(pairs)),
        states=unpacked(STATE_LAYOUT, [STATE_LAYOUT.dumps(state) for state, _ in pairs]),
        pasts=unpacked(PAST_LAYOUT, [PAST_LAYOUT.dumps(past) for _, past in pairs]),
        moments=np.array([microseconds(NOON + timedelta(seconds=place)) for place in range(len(pairs))]),
    )


def compare(standing: Standing, model: int | None) -> set[str]:
    """Hold a batch against one answer after the other; the bands that came up."""
    said = say(rows(PAIRS))
    assert said.model == model
    for place, (state, past) in enumerate(PAIRS):
        alone = answer(state, past, at=NOON + timedelta(seconds=place))
        assert said.given[place] == (alone.standing == standing)
        if said.given[place]:
            assert (said.probability[place], said.bands[said.band[place]]) == (alone.probability, alone.band)
        else:
            assert said.band[place] == 0
    return {said.bands[place] for place in said.band.tolist()}


def test_the_champion_says_of_a_batch_what_it_says_of_each(champion: ModelVersion) -> None:
    assert len(compare(Standing.SCORED, champion.pk)) > 1


def test_without_a_model_the_rules_do() -> None:
    assert len(compare(Standing.RULES, None)) > 1


def test_nothing_to_ask_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "champion", pytest.fail)
    assert not say(rows([(State(), Past())])).given.any()
    assert len(say(rows([])).probability) == 0


def test_of_two_bands_with_one_cut_off_the_one_named_first_is_reached() -> None:
    said = columns._banded(None, np.array([0.1, 0.5, np.nan]), {"top_1": 0.5, "top_5": 0.5, "top_20": 0.1})
    assert [said.bands[place] for place in said.band.tolist()] == ["top_20", "top_1", ""]


def test_microseconds_survive_the_way_there_and_back() -> None:
    late = NOON.replace(microsecond=123_457)
    assert instant(microseconds(late)) == late
