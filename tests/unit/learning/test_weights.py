"""Weights stay on the simplex, follow evidence, and stay near equal without it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import expit

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning.weights import SPREAD, evidence, fit_weights, nats

Margins = NDArray[np.float64]


def members(rows: int, noise: tuple[float, ...], seed: int = 0) -> tuple[Margins, NDArray[np.uint8]]:
    """Margins of members that see the truth through more or less noise."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(-2, 1.5, rows)
    labels = (rng.random(rows) < expit(truth)).astype(np.uint8)
    return truth[:, None] + rng.normal(size=(rows, len(noise))) * np.array(noise), labels


@settings(max_examples=20)
@given(seed=st.integers(0, 2**16), count=st.integers(1, 5))
def test_weights_are_a_mixture(seed: int, count: int) -> None:
    margins, labels = members(300, tuple(0.5 * step for step in range(count)), seed)
    weights = fit_weights(margins, labels, np.ones(300), max(int(labels.sum()), 1))
    assert weights.shape == (count,)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)


def test_more_buyers_move_weights_further_from_equal() -> None:
    margins, labels = members(4000, (0.2, 2.0))
    strayed = [fit_weights(margins, labels, np.ones(4000), buyers)[0] - 0.5 for buyers in (1, 30, 1000)]
    assert 0 < strayed[0] < strayed[1] < strayed[2]
    assert strayed[0] < 0.05
    assert strayed[2] > 0.3


def test_twins_share_alike() -> None:
    margins, labels = members(2000, (0.5,))
    weights = fit_weights(np.repeat(margins, 3, axis=1), labels, np.ones(2000), int(labels.sum()))
    np.testing.assert_allclose(weights, [1 / 3] * 3, atol=1e-6)


def test_the_answer_is_the_minimum_on_a_fine_grid() -> None:
    margins, labels = members(1500, (0.3, 1.0), seed=4)
    case = np.random.default_rng(1).uniform(0.5, 2, 1500)
    found = fit_weights(margins, labels, case, 40)[0]
    mass = evidence(labels, case, 40)

    def loss(first: float) -> float:
        mixed = margins @ np.array([first, 1 - first])
        return float((mass * nats(mixed, labels)).sum() + 2 * (first - 0.5) ** 2 / (2 * SPREAD**2))

    grid = np.linspace(0, 1, 2001)
    assert found == pytest.approx(grid[np.argmin([loss(first) for first in grid])], abs=1e-3)


def test_case_weights_of_any_scale_give_the_same() -> None:
    margins, labels = members(1000, (0.3, 1.0))
    np.testing.assert_allclose(
        fit_weights(margins, labels, np.ones(1000), 50), fit_weights(margins, labels, np.full(1000, 7.0), 50), atol=1e-9
    )


def test_evidence_counts_buyers_not_moments() -> None:
    labels = np.array([1, 1, 1, 0], dtype=np.uint8)
    np.testing.assert_allclose(evidence(labels, np.array([1.0, 1.0, 2.0, 4.0]), 2), [0.5, 0.5, 1.0, 2.0])


def test_no_positive_case_is_refused() -> None:
    with pytest.raises(TrainingRefused, match=r"^weights: no positive"):
        fit_weights(np.zeros((3, 2)), np.zeros(3, dtype=np.uint8), np.ones(3), 1)


def test_log_loss_does_not_overflow() -> None:
    assert nats(np.array([1e4, -1e4]), np.array([0, 1], dtype=np.uint8)).tolist() == [1e4, 1e4]
