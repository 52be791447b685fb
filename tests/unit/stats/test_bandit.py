"""Shares for a bandit, and what may be said after it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.adaptive import Batch, adaptive_difference, adaptive_value
from purchase_intent.stats.bandit import bandit_weights, chances_to_be_best, chances_to_be_best_of
from purchase_intent.stats.bayes import posterior_of_rates
from purchase_intent.stats.inference import Kind, measured
from purchase_intent.stats.summaries import Summary, total

RATES = [Summary.of_successes(30, 1000), Summary.of_successes(45, 1000), Summary.of_successes(380, 10_000)]
AMOUNTS = [Summary.of([1.0, 2.0, 3.0] * 50), Summary.of([1.1, 2.1, 3.1] * 80)]


def test_of_two_rates_the_chance_is_that_of_the_posterior() -> None:
    found = chances_to_be_best(RATES[:2])
    assert found[1] == pytest.approx(posterior_of_rates(*RATES[:2]).chance_better, abs=1e-9)
    assert sum(found) == pytest.approx(1.0, abs=1e-12)
    less = chances_to_be_best(RATES[:2], higher_is_better=False)
    assert less == pytest.approx(found[::-1], abs=1e-9)


def test_of_several_rates_the_chances_are_those_of_draws() -> None:
    chance = np.random.default_rng(7)
    draws = np.column_stack([chance.beta(1 + arm.y, 1 + arm.n - arm.y, 200_000) for arm in RATES])
    shares = np.bincount(draws.argmax(axis=1)) / 200_000
    assert chances_to_be_best(RATES) == pytest.approx(tuple(shares), abs=0.004)


def test_of_two_means_the_chance_is_normal() -> None:
    error = sum(arm.variance / arm.n for arm in AMOUNTS) ** 0.5
    assert chances_to_be_best(AMOUNTS, Kind.MEAN)[1] == pytest.approx(norm.cdf(0.1 / error), abs=1e-9)
    own = [measured(arm, Kind.MEAN) for arm in AMOUNTS]
    assert chances_to_be_best_of(own) == chances_to_be_best(AMOUNTS, Kind.MEAN)
    assert chances_to_be_best_of(own, higher_is_better=False) == pytest.approx(chances_to_be_best_of(own)[::-1])


def test_every_arm_keeps_its_floor() -> None:
    arms = {"a": Summary.of_successes(10, 5000), "b": Summary.of_successes(300, 5000), "c": RATES[0]}
    found = bandit_weights(arms, floor=0.1)
    assert found == pytest.approx({"a": 0.1, "b": 0.8, "c": 0.1}, abs=1e-4)
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("arms", "kind"),
    [
        pytest.param({"a": Summary(), "b": RATES[0]}, Kind.RATE, id="one was not shown yet"),
        pytest.param({"a": Summary.of_successes(99, 99), "b": RATES[0]}, Kind.RATE, id="one was shown too little"),
        pytest.param({"a": Summary(200), "b": AMOUNTS[0]}, Kind.MEAN, id="nothing was bought in one"),
    ],
)
def test_before_there_is_enough_all_get_the_same(arms: dict[str, Summary], kind: Kind) -> None:
    assert bandit_weights(arms, kind) == {"a": 0.5, "b": 0.5}
    assert bandit_weights(arms, kind, until_then={"a": 0.9, "b": 0.1}) == {"a": 0.9, "b": 0.1}


def batches(seed: int, rates: dict[str, float], count: int = 12, size: int = 500) -> list[Batch]:
    chance, seen, found = np.random.default_rng(seed), dict.fromkeys(rates, Summary()), []
    for _ in range(count):
        weights = bandit_weights(seen, floor=0.1)
        units = chance.multinomial(size, list(weights.values()))
        given = {
            arm: Summary.of_successes(int(chance.binomial(n, rate)), int(n))
            for (arm, rate), n in zip(rates.items(), units, strict=True)
        }
        found.append(Batch(weights, given))
        seen = {arm: seen[arm] + given[arm] for arm in rates}
    return found


def test_with_constant_weights_the_estimate_is_that_of_all_units() -> None:
    # Scores of individual units, spelled out: the outcome less a guess, over the weight, plus the guess.
    found = [Batch({"a": 0.25, "b": 0.75}, {"a": Summary.of([1.0, 0, 1]), "b": Summary.of([0.0] * 8 + [1] * 2)})] * 2
    scores, guess = [], {"a": 4 / 13, "b": 4 / 13}
    for batch in found:
        for arm, values in (("a", [1, 0, 1]), ("b", [0] * 8 + [1] * 2)):
            sign = 1 if arm == "b" else -1
            weight = batch.weights[arm]
            scores += [guess["b"] - guess["a"] + sign * (value - guess[arm]) / weight for value in values]
        guess = {"a": 2 / 3, "b": 0.2}
    estimate = adaptive_difference(found, "a", "b")
    assert estimate.difference.value == pytest.approx(np.mean(scores), abs=1e-12)
    assert estimate.error == pytest.approx(np.std(scores) / len(scores) ** 0.5, abs=1e-12)
    assert (estimate.method, estimate.lift) == ("adaptively weighted", None)


def test_intervals_after_a_bandit_cover_the_truth() -> None:
    rates = {"a": 0.2, "b": 0.2, "c": 0.3}
    runs = [batches(seed, rates, count=8) for seed in range(60)]
    missed = sum(adaptive_difference(run, "a", "b").difference.excludes(0.0) for run in runs)
    off = sum(adaptive_value(run, "c").low > 0.3 or adaptive_value(run, "c").high < 0.3 for run in runs)
    assert (missed <= 8, off <= 8) == (True, True)  # of 60, where 3 are expected
    truths = [adaptive_difference(run, "a", "c") for run in runs]
    assert np.mean([each.difference.value for each in truths]) == pytest.approx(0.1, abs=0.01)
    assert sum(total(batch.summaries["c"] for batch in run).n for run in runs) > 0.6 * 60 * 8 * 500


@pytest.mark.parametrize(
    ("make", "field"),
    [
        pytest.param(lambda: bandit_weights({"a": RATES[0]}), "arms", id="one arm"),
        pytest.param(lambda: bandit_weights({"a": RATES[0], "b": RATES[1]}, floor=0.0), "floor", id="no floor"),
        pytest.param(lambda: bandit_weights({"a": RATES[0], "b": RATES[1]}, floor=0.6), "floor", id="high floor"),
        pytest.param(lambda: bandit_weights({"a": AMOUNTS[0], "b": AMOUNTS[1]}), "outcome", id="amounts as rates"),
        pytest.param(
            lambda: Batch({"a": 1.0, "b": 0.0}, {"a": RATES[0], "b": RATES[1]}), "weights", id="an arm is out"
        ),
        pytest.param(lambda: Batch({"a": 1.0}, {"a": RATES[0], "b": RATES[1]}), "summaries", id="names"),
        pytest.param(lambda: adaptive_value([], "a"), "batches", id="no batch"),
        pytest.param(lambda: adaptive_value([Batch({"a": 1.0}, {"a": Summary(9)})], "a"), "variance", id="no spread"),
    ],
)
def test_what_makes_no_sense_is_refused(make: Any, field: str) -> None:
    with pytest.raises(ExperimentRefused) as refused:
        make()
    assert refused.value.field == field
