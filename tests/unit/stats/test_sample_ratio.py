"""Shares of arms: the fixed check, the one that may be read every day, and where a mismatch sits."""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tea_tasting
from scipy.stats import betabinom, binom, chisquare

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.sample_ratio import breakdown, sample_ratio

HALVES = (0.5, 0.5)


def test_the_fixed_check_is_pearsons() -> None:
    found = sample_ratio([120, 260, 640], [0.1, 0.3, 0.6])
    assert found.p_value == pytest.approx(chisquare([120, 260, 640], [102, 306, 612]).pvalue, rel=1e-9)
    assert found.expected == pytest.approx((102, 306, 612))
    assert found.worst == pytest.approx(120 / 102 - 1)


def test_the_fixed_check_is_tea_tastings() -> None:
    data = pd.DataFrame({"variant": [0] * 5100 + [1] * 5400})
    oracle = tea_tasting.SampleRatio(method="norm", correction=False).analyze(data, 0, 1, variant="variant")
    assert sample_ratio([5100, 5400], HALVES).p_value == pytest.approx(oracle.pvalue, rel=1e-9)


def test_the_sequential_check_is_a_bayes_factor_of_binomials() -> None:
    found = sample_ratio([480, 560], HALVES)
    factor = betabinom.pmf(480, 1040, 500, 500) / binom.pmf(480, 1040, 0.5)
    assert found.sequential_p_value == pytest.approx(1 / factor, rel=1e-9)


@pytest.mark.parametrize("concentration", [2.0, 100.0])
def test_the_sequential_check_errs_no_more_often_than_it_says_at_any_moment(concentration: float) -> None:
    # Every path of 40 units, by exact recursion: the chance that the p-value was ever at or below 0.1.
    reached, level = np.ones(1), 0.1
    crossed = 0.0
    for units in range(1, 41):
        reached = np.convolve(reached, [0.5, 0.5])
        for first in range(units + 1):
            if sample_ratio([first, units - first], HALVES, concentration=concentration).sequential_p_value <= level:
                crossed += reached[first]
                reached[first] = 0.0
    assert crossed <= level
    assert crossed + reached.sum() == pytest.approx(1.0)


def test_the_factor_of_all_outcomes_averages_to_one() -> None:
    total = 0.0
    for first in range(13):
        p = sample_ratio([first, 12 - first], HALVES, concentration=5.0).sequential_p_value
        total += comb(12, first) / 2**12 * min(1 / p, 1e9) * (p < 1)
    assert total < 1  # those below 1 are reported as a p-value of 1


def test_a_mismatch_is_found_and_an_even_split_is_not() -> None:
    assert sample_ratio([50_000, 51_500], HALVES).sequential_p_value < 0.001
    assert sample_ratio([50_000, 50_200], HALVES).sequential_p_value == 1.0


def test_arms_without_weight_must_stay_empty() -> None:
    assert sample_ratio([50, 50, 0], [0.5, 0.5, 0.0]).p_value == 1.0
    assert sample_ratio([50, 50, 1], [0.5, 0.5, 0.0]).sequential_p_value == 0.0


def test_nobody_exposed_is_no_mismatch() -> None:
    found = sample_ratio([0, 0], HALVES)
    assert (found.p_value, found.sequential_p_value, found.worst) == (1.0, 1.0, 0.0)


def test_the_breakdown_puts_the_cause_first() -> None:
    parts = breakdown(
        {
            "browser": {"Chrome": [4000, 4010], "Safari": [1000, 700]},
            "device": {"phone": [3000, 2900], "desktop": [2000, 1810]},
            "bot": {"none": [5000, 4700], "crawler": [0, 10]},
        },
        HALVES,
    )
    assert [(part.dimension, part.value) for part in parts[:2]] == [("browser", "Safari"), ("bot", "crawler")]
    assert parts[0].adjusted == pytest.approx(parts[0].ratio.p_value * 6)
    assert parts[-1].value == "Chrome"
    assert breakdown({}, HALVES) == []


@pytest.mark.parametrize(
    ("make", "field"),
    [
        pytest.param(lambda: sample_ratio([1, -1], HALVES), "counts", id="negative"),
        pytest.param(lambda: sample_ratio([1, 1.5], HALVES), "counts", id="not whole"),  # type: ignore[list-item]
        pytest.param(lambda: sample_ratio([1, 1, 1], HALVES), "counts", id="lengths"),
        pytest.param(lambda: sample_ratio([1], [1.0]), "counts", id="one arm"),
        pytest.param(lambda: sample_ratio([1, 1], [0.5, 0.6]), "weights", id="weights"),
    ],
)
def test_what_makes_no_sense_is_refused(make: Any, field: str) -> None:
    with pytest.raises(ExperimentRefused) as refused:
        make()
    assert refused.value.field == field
