"""A model brought back into line with recent outcomes; intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning import Calibration, IntentEnsemble
from purchase_intent.learning.intervals import resampled, session_draws, wilson
from purchase_intent.learning.shift import fit_shift, shifted
from tests.unit.learning.samples import shop


def draw(shift: float, *, cases: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    said = rng.normal(-3, 1.2, cases)
    return said, (rng.random(cases) < expit(said + shift)).astype(np.uint8)


@pytest.mark.parametrize(
    "shift", [pytest.param(-0.7, id="fewer"), pytest.param(0.0, id="same"), pytest.param(0.9, id="more")]
)
def test_the_shift_of_the_base_rate_is_found(shift: float) -> None:
    said, bought = draw(shift)
    found = fit_shift(said, bought, np.ones(len(said)), int(bought.sum()))
    assert found.slope == 1.0
    assert found.intercept == pytest.approx(shift, abs=0.06)


def test_few_buyers_move_it_little() -> None:
    said, bought = draw(0.9)
    few = fit_shift(said, bought, np.ones(len(said)), 2)
    assert 0 < few.intercept < 0.45


def test_without_a_buyer_there_is_nothing_to_fit() -> None:
    with pytest.raises(TrainingRefused, match="no positive case"):
        fit_shift(np.zeros(3), np.zeros(3, np.uint8), np.ones(3), 0)


def test_a_shifted_model_adds_up_and_keeps_its_bands(ensemble: IntentEnsemble) -> None:
    matrix = shop(60, seed=9).table.values
    moved = shifted(ensemble, Calibration(0.8, -0.5))
    assert moved.log_odds(matrix) == pytest.approx(0.8 * ensemble.log_odds(matrix) - 0.5, abs=1e-12)
    parts, base = moved.contributions(matrix)
    assert parts.sum(axis=1) + base == pytest.approx(moved.log_odds(matrix), abs=1e-5)
    for name, cutoff in ensemble.thresholds.bands.items():
        assert logit(moved.thresholds.bands[name]) == pytest.approx(0.8 * logit(cutoff) - 0.5, abs=1e-9)


def test_the_profile_is_what_the_later_slice_held(ensemble: IntentEnsemble) -> None:
    profile = ensemble.figures["profile"]
    assert set(profile["columns"]) == set(ensemble.names)
    assert profile["score"]["sessions"] == ensemble.figures["slices"]["calibration"]["sessions"]
    assert profile["columns"]["channel"]["levels"]
    assert set(profile["bands"]) == set(ensemble.thresholds.bands)
    assert 0 < profile["bands"]["top_20"]["share"] <= 0.2


def test_wilson_by_hand() -> None:
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_whole_sessions_are_drawn() -> None:
    sessions = np.array([4, 4, 9, 9, 9, 2])
    for counts in session_draws(sessions, seed=3, draws=20):
        assert counts[0] == counts[1]
        assert counts[2] == counts[3] == counts[4]
        assert counts[0] + counts[2] + counts[5] == 3


def test_an_interval_covers_and_gives_up_without_a_figure() -> None:
    values = np.random.default_rng(1).normal(size=400)
    draws = session_draws(np.arange(400), seed=1, draws=200)
    found = resampled(lambda weight: float(np.average(values, weights=weight)), np.ones(400), draws)
    assert found is not None
    assert found[0] < values.mean() < found[1]
    assert found[1] - found[0] == pytest.approx(2 * 1.96 / 20, rel=0.25)
    assert resampled(lambda weight: float("nan"), np.ones(400), draws) is None
