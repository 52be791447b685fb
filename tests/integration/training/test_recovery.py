"""What is learnt from the log of a shop whose customers' true chances are known, held against the truth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from purchase_intent.learning import IntentEnsemble
from purchase_intent.learning.customers import Churn, CustomerModels, Spending
from purchase_intent.sources import open_log
from purchase_intent.training.snapshots import DAY_MS, Snapshots, nights_of, take_snapshots
from purchase_intent.training.week import learn_week
from tests.patrons import BEGIN, ZONE, Patrons, Truth
from tests.trained import QUICK, few_rounds

DAYS = 540


class Asked(NamedTuple):
    """Everybody at the last night: what is seen of them, what is learnt, and the truth, row by row."""

    seen: Snapshots
    ensemble: IntentEnsemble
    models: CustomerModels
    truth: Truth


def quiet(step: str) -> None:
    """Tell nobody."""


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    patrons = Patrons.arrive(1_200, days=DAYS, seed=1)
    path = tmp_path_factory.mktemp("recovery") / "patrons.parquet"
    patrons.write(path)
    with open_log([path], zone=ZONE) as log, few_rounds():
        ensemble, _ = learn_week(log, seed=1, threads=1, progress=quiet, params=QUICK)
        seen = take_snapshots(log, nights=nights_of(log)[-1:], every=1, progress=quiet)
        names = dict(log.connection.execute("SELECT row, visitor FROM texts").fetchall())
    who = np.array([int(names[int(row)].removeprefix("v")) for row in seen.row])
    truth = patrons.truth(float(seen.night[0] / DAY_MS - BEGIN.timestamp() / 86_400))
    models = CustomerModels.from_json(ensemble.beside["customers"], ensemble.names)
    return Asked(seen, ensemble, models, Truth(*(column[who] for column in truth)))


def held(said: NDArray[np.float64], true: NDArray[np.float64]) -> tuple[float, float]:
    """How much is said for each one that is true, and how alike the order is."""
    return float(said.sum() / true.sum()), float(spearmanr(said, true).statistic)


def test_the_chance_of_the_week_is_near_the_truth(asked: Asked) -> None:
    ratio, ranks = held(asked.ensemble.predict(asked.seen.values), asked.truth.week)
    assert 0.7 < ratio < 1.4
    assert ranks > 0.5


def test_so_are_churn_revenue_and_value(asked: Asked) -> None:
    churn, revenue, value = asked.models.churn, asked.models.revenue, asked.models.value
    assert isinstance(churn, Churn)
    assert isinstance(revenue, Spending)
    assert isinstance(value, Spending)
    columns = asked.models.columns(asked.seen.values)
    own = (asked.seen.orders, asked.seen.revenue)
    for said, true in (
        (churn.predict(columns), 1 - asked.truth.returns),
        (revenue.predict(columns, *own), asked.truth.revenue_28),
        (value.predict(columns, *own), asked.truth.revenue_365),
    ):
        ratio, ranks = held(said, true)
        assert 0.7 < ratio < 1.4
        assert ranks > 0.5


def test_the_truth_is_what_happens_on_average() -> None:
    patrons = Patrons.arrive(1_500, days=DAYS, seed=2)
    day, count = 80.0, len(patrons.rate)
    visits = np.array([(visit.patron, visit.day, visit.revenue) for visit in patrons.visits])
    who, at, revenue = visits[:, 0].astype(int), visits[:, 1], visits[:, 2]
    here = np.isin(np.arange(count), who[at <= day])

    def happened(days: int, worth: NDArray[np.float64]) -> NDArray[np.float64]:
        inside = (at > day) & (at <= day + days)
        return np.bincount(who[inside], worth[inside], minlength=count).astype(np.float64)

    orders = (revenue > 0).astype(np.float64)
    truth = patrons.truth(day)
    for said, came in (
        (truth.week, np.minimum(happened(7, orders), 1)),
        (truth.returns, np.minimum(happened(30, np.ones(len(at))), 1)),
        (truth.orders_28, happened(28, orders)),
        (truth.orders_365, happened(365, orders)),
        (truth.revenue_28, happened(28, revenue)),
        (truth.revenue_365, happened(365, revenue)),
    ):
        gap = (came - said)[here]
        assert abs(gap.sum()) < 4 * np.sqrt((gap**2).sum())
