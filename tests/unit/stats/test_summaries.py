"""Sums that add up, and sums out of a stream."""

from __future__ import annotations

import json
from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.collect import WIDTH, Collector
from purchase_intent.stats.summaries import Summary, total

CENTS = st.lists(st.tuples(*[st.integers(0, 100_000)] * 3), min_size=1, max_size=40)
CHANCE = np.random.default_rng(7)


@given(st.lists(CENTS, min_size=1, max_size=5), st.randoms())
def test_whole_numbers_add_up_exactly_in_any_order(days: list[list[tuple[int, int, int]]], order: object) -> None:
    whole = Summary.of(*np.array([unit for day in days for unit in day]).T)
    parts = [Summary.of(*np.array(day).T) for day in days]
    order.shuffle(parts)  # type: ignore[attr-defined]
    assert total(parts) == whole


def test_figures_are_numpys() -> None:
    y, x, d = CHANCE.gamma(2, 30, 500), CHANCE.random(500), CHANCE.poisson(2, 500) + 1.0
    found = Summary.of(y, x, d)
    assert found.mean == pytest.approx(y.mean(), rel=1e-12)
    assert found.variance == pytest.approx(y.var(ddof=1), rel=1e-12)
    assert found.covariance == pytest.approx(np.cov(x, y)[0, 1], rel=1e-10)
    assert found.covariate_variance == pytest.approx(x.var(ddof=1), rel=1e-12)
    linear = (y - found.ratio * d) / d.mean()
    assert found.ratio == y.sum() / d.sum()
    assert found.ratio_variance == pytest.approx(linear.var(ddof=1), rel=1e-12)
    assert found.ratio_covariance == pytest.approx(np.cov(linear, x)[0, 1], rel=1e-9)


def test_a_summary_survives_json_to_the_bit() -> None:
    found = Summary.of(CHANCE.random(99), CHANCE.random(99), CHANCE.random(99))
    assert Summary.from_json(json.loads(json.dumps(found.as_json()))) == found
    assert Summary(3).as_json() == {"n": 3}


@pytest.mark.parametrize(
    ("make", "field"),
    [
        pytest.param(lambda: Summary(-1), "n", id="negative count"),
        pytest.param(lambda: Summary(3, nan, 1), "y", id="not a number"),
        pytest.param(lambda: Summary(2, 4.0, 1.0), "yy", id="squares below what the sum needs"),
        pytest.param(lambda: Summary(0, 1.0, 1.0), "yy", id="a sum of nothing"),
        pytest.param(lambda: Summary.of_successes(4, 3), "successes", id="more successes than units"),
        pytest.param(lambda: Summary.of_successes(-1, 3), "successes", id="negative successes"),
        pytest.param(lambda: Summary.of([1.0], [1.0, 2.0]), "covariate", id="lengths"),
        pytest.param(lambda: Summary.of([nan]), "outcome", id="a unit without a number"),
        pytest.param(lambda: Summary().mean, "n", id="the mean of nobody"),
        pytest.param(lambda: Summary(2, 1.0, 1.0).ratio, "denominator", id="a ratio over nothing"),
        pytest.param(lambda: Collector(("a", "b"), winsorise=1.0), "winsorise", id="quantile"),
        pytest.param(lambda: Collector(("a", "b")).add([2], [1.0]), "arm", id="unknown arm"),
        pytest.param(lambda: Collector(("a", "b")).add([-1], [1.0]), "arm", id="negative arm"),
        pytest.param(lambda: Collector(("a", "b")).add([0], [1.0, 2.0]), "outcome", id="lengths in a stream"),
        pytest.param(lambda: Collector(("a", "b")).merge(Collector(("a", "c"))), "collector", id="other arms"),
    ],
)
def test_what_makes_no_sense_is_refused(make: object, field: str) -> None:
    with pytest.raises(ExperimentRefused) as refused:
        make()  # type: ignore[operator]
    assert refused.value.field == field


def stream() -> tuple[np.ndarray, ...]:
    units = 5000
    y = CHANCE.lognormal(4, 1.5, units) * (CHANCE.random(units) < 0.4)
    return CHANCE.integers(0, 3, units), y, CHANCE.random(units), CHANCE.poisson(1, units).astype(float)


@pytest.mark.parametrize("winsorise", [None, 0.9, 0.99])
def test_a_stream_in_pieces_gives_the_sums_of_the_clipped_values(winsorise: float | None) -> None:
    arm, y, x, d = stream()
    one, other = (Collector(("a", "b", "c"), winsorise=winsorise) for _ in range(2))
    for piece in np.array_split(np.arange(len(y)), 7):
        (one if piece[0] % 2 else other).add(arm[piece], y[piece], x[piece], d[piece])
    one.merge(other)
    clipped = y if one.cap is None else np.minimum(y, one.cap)
    for index, name in enumerate(one.arms):
        mine = arm == index
        expected, found = Summary.of(clipped[mine], x[mine], d[mine]), one.summaries()[name]
        assert found.as_json() == pytest.approx(expected.as_json(), rel=1e-12)


def test_the_cap_is_the_quantile_of_what_was_spent_to_a_hundredth() -> None:
    arm, y, *_ = stream()
    collector = Collector(("a", "b", "c"), winsorise=0.95)
    collector.add(arm, y)
    exact, cap = np.quantile(y[y > 0], 0.95, method="inverted_cdf"), collector.cap
    assert cap is not None
    assert exact <= cap < exact * WIDTH


def test_nothing_spent_needs_no_cap() -> None:
    collector = Collector(("a", "b"), winsorise=0.95)
    collector.add([0, 1, 1], [0.0, 0.0, -5.0])
    assert collector.cap is None
    assert collector.summaries() == {"a": Summary(1), "b": Summary(2, -5.0, 25.0)}
