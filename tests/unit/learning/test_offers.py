"""Whom an offer pays for, against brute force; and the curve it is read off."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from purchase_intent.exceptions import OfferRefused
from purchase_intent.learning import Calibration, IntentEnsemble, Sample, split
from purchase_intent.learning.offers import SHARES, Offer, OperatingCurve
from purchase_intent.learning.profile import CURVE

GRID = np.linspace(0.0005, 0.9995, 1000)


def curve(size: int = 4000, seed: int = 4) -> OperatingCurve:
    rng = np.random.default_rng(seed)
    probabilities = rng.beta(0.5, 8, size)
    return OperatingCurve.of((rng.random(size) < probabilities).astype(np.uint8), probabilities, np.ones(size))


def test_an_offer_moves_the_odds() -> None:
    offer = Offer(margin=20, cost=5, odds_ratio=2)
    assert offer.chance_with(np.array([0.5])) == pytest.approx([2 / 3])
    # Two thirds at a margin of 15 against one half at 20.
    assert offer.worth(np.array([0.5])) == pytest.approx([0.0])
    assert offer.range() == pytest.approx((0.0, 0.5))


def test_what_is_spent_on_showing_it_spares_those_who_hardly_ever_buy() -> None:
    low, high = Offer(margin=20, cost=5, odds_ratio=2, contact=0.2).range() or (0.0, 0.0)
    assert 0.02 < low < 0.03
    assert high < 0.5


@given(
    margin=st.floats(0.5, 200),
    cost=st.floats(0, 50),
    odds_ratio=st.floats(1, 5),
    contact=st.one_of(st.just(0.0), st.floats(0.001, 3)),
)
def test_within_its_range_an_offer_earns_and_nowhere_else(
    margin: float, cost: float, odds_ratio: float, contact: float
) -> None:
    offer = Offer(margin=margin, cost=cost, odds_ratio=odds_ratio, contact=contact)
    worth = offer.worth(GRID)
    clear = np.abs(worth) > 1e-6 * margin
    found = offer.range()
    inside = np.zeros(len(GRID), dtype=bool) if found is None else (found[0] <= GRID) & (found[1] >= GRID)
    assert ((worth > 0) == inside)[clear].all()


@pytest.mark.parametrize(
    ("margin", "cost", "odds_ratio", "contact"),
    [
        pytest.param(20.0, 5.0, 1.0, 0.0, id="it moves nobody"),
        pytest.param(5.0, 20.0, 1.5, 0.0, id="it costs more than an order earns"),
        pytest.param(20.0, 5.0, 1.3, 0.0, id="what it moves is less than what it gives away"),
        pytest.param(20.0, 1.0, 1.5, 9.0, id="showing it costs too much"),
        pytest.param(0.0, 0.0, 1.5, 0.0, id="nothing is earned"),
    ],
)
def test_an_offer_that_pays_for_nobody(margin: float, cost: float, odds_ratio: float, contact: float) -> None:
    offer = Offer(margin=margin, cost=cost, odds_ratio=odds_ratio, contact=contact)
    assert offer.range() is None
    assert curve().reach(offer) is None
    assert (offer.worth(GRID) <= 0).all()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("margin", -1.0, id="negative"),
        pytest.param("odds_ratio", 0.9, id="an offer that puts off"),
        pytest.param("contact", float("nan"), id="no number"),
        pytest.param("cost", float("inf"), id="infinite"),
    ],
)
def test_a_figure_out_of_range_is_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(OfferRefused, match=f"^{field}: .* is out of range; give a number of"):
        Offer(**{"margin": 20.0, "cost": 5.0, "odds_ratio": 1.2, field: value})


def test_the_curve_counts_as_a_loop_would() -> None:
    labels = np.array([1, 0, 1, 0, 0, 0, 0, 1], dtype=np.uint8)
    probabilities = np.array([0.9, 0.5, 0.5, 0.5, 0.2, 0.1, 0.1, 0.05])
    weights = np.array([1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0])
    found = OperatingCurve.of(labels, probabilities, weights)
    for place, threshold in enumerate(found.thresholds):
        flagged = probabilities >= threshold
        assert found.shares[place] == pytest.approx(weights[flagged].sum() / 10)
        assert found.precision[place] == pytest.approx(np.average(labels[flagged], weights=weights[flagged]))
        assert found.expected[place] == pytest.approx(np.average(probabilities[flagged], weights=weights[flagged]))
    assert found.thresholds[0] == 0.05
    assert found.shares[0] == 1
    assert len(set(found.thresholds)) == len(found.thresholds)


@given(st.integers(0, 2**16), st.integers(1, 400))
def test_the_curve_is_of_one_direction_and_ends_with_everybody(seed: int, size: int) -> None:
    found = curve(size, seed)
    assert list(found.thresholds) == sorted(found.thresholds)
    assert list(found.shares) == sorted(found.shares, reverse=True)
    assert found.shares[0] == pytest.approx(1)
    assert len(found.thresholds) <= len(SHARES)


def test_a_precision_is_reached_at_the_lowest_cutoff_that_holds_it() -> None:
    found = curve()
    place = found.for_precision(0.2)
    assert place is not None
    assert found.precision[place] >= 0.2
    assert place == 0 or found.precision[place - 1] < 0.2
    assert found.for_precision(1.0) is None or found.precision[-1] == 1


@pytest.mark.parametrize("wanted", [0.0, 1.1, -0.2, float("nan")])
def test_a_precision_that_cannot_be_is_refused(wanted: float) -> None:
    with pytest.raises(OfferRefused, match=r"precision: .* give a share above 0, at most 1"):
        curve().for_precision(wanted)


def test_the_profit_of_an_offer_is_that_of_the_cases_in_its_range() -> None:
    rng = np.random.default_rng(8)
    probabilities = rng.beta(0.5, 8, 200_000)
    found = OperatingCurve.of(np.zeros(200_000, dtype=np.uint8), probabilities, np.ones(200_000))
    offer = Offer(margin=30, cost=6, odds_ratio=1.5, contact=0.05)
    reach = found.reach(offer)
    assert reach is not None
    inside = (probabilities >= reach.low) & (probabilities <= reach.high)
    # The curve has a few dozen steps: its ends fall within one of them.
    assert reach.share == pytest.approx(inside.mean(), abs=0.08)
    assert reach.profit == pytest.approx(1000 * offer.worth(probabilities)[inside].sum() / 200_000, rel=0.05)


def test_a_corrected_curve_is_that_of_corrected_scores() -> None:
    rng = np.random.default_rng(5)
    probabilities = rng.beta(0.5, 8, 400_000)
    moved = expit(logit(probabilities) + 0.7)
    labels = (rng.random(400_000) < moved).astype(np.uint8)
    weights = np.ones(400_000)
    found = OperatingCurve.of((rng.random(400_000) < probabilities).astype(np.uint8), probabilities, weights)
    expected = OperatingCurve.of(labels, moved, weights)
    corrected = found.corrected(Calibration(1.0, 0.7))
    assert corrected.shares == expected.shares == found.shares
    assert corrected.thresholds == pytest.approx(expected.thresholds)
    assert corrected.expected == pytest.approx(expected.expected, rel=0.02)
    assert corrected.precision[:30] == pytest.approx(expected.precision[:30], rel=0.06)
    same = found.corrected(Calibration())
    assert same.precision == pytest.approx(found.precision)
    assert same.thresholds == pytest.approx(found.thresholds)


def test_a_curve_survives_json_exactly() -> None:
    found = curve()
    assert OperatingCurve.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_a_curve_whose_lists_differ_is_refused() -> None:
    data = curve().to_json()
    data["shares"] = data["shares"][1:]
    with pytest.raises(OfferRefused, match="give lists of one length"):
        OperatingCurve.from_json(data)


def test_a_model_keeps_the_curve_of_its_latest_slice(ensemble: IntentEnsemble, sample: Sample) -> None:
    found = OperatingCurve.from_json(ensemble.figures["profile"][CURVE])
    assert found.cases == len(split(sample).calibration)
    assert found.shares[0] == pytest.approx(1)
