"""A bandit against an even split and MABWiser's Thompson sampling, on the same visitors; intervals afterwards."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from mabwiser.mab import MAB, LearningPolicy
from numpy.typing import NDArray

from purchase_intent.stats.adaptive import Batch, adaptive_difference
from purchase_intent.stats.adaptive_ratio import adaptive_ratio_difference
from purchase_intent.stats.bandit import bandit_weights
from purchase_intent.stats.inference import Kind, compare, measured
from purchase_intent.stats.summaries import Summary, total

RATES = (0.03, 0.035, 0.04, 0.05)
BATCH = 200
FLOOR = 0.02
ORDER, SIGMA = 40.0, 0.6

Table = NDArray[np.bool_]


class Covered(NamedTuple):
    """Share of 95% intervals that hold the truth, and by how much of it an arm's figure is off on average."""

    covered: float
    bias: float


def visitors(seed: int, count: int) -> Table:
    """Whether each visitor would buy under each arm."""
    return np.random.default_rng(seed).random((count, len(RATES))) < np.array(RATES)


def regret_of(arms: NDArray[np.int64]) -> float:
    """Purchases forgone by not showing the best arm to all, in expectation."""
    return float(max(RATES) * len(arms) - np.array(RATES)[arms].sum())


def even_split(table: Table, seed: int) -> NDArray[np.int64]:
    """Each arm alike."""
    return np.random.default_rng(seed).integers(0, table.shape[1], len(table))


def ours(table: Table, seed: int, floor: float = FLOOR) -> NDArray[np.int64]:
    """The product's weights, updated after each batch."""
    chance, given = np.random.default_rng(seed), []
    seen = {str(arm): Summary() for arm in range(table.shape[1])}
    for start in range(0, len(table), BATCH):
        weights = bandit_weights(seen, floor=floor, least=BATCH // table.shape[1] // 2)
        arms = chance.choice(table.shape[1], BATCH, p=list(weights.values()))
        won = table[np.arange(start, start + BATCH), arms]
        for arm in range(table.shape[1]):
            seen[str(arm)] += Summary.of_successes(int(won[arms == arm].sum()), int((arms == arm).sum()))
        given.append(arms)
    return np.concatenate(given)


def mabwiser(table: Table, seed: int) -> NDArray[np.int64]:
    """Theirs, on the same batches, one draw for each visitor."""
    arms = list(range(table.shape[1]))
    bandit, given = MAB(arms, LearningPolicy.ThompsonSampling(), seed=seed), []
    for start in range(0, len(table), BATCH):
        if start:
            chosen = np.array([bandit.predict() for _ in range(BATCH)])
        else:
            chosen = np.random.default_rng(seed).integers(0, len(arms), BATCH)
        won = table[np.arange(start, start + BATCH), chosen].astype(np.int64)
        (bandit.partial_fit if start else bandit.fit)(chosen, won)
        given.append(chosen)
    return np.concatenate(given)


def regrets(seeds: int, count: int) -> dict[str, list[float]]:
    """Regret of each seed by method, all on the same visitors."""
    found: dict[str, list[float]] = {"even split": [], "floor of 2%": [], "no floor": [], "MABWiser": []}
    for seed in range(seeds):
        table = visitors(seed, count)
        found["even split"].append(regret_of(even_split(table, seed)))
        found["floor of 2%"].append(regret_of(ours(table, seed)))
        found["no floor"].append(regret_of(ours(table, seed, floor=1e-9)))
        found["MABWiser"].append(regret_of(mabwiser(table, seed)))
    return found


def coverage(runs: int, batches: int = 28, size: int = 2000, rate: float = 0.03) -> dict[str, Covered]:
    """Two equal arms under a bandit: intervals of their difference by plain figures, and by the adaptive ones."""
    plain, adaptive, plain_bias, adaptive_bias = 0, 0, [], []
    for seed in range(runs):
        kept = _history(seed, batches, size, rate)
        one, other = (total(batch.summaries[arm] for batch in kept) for arm in "ab")
        error = (one.variance / one.n + other.variance / other.n) ** 0.5
        plain += abs(one.mean - other.mean) <= 1.959964 * error
        found = adaptive_difference(kept, "a", "b")
        adaptive += not found.difference.excludes(0.0)
        plain_bias.append(one.mean - rate)
        adaptive_bias.append(found.control - rate)
    return {
        "plain figures": Covered(plain / runs, float(np.mean(plain_bias)) / rate),
        "adaptively weighted": Covered(adaptive / runs, float(np.mean(adaptive_bias)) / rate),
    }


def _history(seed: int, batches: int, size: int, rate: float) -> list[Batch]:
    chance, seen, kept = np.random.default_rng(seed), {"a": Summary(), "b": Summary()}, []
    for _ in range(batches):
        weights = bandit_weights(seen)
        first = int(chance.binomial(size, weights["a"]))
        given = {
            arm: Summary.of_successes(int(chance.binomial(n, rate)), n)
            for arm, n in (("a", first), ("b", size - first))
        }
        kept.append(Batch(weights, given))
        seen = {arm: seen[arm] + given[arm] for arm in seen}
    return kept


def coverage_of_ratio(runs: int, batches: int = 10, size: int = 1000, rate: float = 0.1) -> dict[str, Covered]:
    """The average order of two equal arms under a bandit that follows revenue: lognormal orders of 40 on average."""
    plain, adaptive, plain_bias, adaptive_bias = 0, 0, [], []
    for seed in range(runs):
        kept = _orders(seed, batches, size, rate)
        one, other = (total(batch.summaries[arm] for batch in kept) for arm in "ab")
        plain += not compare(measured(one, Kind.RATIO), measured(other, Kind.RATIO)).difference.excludes(0.0)
        found = adaptive_ratio_difference(kept, "a", "b")
        adaptive += not found.difference.excludes(0.0)
        plain_bias.append(one.ratio - ORDER)
        adaptive_bias.append(found.control - ORDER)
    return {
        "plain figures": Covered(plain / runs, float(np.mean(plain_bias)) / ORDER),
        "adaptively weighted": Covered(adaptive / runs, float(np.mean(adaptive_bias)) / ORDER),
    }


def _orders(seed: int, batches: int, size: int, rate: float) -> list[Batch]:
    chance, seen, kept = np.random.default_rng(seed), {"a": Summary(), "b": Summary()}, []
    weights = {"a": 0.5, "b": 0.5}
    for _ in range(batches):
        first = int(chance.binomial(size, weights["a"]))
        given = {}
        for arm, n in (("a", first), ("b", size - first)):
            orders = (chance.random(n) < rate) * (1 + chance.poisson(0.2, n))
            amounts = chance.lognormal(np.log(ORDER) - SIGMA**2 / 2, SIGMA, orders.sum())
            spent = np.bincount(np.repeat(np.arange(n), orders), amounts, n)
            given[arm] = Summary.of(spent, None, orders.astype(float))
        kept.append(Batch(weights, given))
        seen = {arm: seen[arm] + given[arm] for arm in seen}
        weights = bandit_weights(seen, Kind.MEAN, until_then=weights)
    return kept
