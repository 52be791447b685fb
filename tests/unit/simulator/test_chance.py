"""Draws depend on their key alone, and are fair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from demo_shop.simulator.chance import Keys, join, mix, normal, pick, poisson, uniform


def keys(count: int, seed: int = 1) -> Keys:
    return join(mix(np.full(count, seed, dtype=np.uint64)), np.arange(count))


@given(st.lists(st.integers(0, 2**64 - 1), unique=True, min_size=2, max_size=50))
def test_mix_keeps_distinct_numbers_distinct(numbers: list[int]) -> None:
    assert len(set(mix(np.array(numbers, dtype=np.uint64)).tolist())) == len(numbers)


def test_mix_is_the_finaliser_of_splitmix64() -> None:
    # The generator's first output for seed 0 is its finaliser applied to the golden gamma.
    assert mix(np.array([0x9E3779B97F4A7C15], dtype=np.uint64))[0] == 0xE220A8397B1DCDAF


@given(st.integers(0, 2**63 - 1), st.integers(0, 200), st.integers(1, 40))
def test_a_draw_does_not_depend_on_its_neighbours(seed: int, purpose: int, cut: int) -> None:
    whole = keys(50, seed)
    parts = np.concatenate([uniform(whole[:cut], purpose), uniform(whole[cut:], purpose)])
    assert np.array_equal(uniform(whole, purpose), parts)
    assert ((parts > 0) & (parts < 1)).all()


@pytest.mark.parametrize("purpose", [0, 1, 7, 40])
def test_draws_are_uniform_and_normal(purpose: int) -> None:
    many = keys(20_000)
    assert kstest(uniform(many, purpose), "uniform").pvalue > 1e-3
    assert kstest(normal(many, purpose), "norm").pvalue > 1e-3


def test_purposes_parts_and_seeds_are_independent() -> None:
    many = keys(20_000)
    others = (uniform(many, 2), uniform(join(many, 1), 1), uniform(keys(20_000, seed=2), 1))
    correlations = [abs(np.corrcoef(uniform(many, 1), other)[0, 1]) for other in others]
    assert max(correlations) < 4 / np.sqrt(20_000)


def test_poisson_counts_have_the_distribution() -> None:
    draws = (np.arange(100_000) + 0.5) / 100_000
    for mean in (0.01, 0.7, 4.0, 2500.0):
        counts = poisson(draws, np.full(len(draws), mean))
        assert counts.mean() == pytest.approx(mean, rel=1e-3)
        assert counts.var() == pytest.approx(mean, rel=1e-2)
        wanted = np.random.default_rng(1).poisson(mean, 100_000)
        assert counts.min() <= wanted.min() <= wanted.max() <= counts.max() + 1


@pytest.mark.parametrize("rows", [False, True], ids=["one row", "a row each"])
def test_pick_follows_the_shares(rows: bool) -> None:
    shares = np.array([3.0, 0.0, 1.0])
    draws = (np.arange(4000) + 0.5) / 4000
    picked = pick(draws, np.tile(shares, (4000, 1)) if rows else shares)
    assert np.bincount(picked, minlength=3).tolist() == [3000, 0, 1000]
