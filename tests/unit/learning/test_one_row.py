"""One row through the whole ensemble: what `predict` says of it, to the last bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from purchase_intent.exceptions import ForkedTooLate
from purchase_intent.learning import Calibration, IntentEnsemble, Sample, shift
from purchase_intent.learning.forks import _process
from purchase_intent.learning.members.rows import SideBySide, Tree, Trees, laid_out

FEW = 200


@pytest.mark.parametrize(
    "without",
    [
        pytest.param((), id="all four"),
        pytest.param(("xgboost", "forest"), id="no trees side by side"),
        pytest.param(("catboost", "lightgbm", "forest"), id="one alone"),
    ],
)
def test_a_row_alone_is_answered_to_the_bit_as_among_others(
    ensemble: IntentEnsemble, sample: Sample, without: tuple[str, ...]
) -> None:
    left = {name: weight for name, weight in ensemble.weights.items() if name not in without}
    weights = {name: left.get(name, 0.0) / sum(left.values()) for name in ensemble.weights}
    model = shift.shifted(replace(ensemble, weights=weights), Calibration(1.1, -0.2))
    rows = sample.table.values[:FEW].copy()
    rows[np.random.default_rng(3).random(rows.shape) < 0.1] = np.nan
    assert [model.predict_one(row) for row in rows] == model.predict(rows).tolist()
    assert model._quick[0] is not None


def test_a_member_that_has_no_short_way_is_asked_itself(
    ensemble: IntentEnsemble, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, rows = replace(ensemble), sample.table.values[:5]
    monkeypatch.setattr(type(ensemble.members["lightgbm"]), "one_row", lambda _self, _width: None)
    assert [model.predict_one(row) for row in rows] == ensemble.predict(rows).tolist()
    assert model._quick == [None]


def test_a_process_forked_too_late_asks_no_learner(
    ensemble: IntentEnsemble, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_process, "forked_too_late", True)
    with pytest.raises(ForkedTooLate):
        ensemble.predict_one(sample.table.values[0])


def test_trees_of_unequal_depth_side_by_side_by_hand() -> None:
    leaf = Tree(np.array([0]), np.zeros(1, np.float32), np.array([0]), np.array([100], np.float32))
    stump = Tree(np.array([0, 0, 0]), np.array([1.5, 0, 0], np.float32), np.array([1, 1, 2]), np.array([0.0, 0.1, 0.2]))
    short, tall = Trees.joined([leaf, leaf], start=0.5), Trees.joined([stump, leaf, stump])
    together = SideBySide([short, tall, short])
    for value in (1.5, 1.6, np.nan):
        row = np.array([value], np.float32)
        assert together(laid_out(row)) == [short(row), tall(row), short(row)]
