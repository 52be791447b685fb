"""The cold-start rules: a rough guess that moves the right way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from purchase_intent.features.state import Past, State
from purchase_intent.models import Stage
from purchase_intent.scoring.answer import Standing, bands_of
from purchase_intent.scoring.rules import CUTOFFS, rough_answer

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW = 1_772_366_400_000
CARTED = [0, 0, 0, 0, 0, 0, 1, 0]


def guess(*, past: Any = None, silence: Any = 0, **fields: Any) -> float:
    state = State(**{"start": NOW - 600_000, "last": NOW - silence * 1000, "events": 3, "stage": 2} | fields)
    found = rough_answer(state, past or Past(), at=AT, now=NOW).probability
    assert found is not None
    return found


@pytest.mark.parametrize("shop", [{}, {"shop_sessions": 9000, "shop_buyers": 450}], ids=["unknown", "known"])
@pytest.mark.parametrize("kinds", [[0] * 8, CARTED], ids=["no cart", "carted"])
def test_a_later_stage_never_lowers_it(shop: dict[str, Any], kinds: list[int]) -> None:
    found = [guess(stage=stage, kinds=kinds, **shop) for stage in range(6)]
    assert found == sorted(found)
    assert found[1] < found[2] < found[3] < found[4]


def test_a_browsing_visitor_of_an_unknown_shop_stands_a_little_below_the_prior() -> None:
    assert guess(stage=1) == pytest.approx(0.0181, abs=1e-4)


def test_the_shops_own_rate_moves_it_the_more_the_more_sessions_it_is_of() -> None:
    few, many = guess(shop_sessions=100, shop_buyers=10), guess(shop_sessions=100_000, shop_buyers=10_000)
    assert guess() < few < many
    assert guess(shop_sessions=100_000, shop_buyers=0) < guess()


@pytest.mark.parametrize(
    ("less", "more"),
    [
        pytest.param({"silence": 1200}, {"silence": 600}, id="silence"),
        pytest.param({"silence": 600}, {"silence": 60}, id="some silence"),
        pytest.param({"stage": 3}, {"stage": 3, "cart_units": 1}, id="a full cart"),
        pytest.param({"stage": 3, "kinds": CARTED}, {"stage": 3}, id="an emptied cart"),
        pytest.param({}, {"past": Past(sessions=1)}, id="came before"),
        pytest.param({"past": Past(sessions=1)}, {"past": Past(sessions=1, left=1)}, id="left a cart"),
        pytest.param({"past": Past(sessions=1, left=1)}, {"past": Past(sessions=1, bought=1)}, id="bought before"),
    ],
)
def test_what_speaks_for_a_purchase_raises_it(less: dict[str, object], more: dict[str, object]) -> None:
    assert guess(**less) < guess(**more)


def test_a_silence_counts_in_full_after_half_an_hour() -> None:
    assert guess(silence=1800) == guess(silence=90_000)
    assert guess(silence=300) == guess(silence=0) == guess(silence=-60)


@pytest.mark.parametrize("shop", [(5, 9), (0, 7), (-1, -1)], ids=["more buyers than sessions", "no sessions", "junk"])
def test_absurd_counts_give_a_probability(shop: tuple[int, int]) -> None:
    assert 0 < guess(shop_sessions=shop[0], shop_buyers=shop[1]) < 1


def test_it_is_labelled_and_its_reasons_are_its_terms() -> None:
    state = State(start=NOW, last=NOW, events=3, stage=3, cart_units=2)
    found = rough_answer(state, Past(sessions=2, bought=1), at=AT, now=NOW, reasons=5)
    assert (found.standing, found.model, found.stage, found.moment) == (Standing.RULES, None, Stage.CART, AT)
    assert [(reason.text, reason.features) for reason in found.reasons] == [
        ("Has put something into the basket", ("stage",)),
        ("Has bought here before", ("past_purchases",)),
        ("The basket holds something", ("cart_units",)),
    ]
    assert rough_answer(state, Past(), at=AT, now=NOW).reasons == ()


@pytest.mark.parametrize(
    ("probability", "band", "bands"),
    [
        pytest.param(0.039, "", set(), id="none"),
        pytest.param(0.04, "top_20", {"top_20"}, id="at the cut-off"),
        pytest.param(0.3, "top_5", {"top_20", "top_5"}, id="two"),
        pytest.param(0.9, "top_1", {"top_20", "top_5", "top_1"}, id="all"),
    ],
)
def test_bands_hold_all_that_are_reached_and_name_the_narrowest(probability: float, band: str, bands: set[str]) -> None:
    assert bands_of(probability, CUTOFFS) == (band, frozenset(bands))


def test_of_equal_cutoffs_the_narrower_band_is_named() -> None:
    assert bands_of(0.5, {"top_1": 0.5, "top_5": 0.5, "top_20": 0.1})[0] == "top_1"
