"""What an order brings and what revenue is corrected by: means shrunk as far as customers differ."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from purchase_intent.learning.customers import MOST_PRIOR, OrderValue, Shortfall, Spending
from purchase_intent.learning.lines import Line

CUSTOMERS = 2_000
MEAN, NOISE = 50.0, 20.0


class Orders(NamedTuple):
    """Four orders of each customer, and the true mean of each customer."""

    owner: NDArray[np.int64]
    revenue: NDArray[np.float64]
    true: NDArray[np.float64]


def orders(spread: float, *, each: int = 4) -> Orders:
    """Of customers whose means differ by `spread`, while a customer's own orders differ by NOISE."""
    rng = np.random.default_rng(3)
    true = rng.normal(MEAN, spread, CUSTOMERS)
    owner = np.repeat(np.arange(CUSTOMERS), each)
    return Orders(owner, true[owner] + rng.normal(0, NOISE, len(owner)), true)


@pytest.mark.parametrize(
    ("spread", "low", "high"),
    [
        pytest.param(10.0, 3.0, 5.5, id="half as much between as within: worth four orders"),
        pytest.param(40.0, 0.5, 0.5, id="very unlike: half an order at least"),
        pytest.param(0.0, 40.0, MOST_PRIOR, id="all alike: the shop's mean"),
    ],
)
def test_the_prior_weighs_as_many_orders_as_customers_are_alike(spread: float, low: float, high: float) -> None:
    made = orders(spread)
    found = OrderValue.fit(made.owner.astype(np.float64), made.revenue)
    assert found.mean == pytest.approx(made.revenue.mean())
    assert low <= found.prior <= high


def test_the_shrunk_mean_is_nearer_to_the_truth_than_either_mean_alone() -> None:
    made = orders(10.0)
    total = np.bincount(made.owner, made.revenue).astype(np.float64)
    found = OrderValue.fit(made.owner.astype(np.float64), made.revenue)
    counts = np.full(CUSTOMERS, 4.0)
    shrunk, own = found.predict(counts, total), total / 4
    error = [float(((each - made.true) ** 2).mean()) for each in (shrunk, own, np.full(CUSTOMERS, MEAN))]
    assert error[0] < 0.75 * min(error[1:])
    assert found.predict(np.zeros(1), np.zeros(1)).tolist() == pytest.approx([found.mean])


def test_without_a_second_order_the_shops_mean_alone_counts() -> None:
    made = orders(10.0, each=1)
    assert OrderValue.fit(made.owner.astype(np.float64), made.revenue).prior == MOST_PRIOR


def test_a_correction_is_drawn_towards_one_by_ten_orders() -> None:
    rng = np.random.default_rng(1)
    line = Line.fit("count", rng.normal(size=(200, 2)), rng.poisson(1.0, 200).astype(np.float64), np.ones(200))
    spending = Spending(line, OrderValue(50.0, 4.0))
    assert spending.corrected(500.0, 1500.0) == pytest.approx((1500 + 500) / (500 + 500))
    assert spending.corrected(50_000.0, 100_000.0) == pytest.approx(100_500 / 50_500)
    assert spending.corrected(700.0, 700.0) == 1.0


def test_what_is_lacking_is_one_line() -> None:
    assert Shortfall("days of events", 61, 1_393).words == "needs 1,393 days of events, there are 61"
