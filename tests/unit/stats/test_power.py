"""How large and how long: against statsmodels, and turned around."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from scipy.stats import norm
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import samplesize_proportions_2indep_onetail

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.inference import Kind
from purchase_intent.stats.monitoring import Monitoring
from purchase_intent.stats.power import Spread, detectable, power_of, sizing, spread_of, units_needed
from purchase_intent.stats.summaries import Summary

SPENT = Spread(20.0, 900.0, Kind.MEAN)
BUYS = Spread(0.03, 0.03 * 0.97, Kind.RATE)


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_power_equals_statsmodels(share: float) -> None:
    ratio = share / (1 - share)
    oracle = NormalIndPower().power(20 * 0.05 / 30, 10_000 * (1 - share), 0.05, ratio=ratio)
    assert power_of(SPENT, 0.05, 10_000, treatment_share=share) == pytest.approx(oracle, abs=1e-9)
    needed = NormalIndPower().solve_power(20 * 0.05 / 30, None, 0.05, 0.8, ratio=ratio) / (1 - share)
    assert units_needed(SPENT, 0.05, treatment_share=share) == pytest.approx(needed, rel=1e-6)


def test_units_for_rates_are_those_of_unpooled_variances() -> None:
    both = (norm.isf(0.025) + norm.ppf(0.8)) ** 2 * (0.03 * 0.97 + 0.036 * 0.964) / 0.006**2
    assert units_needed(BUYS, 0.2) == pytest.approx(2 * both, rel=1e-5)
    pooled = samplesize_proportions_2indep_onetail(0.006, 0.03, 0.8, alpha=0.05)
    assert units_needed(BUYS, 0.2) == pytest.approx(2 * pooled, rel=0.01)


@pytest.mark.parametrize("spread", [SPENT, BUYS])
def test_what_is_detectable_is_what_was_asked_for(spread: Spread) -> None:
    units = units_needed(spread, 0.07)
    assert detectable(spread, units) == pytest.approx(0.07, rel=1e-6)
    assert power_of(spread, 0.07, units) == pytest.approx(0.8, abs=1e-9)
    assert detectable(Spread(0.9, 0.09, Kind.RATE), 20) == inf


def test_an_experiment_is_sized_with_its_rule_its_arms_and_whole_weeks() -> None:
    fixed = sizing(BUYS, 0.2, per_day=1000, monitoring=Monitoring(looks=1, reserve=0.0))
    assert (fixed.units, fixed.fixed_units, fixed.days, fixed.weeks) == (27_822, 27_822, 28, 4)
    planned = sizing(BUYS, 0.2, per_day=1000)
    assert planned.units / fixed.units == pytest.approx(1.081, abs=0.001)
    assert planned.expected_units / fixed.units == pytest.approx(0.804, abs=0.001)
    assert (planned.days, planned.weeks) == (31, 5)
    many = sizing(BUYS, 0.2, per_day=0, weights=(0.25,) * 4)
    assert many.units > 2 * planned.units
    assert (many.days, many.weeks) == (None, None)


def test_a_spread_comes_from_the_past_and_less_of_it_is_left_by_cuped() -> None:
    past = Summary.of([0.0, 0.0, 1.0, 0.0], None, [1.0, 2.0, 1.0, 1.0])
    assert spread_of(past, Kind.RATE) == Spread(0.25, 0.25 * 0.75, Kind.RATE)
    assert spread_of(past, Kind.MEAN) == Spread(0.25, 0.25, Kind.MEAN)
    assert spread_of(past, Kind.MEAN, reduction=0.36).variance == pytest.approx(0.16)
    assert spread_of(past, Kind.RATIO).mean == 0.2
    whole, part = units_needed(SPENT, 0.05), units_needed(Spread(20.0, 900.0 * 0.64, Kind.MEAN), 0.05)
    assert part / whole == pytest.approx(0.64, rel=1e-6)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        pytest.param(lambda: spread_of(Summary(9), Kind.RATE), "baseline", id="nobody bought"),
        pytest.param(lambda: spread_of(Summary(9, 3, 3), Kind.RATE, reduction=1.0), "reduction", id="reduction"),
        pytest.param(lambda: units_needed(SPENT, 0.0), "lift", id="no lift"),
        pytest.param(lambda: units_needed(BUYS, 40.0), "lift", id="a rate above 1"),
        pytest.param(lambda: units_needed(SPENT, 0.1, power=0.01), "power", id="power"),
        pytest.param(lambda: power_of(SPENT, 0.1, 9, treatment_share=1.0), "treatment_share", id="share"),
        pytest.param(lambda: sizing(SPENT, 0.1, per_day=9, weights=(0.5, 0.6)), "weights", id="weights"),
        pytest.param(lambda: sizing(SPENT, 1e-9, per_day=9), "lift", id="a lift too small"),
    ],
)
def test_what_makes_no_sense_is_refused(make: Any, field: str) -> None:
    with pytest.raises(ExperimentRefused) as refused:
        make()
    assert refused.value.field == field
