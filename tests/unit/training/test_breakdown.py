"""A model's figures part by part: the parts are those that they are called, and small ones give counts alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from purchase_intent.features.schema import CATEGORICAL, FEATURES
from purchase_intent.learning import Sample, Table, case_weights
from purchase_intent.learning.metrics import auc, average_precision
from purchase_intent.models import Horizon
from purchase_intent.training.breakdown import with_breakdown

NAMES = tuple(feature.name for feature in FEATURES)
DAY = 86_400


@dataclass(frozen=True)
class Model:
    """Stands for a fitted ensemble: it says the value of one column. `drafts` where it was fitted in this process."""

    figures: dict[str, Any]
    drafts: bool = True

    @property
    def draft(self) -> Model | None:
        return self if self.drafts else None

    def log_odds(self, table: Table, *, threads: int) -> Any:
        return table.values[:, NAMES.index("cart_value")].astype(np.float64)


def model(first: int = 0, *, drafts: bool = True) -> Any:
    return Model({"slices": {"calibration": {"first": first}}}, drafts)


def sample(columns: dict[str, Any], labels: Any, sessions: Any, times: Any) -> Sample:
    values = np.zeros((len(labels), len(NAMES)), np.float32)
    for name, column in columns.items():
        values[:, NAMES.index(name)] = column
    table = Table(values, NAMES, CATEGORICAL)
    return Sample(table, np.asarray(labels, np.uint8), case_weights(sessions), sessions, times)


@pytest.fixture
def cases() -> Sample:
    """Four hundred sessions of three moments, out of order; the basket is reached at the second by every other one."""
    rng = np.random.default_rng(3)
    sessions = np.repeat(np.arange(400), 3)
    place = np.tile([1, 2, 3], 400)
    said = rng.normal(-1.5, 1, 1200)
    bought = np.repeat(rng.random(400) < 0.3, 3)
    stage = np.where(sessions % 2 == 0, np.minimum(place + 1, 3), 1)
    columns = {"cart_value": said, "stage": stage, "past_sessions": sessions % 4}
    shuffled = rng.permutation(1200)
    made = sample(columns, bought, sessions, 1_000_000 * sessions + 1_000 * place)
    return made.take(shuffled)


def broken_down(cases: Sample, *, first: int = 0, horizon: str = Horizon.SESSION) -> dict[str, Any]:
    return dict(with_breakdown(model(first), cases, horizon=horizon, threads=1).figures["breakdown"])


def test_moments_and_stages_are_the_first_of_their_sessions(cases: Sample) -> None:
    parts = broken_down(cases)["parts"]
    third = cases.times % 1_000_000 == 3_000
    said = cases.table.values[:, NAMES.index("cart_value")]
    assert (parts["k=3"]["rows"], parts["k=3"]["sessions"]) == (400, 400)
    assert parts["k=3"]["auc"] == pytest.approx(auc(cases.labels[third], said[third]), abs=1e-6)
    assert parts["k=3"]["said"] == pytest.approx(expit(said[third].astype(np.float64)).mean(), abs=1e-6)
    assert parts["k=5"] == {"sessions": 0.0, "buyers": 0.0, "rows": 0.0, "positives": 0.0}
    basket = (cases.times % 1_000_000 == 2_000) & (cases.sessions % 2 == 0)
    assert parts["first_basket"]["rows"] == 200
    assert parts["first_basket"]["average_precision"] == pytest.approx(
        average_precision(cases.labels[basket], said[basket]), abs=1e-6
    )
    assert parts["first_checkout"]["rows"] == 0
    assert (parts["new"]["sessions"], parts["returning"]["sessions"]) == (100, 300)


def test_only_the_calibration_slice_is_looked_at(cases: Sample) -> None:
    found = broken_down(cases, first=300_000_000)
    assert found["parts"]["k=1"]["sessions"] == 100
    assert sum(row["sessions"] for row in found["deciles"]) == pytest.approx(100, abs=0.01)
    assert len(found["deciles"]) == 10


def test_the_week_has_parts_of_its_own() -> None:
    count = 600
    rng = np.random.default_rng(4)
    visits, orders, away = np.arange(count) % 6 + 1, np.arange(count) % 2, np.arange(count) % 10 * DAY
    columns = {
        "cart_value": rng.normal(-1, 1, count),
        "past_sessions": visits,
        "past_purchases": orders,
        "since_last_session": away,
    }
    made = sample(columns, rng.random(count) < 0.3, np.arange(count), np.arange(count))
    parts = broken_down(made, horizon=Horizon.WEEK)["parts"]
    assert {name: part["rows"] for name, part in parts.items()} == {
        "one_visit": 100,
        "few_visits": 300,
        "many_visits": 200,
        "never_ordered": 300,
        "has_ordered": 300,
        "away_a_day": 120,
        "away_a_week": 360,
        "away_longer": 120,
    }


def test_a_model_that_was_not_fitted_here_stays_as_it_is(cases: Sample) -> None:
    made = model(drafts=False)
    assert with_breakdown(made, cases, horizon=Horizon.SESSION, threads=1) is made
