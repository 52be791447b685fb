"""A ratio after a bandit: the estimate spelled out unit by unit, its coverage, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.adaptive import Batch
from purchase_intent.stats.adaptive_ratio import adaptive_ratio, adaptive_ratio_difference
from purchase_intent.stats.bandit import bandit_weights
from purchase_intent.stats.inference import Kind, compare, measured
from purchase_intent.stats.summaries import Summary

EVEN = {"a": 0.5, "b": 0.5}
FLOOR = 0.05


def test_the_estimate_is_that_of_the_units_own_scores() -> None:
    chance = np.random.default_rng(3)
    weights = [{"a": 0.5, "b": 0.3, "c": 0.2}, {"a": 0.2, "b": 0.6, "c": 0.2}, {"a": 0.1, "b": 0.8, "c": 0.1}]
    units = []
    for batch, share in enumerate(weights):
        arms = chance.choice(list("abc"), 200, p=list(share.values()))
        d = chance.integers(0, 3, 200).astype(float)
        units += [
            (batch, arm, float(each * 9 + each * one), each)
            for arm, each, one in zip(arms, d, chance.random(200), strict=True)
        ]
    batches = []
    for batch, share in enumerate(weights):
        own = {arm: [(y, d) for place, other, y, d in units if (place, other) == (batch, arm)] for arm in share}
        batches.append(
            Batch(share, {arm: Summary.of([y for y, _ in of], None, [d for _, d in of]) for arm, of in own.items()})
        )
    scale = [(1 / share["a"] + 1 / share["b"]) ** -0.5 for share in weights]
    each_scale = np.array([scale[batch] for batch, *_ in units])

    def scores(values: list[dict[str, float]], arm: str, start: float) -> np.ndarray:
        """Each unit's: what was known of the arm before the batch, and of its own units the rest over the weight."""
        known = [start]
        for batch in (1, 2):
            before = [
                value[arm]
                for value, (place, other, *_) in zip(values, units, strict=True)
                if place < batch and other == arm
            ]
            known.append(float(np.mean(before)))
        return np.array(
            [
                known[place] + (value[arm] - known[place]) / weights[place][arm] * (other == arm)
                for value, (place, other, *_) in zip(values, units, strict=True)
            ]
        )

    ratios, bottoms = {}, {}
    for arm in "ab":
        tops = {}
        for name, column in (("y", 2), ("d", 3)):
            start = float(np.mean([unit[column] for unit in units if unit[0] == 0]))
            found = scores([{arm: unit[column]} for unit in units], arm, start)
            tops[name] = float((each_scale * found).sum() / each_scale.sum())
        ratios[arm], bottoms[arm] = tops["y"] / tops["d"], tops["d"]
    z = [{arm: (y - ratios[arm] * d) / bottoms[arm] for arm in "ab"} for _, _, y, d in units]
    first = (
        sum(value[arm] for value, (place, arm, *_) in zip(z, units, strict=True) if place == 0 and arm in "ab") / 200
    )
    apart = scores(z, "b", first) - scores(z, "a", first)
    middle = (each_scale * apart).sum() / each_scale.sum()
    error = float(np.sqrt((each_scale**2 * (apart - middle) ** 2).sum()) / each_scale.sum())
    estimate = adaptive_ratio_difference(batches, "a", "b")
    assert (estimate.control, estimate.treatment) == pytest.approx((ratios["a"], ratios["b"]), rel=1e-9)
    assert estimate.difference.value == pytest.approx(ratios["b"] - ratios["a"], rel=1e-9)
    assert estimate.error == pytest.approx(error, rel=1e-9)
    assert (estimate.method, estimate.lift) == ("adaptively weighted", None)


def test_with_even_weights_it_is_the_delta_methods_own() -> None:
    chance = np.random.default_rng(4)
    d = chance.poisson(0.5, 4_000).astype(float)
    y = d * chance.lognormal(3, 0.5, 4_000)
    arms = {"a": Summary.of(y[:2_000], None, d[:2_000]), "b": Summary.of(y[2_000:], None, d[2_000:])}
    plain = compare(*(measured(arms[arm], Kind.RATIO) for arm in "ab"))
    found = adaptive_ratio_difference([Batch(EVEN, arms)], "a", "b")
    assert found.difference.value == pytest.approx(plain.difference.value, rel=0.02)
    assert found.error == pytest.approx(plain.error, rel=0.02)
    alone = adaptive_ratio([Batch(EVEN, arms)], "a")
    assert alone.value == pytest.approx(arms["a"].ratio, rel=0.02)


def history(seed: int, means: dict[str, float], *, count: int = 10, size: int = 1_000) -> list[Batch]:
    """A bandit that follows revenue a visitor, of whom a tenth order, now and then more than once."""
    chance, found = np.random.default_rng(seed), []
    weights, seen = dict(EVEN), dict.fromkeys(means, Summary())
    for _ in range(count):
        arms = chance.choice(list(means), size, p=list(weights.values()))
        given = {}
        for arm, mean in means.items():
            n = int((arms == arm).sum())
            orders = (chance.random(n) < 0.1) * (1 + chance.poisson(0.2, n))
            amounts = chance.lognormal(np.log(mean) - 0.18, 0.6, orders.sum())
            given[arm] = Summary.of(
                np.bincount(np.repeat(np.arange(n), orders), amounts, n), None, orders.astype(float)
            )
        found.append(Batch(weights, given))
        seen = {arm: seen[arm] + given[arm] for arm in means}
        weights = bandit_weights(seen, Kind.MEAN, floor=FLOOR, until_then=weights)
    return found


@pytest.mark.parametrize(
    "means", [pytest.param({"a": 40.0, "b": 40.0}, id="alike"), pytest.param({"a": 40.0, "b": 48.0}, id="apart")]
)
def test_intervals_of_an_average_order_after_a_bandit_cover_the_truth(means: dict[str, float]) -> None:
    runs = [history(seed, means) for seed in range(60)]
    found = [adaptive_ratio_difference(run, "a", "b") for run in runs]
    missed = sum(each.difference.excludes(means["b"] - means["a"]) for each in found)
    off = sum(adaptive_ratio(run, "b").excludes(means["b"]) for run in runs)
    assert (missed <= 8, off <= 8) == (True, True)  # of 60, where 3 are expected
    assert np.mean([each.difference.value for each in found]) == pytest.approx(means["b"] - means["a"], abs=0.8)
    assert max(run[-1].weights["b"] for run in runs) > 0.9  # the shares did follow what was seen


def test_a_ratio_that_nothing_counts_in_is_refused() -> None:
    nothing = [
        Batch(EVEN, {"a": Summary.of([0.0, 0.0], None, [0.0, 0.0]), "b": Summary.of([1.0, 2.0], None, [1.0, 1.0])})
    ]
    with pytest.raises(ExperimentRefused, match="wait until the ratio's denominator is above 0"):
        adaptive_ratio_difference([*nothing, *nothing], "a", "b")
    same = [Batch(EVEN, {arm: Summary.of([20.0, 40.0, 0.0], None, [1.0, 2.0, 0.0]) for arm in EVEN})]
    with pytest.raises(ExperimentRefused, match="wait until the outcomes differ"):
        adaptive_ratio_difference(same, "a", "b")
