"""Drift by effect size: the two measures, the bins of a reference, the bands."""

from __future__ import annotations

import json
from dataclasses import replace
from math import isclose, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from purchase_intent.learning.drift import (
    Band,
    Reference,
    drift,
    jensen_shannon,
    population_stability,
    smoothed,
)

ONES = np.ones(1000)


def column(values: list[float]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array(values, np.float32)


def shares(*values: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array(values)


def test_the_index_and_the_distance_by_hand() -> None:
    p, q = shares(0.5, 0.5), shares(0.8, 0.2)
    assert isclose(population_stability(p, q), 0.3 * log(1.6) - 0.3 * log(0.4))
    middle = shares(0.65, 0.35)
    divergence = ((p * np.log2(p / middle)).sum() + (q * np.log2(q / middle)).sum()) / 2
    assert isclose(jensen_shannon(p, q), divergence**0.5)
    assert (population_stability(p, p), jensen_shannon(p, p)) == (0.0, 0.0)


@given(
    st.lists(st.integers(1, 1000), min_size=2, max_size=12), st.lists(st.integers(1, 1000), min_size=12, max_size=12)
)
def test_both_are_symmetric_and_within_their_range(first: list[int], second: list[int]) -> None:
    p = np.array(first) / sum(first)
    q = np.array(second[: len(first)]) / sum(second[: len(first)])
    assert isclose(population_stability(p, q), population_stability(q, p), abs_tol=1e-9)
    assert isclose(jensen_shannon(p, q), jensen_shannon(q, p), abs_tol=1e-7)
    assert population_stability(p, q) >= 0
    assert 0 <= jensen_shannon(p, q) <= 1


def test_small_changes_measure_the_same_on_both_scales() -> None:
    p, q = shares(0.3, 0.7), shares(0.32, 0.68)
    assert population_stability(p, q) == pytest.approx(8 * log(2) * jensen_shannon(p, q) ** 2, rel=0.01)


def test_nothing_has_no_share_after_smoothing() -> None:
    assert smoothed(shares(1.0, 0.0), 9).tolist() == [0.95, 0.05]


def test_a_frequent_value_has_a_bin_of_its_own() -> None:
    values = np.concatenate([np.zeros(600), np.linspace(1, 9, 400)]).astype(np.float32)
    reference = Reference.of(values, ONES, sessions=1000)
    assert reference.mass(column([0.0]), np.ones(1)).argmax() == 1
    assert reference.name(1) == "0"
    assert reference.mass(column([-1.0]), np.ones(1)).argmax() == 0
    assert reference.shares[1] == 0.6
    assert sum(reference.shares) == pytest.approx(1)


@pytest.mark.parametrize("to", [pytest.param(4.0, id="down"), pytest.param(6.0, id="up")])
def test_a_constant_that_changes_has_drifted(to: float) -> None:
    reference = Reference.of(np.full(1000, 5.0, np.float32), ONES, sessions=1000)
    found = drift(reference, np.full(500, to, np.float32), np.ones(500), sessions=500)
    assert (found.band, found.moved, found.before, found.now) == (Band.DRIFTED, "5", 1.0, 0.0)


def test_the_band_is_the_one_that_both_reach() -> None:
    """A thirtieth in a bin that was empty: a third by the index, which is drift, but little by the distance."""
    empty = Reference(edges=(0.0,), shares=(1.0, 0.0, 0.0), sessions=1_000_000)
    found = drift(empty, column([0.0] * 970 + [1.0] * 30), ONES, sessions=10_000)
    assert (found.psi > 0.25, found.distance < 0.13, found.band) == (True, True, Band.STABLE)


def test_missing_and_new_categories_are_bins() -> None:
    values = np.array([1, 1, 1, 7] * 250, np.float32)
    reference = Reference.of(values, ONES, sessions=1000, categorical=True)
    assert (reference.levels, reference.shares) == ((1, 7), (0.75, 0.25, 0.0, 0.0))
    now = column([1, 7, 99, np.nan])
    assert reference.mass(now, np.ones(4)).tolist() == [1, 1, 1, 1]
    assert [reference.name(place) for place in range(4)] == ["1", "7", "others", "missing"]


def test_weights_count_each_session_once() -> None:
    reference = Reference.of(column([0, 0, 0, 1]), np.array([1 / 3, 1 / 3, 1 / 3, 1.0]), sessions=2)
    zero, one = (int(reference.mass(column([value]), np.ones(1)).argmax()) for value in (0, 1))
    assert (reference.shares[zero], reference.shares[one]) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("shift", "band"),
    [
        pytest.param(0.0, Band.STABLE, id="the same"),
        pytest.param(0.42, Band.WATCH, id="four tenths of a deviation"),
        pytest.param(1.0, Band.DRIFTED, id="a whole deviation"),
    ],
)
def test_a_normal_column_by_how_far_its_mean_has_moved(shift: float, band: Band) -> None:
    rng = np.random.default_rng(5)
    reference = Reference.of(rng.normal(size=4000).astype(np.float32), np.ones(4000), sessions=4000)
    found = drift(reference, (rng.normal(size=2000) + shift).astype(np.float32), np.ones(2000), sessions=2000)
    assert found.band is band


def test_a_small_sample_without_a_change_is_never_called_drifted() -> None:
    rng = np.random.default_rng(11)
    reference = Reference.of(rng.normal(size=4000).astype(np.float32), np.ones(4000), sessions=4000)
    bands = [
        drift(reference, rng.normal(size=200).astype(np.float32), np.ones(200), sessions=200).band for _ in range(200)
    ]
    assert bands.count(Band.DRIFTED) == 0
    assert bands.count(Band.WATCH) <= 20


def test_what_moves_by_itself_has_drifted_only_beyond_that() -> None:
    rng = np.random.default_rng(5)
    values, later = rng.normal(size=4000).astype(np.float32), (rng.normal(size=2000) + 1).astype(np.float32)
    restless = replace(Reference.of(values, np.ones(4000), sessions=4000), usual=0.95)
    found = drift(restless, later, np.ones(2000), sessions=2000)
    assert (found.band, found.psi > 0.5) == (Band.STABLE, True)
    assert found.index <= found.psi


def test_a_reference_survives_json() -> None:
    rng = np.random.default_rng(1)
    for categorical, values in ((False, rng.normal(size=1000)), (True, rng.integers(0, 9, 1000))):
        reference = Reference.of(values.astype(np.float32), ONES, sessions=1000, categorical=categorical)
        assert Reference.from_json(json.loads(json.dumps(reference.to_json()))) == reference


def test_a_column_with_nothing_known_is_all_missing() -> None:
    reference = Reference.of(np.full(3, np.nan, np.float32), np.ones(3), sessions=3)
    assert reference.shares == (0.0, 1.0)
    assert drift(reference, column([1, 2]), np.ones(2), sessions=200).moved == "missing"
