"""Each figure against an oracle, with weights and ties."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as oracle

from purchase_intent.learning import metrics

Case = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Labels of both classes, scores with many ties, positive weights."""
    size = draw(st.integers(2, 60))
    labels = draw(st.lists(st.integers(0, 1), min_size=size, max_size=size).filter(lambda found: 0 < sum(found) < size))
    scores = draw(st.lists(st.integers(1, 19).map(lambda step: step / 20), min_size=size, max_size=size))
    weights = draw(st.lists(st.integers(1, 8).map(lambda step: step / 4), min_size=size, max_size=size))
    return np.array(labels), np.array(scores), np.array(weights)


@given(cases())
def test_figures_equal_scikit_learn(case: Case) -> None:
    labels, scores, weights = case
    found = metrics.figures(labels, scores, weights)
    assert found["auc"] == pytest.approx(oracle.roc_auc_score(labels, scores, sample_weight=weights), abs=1e-12)
    assert found["average_precision"] == pytest.approx(
        oracle.average_precision_score(labels, scores, sample_weight=weights), abs=1e-12
    )
    assert found["brier"] == pytest.approx(oracle.brier_score_loss(labels, scores, sample_weight=weights), abs=1e-12)
    assert found["log_loss"] == pytest.approx(oracle.log_loss(labels, scores, sample_weight=weights), abs=1e-12)
    precision, recall, _ = oracle.precision_recall_curve(labels, scores, sample_weight=weights)
    assert found["best_f1"] == pytest.approx(
        (2 * precision * recall / np.maximum(precision + recall, 1e-12)).max(), abs=1e-9
    )
    assert found["positives"] == labels.sum()
    assert found["base_rate"] == pytest.approx(np.average(labels, weights=weights))


@given(cases(), st.floats(0, 1))
def test_operating_point_equals_scikit_learn(case: Case, threshold: float) -> None:
    labels, scores, weights = case
    found = metrics.operating_point(labels, scores, threshold, weights)
    flagged = scores >= threshold
    for name in ("precision", "recall", "f1"):
        expected = getattr(oracle, f"{name}_score")(labels, flagged, sample_weight=weights, zero_division=0)
        assert found[name] == pytest.approx(expected, abs=1e-12)


@given(cases())
def test_the_best_threshold_reaches_the_best_f1(case: Case) -> None:
    labels, scores, weights = case
    best, threshold = metrics.best_f1(labels, scores, weights)
    assert metrics.operating_point(labels, scores, threshold, weights)["f1"] == pytest.approx(best, abs=1e-12)


@given(cases(), st.randoms())
def test_the_order_of_rows_does_not_matter(case: Case, chance: Random) -> None:
    order = list(range(len(case[0])))
    chance.shuffle(order)
    first = metrics.figures(*case)
    assert metrics.figures(*(column[order] for column in case)) == pytest.approx(first, abs=1e-12)


def slow_ece(labels: NDArray[np.int64], scores: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """The definition, spelled out: equal scores together, a bin ends where the next twentieth of mass is reached."""
    groups = [
        (weights[scores == score].sum(), (weights * (labels - score))[scores == score].sum())
        for score in np.unique(scores)
    ]
    total, running, gap, error = weights.sum(), 0.0, 0.0, 0.0
    edge = 1
    for mass, excess in groups:
        while edge < 20 and running + mass >= total * edge / 20:
            # This group reaches the edge, so it opens the next bin.
            error, gap, edge = error + abs(gap), 0.0, edge + 1
        running, gap = running + mass, gap + excess
    return float((error + abs(gap)) / total)


@given(cases())
def test_ece_equals_its_definition(case: Case) -> None:
    assert metrics.expected_calibration_error(*case) == pytest.approx(slow_ece(*case), abs=1e-12)


def test_ece_of_known_numbers() -> None:
    labels = np.repeat([0, 1, 0, 1], [75, 25, 50, 50])
    perfect = np.repeat([0.25, 0.5], 100)
    assert metrics.expected_calibration_error(labels, perfect) == pytest.approx(0)
    assert metrics.expected_calibration_error(labels, perfect + 0.1) == pytest.approx(0.1)


def test_one_class_has_no_ranking() -> None:
    labels, scores = np.zeros(3), np.array([0.1, 0.2, 0.3])
    assert np.isnan(metrics.auc(labels, scores))
    assert np.isnan(metrics.average_precision(labels, scores))
    assert "auc" not in metrics.figures(labels, scores)


def test_certain_and_wrong_is_finite() -> None:
    assert metrics.log_loss(np.array([1]), np.array([0.0])) == pytest.approx(-np.log(1e-15))


@pytest.mark.parametrize(
    ("labels", "scores", "weights"),
    [([0, 1], [0.5], None), ([0, 1], [0.5, 0.5], [1.0]), ([0, 1], [0.5, np.nan], None), ([[0]], [[0.5]], None)],
)
def test_columns_that_do_not_fit_are_refused(labels: object, scores: object, weights: object) -> None:
    given_weights = None if weights is None else np.array(weights)
    with pytest.raises(ValueError, match="must be"):
        metrics.auc(np.array(labels), np.array(scores), given_weights)
