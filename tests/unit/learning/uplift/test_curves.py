"""Areas are scikit-uplift's on the same scores, and case weights count as so many units."""

from __future__ import annotations

import numpy as np
import pytest
from sklift.metrics import qini_auc_score, uplift_auc_score
from sklift.metrics import qini_curve as their_qini_curve
from sklift.metrics import uplift_curve as their_uplift_curve

from purchase_intent.learning import Table
from purchase_intent.learning.uplift import Trial, qini_curve, ranking, uplift_curve
from purchase_intent.learning.uplift.curves import percentiles


def drawn(units: int, seed: int, *, rate: float, share: float, decimals: int) -> tuple[Trial, np.ndarray]:
    rng = np.random.default_rng(seed)
    treated = (rng.random(units) < share).astype(np.uint8)
    labels = (rng.random(units) < rate * (1 + treated)).astype(np.uint8)
    table = Table(np.zeros((units, 1), np.float32), ("nothing",))
    scores = np.round(rng.normal(size=units) + labels * treated, decimals)
    return Trial(table, treated, labels, np.arange(units)), scores


@pytest.mark.filterwarnings("ignore:Function stable_cumsum:FutureWarning")  # in scikit-uplift
@pytest.mark.parametrize(
    ("units", "rate", "share", "decimals"),
    [
        pytest.param(2_000, 0.1, 0.5, 12, id="distinct scores"),
        pytest.param(2_000, 0.1, 0.5, 0, id="ties"),
        pytest.param(1_000, 0.3, 0.8, 1, id="uneven arms"),
        pytest.param(1_500, 0.02, 0.2, 1, id="rare outcomes"),
        pytest.param(40, 0.45, 0.5, 1, id="few units"),
    ],
)
def test_figures_are_those_of_scikit_uplift(units: int, rate: float, share: float, decimals: int) -> None:
    for seed in range(5):
        trial, scores = drawn(units, seed, rate=rate, share=share, decimals=decimals)
        found = ranking(scores, trial, seed=1, draws=0)
        given = (trial.labels.astype(int), scores, trial.treated.astype(int))  # theirs overflows in bytes
        assert found.qini.value == pytest.approx(qini_auc_score(*given), rel=1e-9, abs=1e-12)
        assert found.auuc.value == pytest.approx(uplift_auc_score(*given), rel=1e-9, abs=1e-12)
        for ours, theirs in ((qini_curve, their_qini_curve), (uplift_curve, their_uplift_curve)):
            np.testing.assert_allclose(np.array(ours(scores, trial)), np.array(theirs(*given)), rtol=1e-9, atol=1e-9)


def test_a_weight_counts_as_so_many_units() -> None:
    trial, scores = drawn(300, 3, rate=0.2, share=0.5, decimals=1)
    times = np.random.default_rng(4).integers(0, 4, len(trial))
    repeated = np.repeat(np.arange(len(trial)), times)
    weighted = qini_curve(scores, trial, times.astype(float))
    assert weighted.area() == pytest.approx(qini_curve(scores[repeated], trial.take(repeated)).area())


def test_intervals_hold_the_figure_and_tell_a_ranking_from_chance() -> None:
    trial, scores = drawn(4_000, 5, rate=0.1, share=0.5, decimals=3)
    noise = np.random.default_rng(6).random(len(trial))
    better, chance = (ranking(each, trial, seed=2, draws=100) for each in (scores, noise))
    for figure in (better.qini, better.auuc, better.gain, chance.qini):
        assert figure.low < figure.value < figure.high
    assert better.is_better_than_chance
    assert not chance.is_better_than_chance
    assert ranking(scores, trial, seed=2, draws=100) == better


def test_the_ends_of_an_interval_leave_out_as_many_draws_as_they_say() -> None:
    low, high = percentiles(np.arange(1.0, 200.0))  # 199 draws: the fifth of each end is the 2.5% of 200 stretches
    assert [round(float(end), 9) for end in (low, high)] == [5.0, 195.0]


def test_unequal_chances_are_weighed_out() -> None:
    """Of a bandit's units, whose arm hung on the day, the effect of each day counts by its units."""
    rng = np.random.default_rng(7)
    day = rng.integers(0, 2, 40_000)
    chance = np.where(day == 1, 0.9, 0.2)
    treated = (rng.random(len(day)) < chance).astype(np.uint8)
    labels = (rng.random(len(day)) < 0.1 + 0.2 * day).astype(np.uint8)  # a better day, and no effect at all
    table = Table(day[:, None].astype(np.float32), ("day",))
    naive = Trial(table, treated, labels, np.arange(len(day)))
    fair = Trial(table, treated, labels, np.arange(len(day)), chance)
    ends = [uplift_curve(np.zeros(len(day)), each).gained[-1] / len(day) for each in (naive, fair)]
    assert ends[0] > 0.1
    assert ends[1] == pytest.approx(0, abs=0.015)
    assert fair.pseudo_effects().mean() == pytest.approx(0, abs=0.015)
