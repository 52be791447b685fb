"""From state to answer: one by one, in batches, with and without a model."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from purchase_intent.features.live import read_row
from purchase_intent.features.state import Past, State
from purchase_intent.models import ModelVersion, Stage
from purchase_intent.scoring import serving
from purchase_intent.scoring.answer import Intent, Standing
from purchase_intent.scoring.score import answer, answers, milliseconds
from tests.integration.scoring.visits import NOON_MS, visit

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KINDS = [0, 1, 0, 0, 9, 0, 2, 0]

MIXED: list[tuple[State, Past]] = [
    (visit(1), Past()),
    (visit(5, purchases=1), Past()),
    (visit(2, kinds=KINDS, device=7, price=19.99), Past(sessions=3, last_seen=NOON_MS - 10**8)),
    (State(), Past()),
    (visit(4, cart_units=3, cart_value=120.5), Past(sessions=1, bought=1)),
]


def test_a_time_is_told_in_whole_milliseconds() -> None:
    assert milliseconds(NOON) == NOON_MS
    assert milliseconds(NOON.replace(microsecond=1_999)) == NOON_MS + 1
    assert milliseconds(NOON.replace(microsecond=1_000)) == NOON_MS + 1


def test_the_champion_answers_with_its_probability_and_key(champion: ModelVersion) -> None:
    found = answer(visit(3), Past(), at=NOON)
    serves = serving.champion()
    assert serves is not None
    chance = float(serves.model.predict(read_row(visit(3), Past(), NOON_MS))[0])
    assert (found.standing, found.probability, found.model) == (Standing.SCORED, chance, champion.pk)
    assert (found.stage, found.moment, found.reasons) == (Stage.CART, NOON, ())


def test_bands_are_those_of_the_model(champion: ModelVersion) -> None:
    serves = serving.champion()
    assert serves is not None
    reached = set()
    for stage in range(1, 5):
        for units in (0, 1, 5):
            found = answer(visit(stage, cart_units=units, kinds=KINDS), Past(), at=NOON)
            assert found.probability is not None
            wanted = {name for name, cut in serves.model.thresholds.bands.items() if found.probability >= cut}
            assert found.bands == wanted
            assert found.band == next((name for name in ("top_1", "top_5", "top_20") if name in wanted), "")
            reached.add(found.band)
    assert len(reached) > 1


def test_a_session_that_has_bought_is_no_question(champion: ModelVersion) -> None:
    assert answer(visit(5, purchases=1), Past(), at=NOON, reasons=3) == Intent(
        standing=Standing.ALREADY_BOUGHT, stage=Stage.BOUGHT, moment=NOON
    )


def test_a_session_without_an_event_is_unknown(champion: ModelVersion) -> None:
    assert answer(State(), Past(), at=NOON) == Intent(standing=Standing.UNKNOWN, moment=NOON)


def test_a_batch_answers_as_one_by_one(champion: ModelVersion) -> None:
    alone = [answer(state, past, at=NOON) for state, past in MIXED]
    together = answers(MIXED, at=[NOON] * len(MIXED))
    assert [found.standing for found in together] == ["scored", "already_bought", "scored", "unknown", "scored"]
    for one, other in zip(alone, together, strict=True):
        assert (one.standing, one.band, one.bands, one.stage, one.model) == (
            other.standing,
            other.band,
            other.bands,
            other.stage,
            other.model,
        )
        assert one.probability == other.probability


def test_a_batch_without_a_model_answers_by_rules() -> None:
    assert answers(MIXED, at=[NOON] * len(MIXED)) == [answer(state, past, at=NOON) for state, past in MIXED]
    assert answers([], at=[]) == []


def test_as_many_moments_as_states_are_asked_for() -> None:
    with pytest.raises(ValueError, match="shorter"):
        answers(MIXED, at=[NOON])


def test_reasons_are_given_when_asked_and_change_nothing_else(champion: ModelVersion) -> None:
    plain = answer(visit(4, cart_units=2), Past(), at=NOON)
    explained = answer(visit(4, cart_units=2), Past(), at=NOON, reasons=2)
    assert explained.probability == plain.probability
    assert 0 < len(explained.reasons) <= 2
    assert explained.reasons[0].text
    effects = [abs(reason.effect) for reason in explained.reasons]
    assert effects == sorted(effects, reverse=True)


def test_what_the_features_add_sums_to_the_score(champion: ModelVersion) -> None:
    serves = serving.champion()
    assert serves is not None
    row = read_row(visit(4, cart_units=2), Past(), NOON_MS)
    contributions, base = serves.model.contributions(row)
    found = answer(visit(4, cart_units=2), Past(), at=NOON)
    assert found.probability is not None
    assert math.log(found.probability / (1 - found.probability)) == pytest.approx(
        float(contributions.sum()) + base, abs=1e-9
    )
