"""Two models on the same cases: the figures, the intervals, and how often equals are told apart."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from purchase_intent.learning import average_precision, brier, case_weights, log_loss
from purchase_intent.learning.paired import Difference, beats, leads, loses, paired_differences
from purchase_intent.learning.table import Codes, Column, Labels

Cases = tuple[Labels, Column, Column, Codes]


def cases(sessions: int = 3000, *, spread: float = 0.0, seed: int = 1) -> Cases:
    """Labels, the true chances, those of a model that errs by `spread` in log-odds, and the sessions of three rows."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(-2.5, 1.5, sessions)
    bought = rng.random(sessions) < expit(odds)
    owner = np.repeat(np.arange(sessions), 3)
    noisy = expit(odds[owner] + rng.normal(0, spread, len(owner)))
    return bought[owner].astype(np.uint8), expit(odds[owner]), noisy, owner


def test_the_figures_are_those_of_the_metrics_and_a_gain_is_the_seconds() -> None:
    labels, true, noisy, owner = cases(spread=1.0)
    weights = case_weights(owner)
    found = paired_differences(labels, (noisy, true), weights, owner, seed=2, draws=200)
    assert list(found) == ["average_precision", "log_loss", "brier"]
    for name, measure, sign in (
        ("average_precision", average_precision, 1),
        ("log_loss", log_loss, -1),
        ("brier", brier, -1),
    ):
        each = found[name]
        assert (each.first, each.second) == pytest.approx(
            (measure(labels, noisy, weights), measure(labels, true, weights)), abs=1e-12
        )
        assert each.gain == pytest.approx(sign * (each.second - each.first), abs=1e-12)
        assert 0 < each.low < each.gain < each.high
    assert beats(found)
    assert not loses(found)
    turned = paired_differences(labels, (true, noisy), weights, owner, seed=2, draws=200)
    assert (turned["brier"].gain, turned["brier"].low) == pytest.approx((-found["brier"].gain, -found["brier"].high))
    assert loses(turned)
    assert not leads(turned)


def test_the_same_scores_differ_by_nothing() -> None:
    labels, true, _, owner = cases(400)
    found = paired_differences(labels, (true, true), case_weights(owner), owner, seed=3, draws=50)
    assert {(each.gain, each.low, each.high) for each in found.values()} == {(0.0, 0.0, 0.0)}
    assert [beats(found), loses(found), leads(found)] == [False, False, False]


def test_rows_of_one_session_are_no_evidence_of_their_own() -> None:
    labels, true, _, owner = cases(300)
    noisy = expit(np.log(true / (1 - true)) + np.random.default_rng(5).normal(0, 0.8, 300)[owner])
    every = np.arange(len(owner))
    weights = np.ones(len(owner))
    together = paired_differences(labels, (noisy, true), weights, owner, seed=4, draws=400)["log_loss"]
    apart = paired_differences(labels, (noisy, true), weights, every, seed=4, draws=400)["log_loss"]
    assert together.high - together.low > 1.2 * (apart.high - apart.low)


def test_equal_models_are_seldom_told_apart() -> None:
    told = 0
    for seed in range(60):
        labels, true, _, owner = cases(500, seed=seed)
        rng = np.random.default_rng(1000 + seed)
        pair = tuple(expit(np.log(true / (1 - true)) + rng.normal(0, 0.6, len(true))) for _ in range(2))
        found = paired_differences(labels, (pair[0], pair[1]), np.ones(len(true)), owner, seed=seed, draws=100)
        told += beats(found)
    assert told <= 9  # one in twenty is expected, three; ten of sixty would come by chance once in a thousand times


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_alone_tells_nothing(label: int) -> None:
    labels = np.full(9, label, np.uint8)
    with pytest.raises(ValueError, match="both classes"):
        paired_differences(labels, (np.full(9, 0.5),) * 2, np.ones(9), np.arange(9), seed=1)


def difference(gain: float, low: float, high: float) -> Difference:
    return Difference(0.5, 0.5 + gain, gain, low, high)


@pytest.mark.parametrize(
    ("precision", "loss", "expected"),
    [
        pytest.param((0.1, 0.05, 0.2), (0.1, -0.1, 0.2), "beats", id="better by ranking alone"),
        pytest.param((0.1, -0.1, 0.2), (0.1, 0.05, 0.2), "beats", id="better by log-loss alone"),
        pytest.param((0.1, 0.05, 0.2), (-0.1, -0.2, -0.05), "loses", id="better by one, worse by the other"),
        pytest.param((0.1, -0.1, 0.2), (0.1, -0.1, 0.2), "leads", id="ahead, perhaps by chance"),
        pytest.param((0.1, -0.1, 0.2), (-0.1, -0.2, 0.2), "", id="neither"),
    ],
)
def test_what_counts_as_better(
    precision: tuple[float, float, float], loss: tuple[float, float, float], expected: str
) -> None:
    found = {
        "average_precision": difference(*precision),
        "log_loss": difference(*loss),
        "brier": difference(0.0, -0.1, 0.1),
    }
    said = {"beats": beats(found), "loses": loses(found), "leads": leads(found)}
    assert said[expected] if expected else not any(said.values())
    assert not (said["beats"] and said["loses"])
