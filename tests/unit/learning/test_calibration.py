"""The map to probabilities keeps the order and finds the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning import Calibration
from purchase_intent.learning.calibration import SLOPE_SPREAD
from purchase_intent.learning.weights import evidence, nats


def outcomes(slope: float, intercept: float, rows: int = 20_000) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    rng = np.random.default_rng(8)
    margins = rng.normal(-2, 1.5, rows)
    return margins, (rng.random(rows) < expit(slope * margins + intercept)).astype(np.uint8)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (1.6, -0.7), (0.5, 0.4)])
def test_the_true_map_is_found(slope: float, intercept: float) -> None:
    margins, labels = outcomes(slope, intercept, rows=100_000)
    found = Calibration.fit(margins, labels, np.ones(len(labels)), int(labels.sum()))
    assert found.slope == pytest.approx(slope, abs=0.05)
    assert found.intercept == pytest.approx(intercept, abs=0.1)


def test_the_fit_is_the_minimum_that_another_solver_finds() -> None:
    margins, labels = outcomes(1.5, -0.5, rows=3000)
    weights = np.random.default_rng(2).uniform(0.2, 3, 3000)
    mass = evidence(labels, weights, 60)
    oracle = minimize(
        lambda at: (mass * nats(at[0] * margins + at[1], labels)).sum() + (at[0] - 1) ** 2 / (2 * SLOPE_SPREAD**2),
        [1.0, 0.0],
        method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 2000},
    )
    found = Calibration.fit(margins, labels, weights, 60)
    assert (found.slope, found.intercept) == pytest.approx(tuple(oracle.x), abs=1e-5)


def test_the_mean_probability_becomes_the_observed_rate() -> None:
    margins, labels = outcomes(1.3, -1.0)
    weights = np.random.default_rng(2).uniform(0.2, 3, len(labels))
    found = Calibration.fit(margins, labels, weights, int(labels.sum()))
    assert np.average(expit(found(margins)), weights=weights) == pytest.approx(
        np.average(labels, weights=weights), rel=1e-9
    )


def test_few_buyers_keep_the_slope_near_one() -> None:
    margins, labels = outcomes(2.0, 0.0)
    slopes = [Calibration.fit(margins, labels, np.ones(len(labels)), buyers).slope for buyers in (1, 30, 3000)]
    assert 1 < slopes[0] < slopes[1] < slopes[2] < 2.1
    assert slopes[0] < 1.2


@given(st.floats(0.01, 10), st.floats(-5, 5), st.lists(st.floats(-20, 20), min_size=2, max_size=20))
def test_the_order_of_scores_is_kept(slope: float, intercept: float, scores: list[float]) -> None:
    ordered = Calibration(slope, intercept)(np.sort(np.array(scores)))
    assert (np.diff(ordered) >= 0).all()


def test_a_reversed_ranking_is_refused() -> None:
    margins, labels = outcomes(-1.0, -3.0)
    with pytest.raises(TrainingRefused) as refused:
        Calibration.fit(margins, labels, np.ones(len(labels)), int(labels.sum()))
    assert refused.value.facts["field"] == "calibration"


@pytest.mark.parametrize(("slope", "intercept"), [(0.0, 0.0), (-1.0, 0.0), (float("nan"), 0.0), (1.0, float("inf"))])
def test_a_map_that_loses_the_order_cannot_be_made(slope: float, intercept: float) -> None:
    with pytest.raises(TrainingRefused, match=r"^calibration: "):
        Calibration(slope, intercept)


def test_separable_scores_end_finite() -> None:
    margins = np.linspace(-3, 3, 200)
    found = Calibration.fit(margins, (margins > 0).astype(np.uint8), np.ones(200), 100)
    assert 1 < found.slope < 50
