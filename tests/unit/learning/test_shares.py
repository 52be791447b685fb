"""One row's contributions by NumPy: CatBoost's own, or CatBoost is asked."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import Any

import catboost
import numpy as np
import pytest

from purchase_intent.learning.members.catboost import CatBoostMember
from purchase_intent.learning.members.rows import Levels
from purchase_intent.learning.members.shares import Shares
from tests.unit.learning.samples import NAMES, numeric, shop

SAMPLE = numeric(shop())
MATRIX = SAMPLE.table.values
WIDTH = len(NAMES)


def learnt(**settings: Any) -> CatBoostMember:
    quiet = {"loss_function": "Logloss", "logging_level": "Silent", "allow_writing_files": False, "thread_count": 1}
    pool = catboost.Pool(MATRIX, SAMPLE.labels, weight=SAMPLE.weights)
    model = catboost.CatBoost({"iterations": 40, "learning_rate": 0.2, **quiet, **settings}).fit(pool)
    return CatBoostMember(model, rounds=model.tree_count_, settings={})


@pytest.mark.parametrize("depth", [1, 2, 5, 6, 8])
def test_they_are_those_of_catboost(depth: int) -> None:
    """Of six columns four tell something, so that deep trees ask for a column again."""
    member = learnt(depth=depth)
    asked = MATRIX[:40].copy()
    asked[np.random.default_rng(1).random(asked.shape) < 0.2] = np.nan
    alone = np.vstack([member._raw_contributions(asked[row : row + 1], 1) for row in range(len(asked))])
    np.testing.assert_allclose(alone, member._own_contributions(asked, 1), rtol=0, atol=1e-12)
    assert isinstance(member._short_shares(WIDTH), Shares)


def test_a_column_asked_for_again_is_one_player() -> None:
    shares = learnt(depth=6)._short_shares(WIDTH)
    assert shares is not None
    assert len(shares.again) > 5


def test_by_hand() -> None:
    """One tree, [column 0 > 0] then [column 1 > 0]; the root is the last level. Leaves 0, 0, 0 and 12, weights alike.

    The row goes to the leaf of 12. Knowing nothing is worth 3, either column alone 6, both 12: each adds 4.5.
    """
    levels = Levels(
        column=np.array([[0], [1]]),
        threshold=np.zeros((2, 1), np.float32),
        first=np.array([0]),
        value=np.array([0.0, 0.0, 0.0, 12.0]),
    )
    shares = Shares.of(levels, np.ones(4), 3)
    np.testing.assert_allclose(shares(np.array([1, 1, 1], np.float32)), [4.5, 4.5, 0, 3], atol=1e-12)


def _too_deep() -> CatBoostMember:
    return learnt(depth=12, iterations=5)


def _lopsided() -> CatBoostMember:
    return learnt(grow_policy="Lossguide", iterations=5)


@pytest.mark.parametrize("build", [_too_deep, _lopsided])
def test_catboost_is_asked_where_its_trees_do_not_fit(build: Any, caplog: pytest.LogCaptureFixture) -> None:
    member = build()
    with caplog.at_level(logging.INFO, "purchase_intent.learning.members.catboost"):
        alone = np.vstack([member._raw_contributions(MATRIX[row : row + 1], 1) for row in range(3)])
    assert (
        alone.tolist() == np.vstack([member._own_contributions(MATRIX[row : row + 1], 1) for row in range(3)]).tolist()
    )
    assert member._short_shares(WIDTH) is None
    told = [record for record in caplog.records if "contributions" in record.getMessage()]
    assert len(told) == 1


def test_shares_that_differ_are_not_trusted(caplog: pytest.LogCaptureFixture) -> None:
    class Wrong(CatBoostMember):
        def _levels(self, told: Any, width: int) -> Levels:
            found = super()._levels(told, width)
            return Levels(found.column, found.threshold, found.first, found.value * 1.001)

    member = Wrong(learnt(depth=4).model, rounds=40, settings={})
    with caplog.at_level(logging.INFO, "purchase_intent.learning.members.catboost"):
        member._raw_contributions(MATRIX[:1], 1)
    assert member._short_shares(WIDTH) is None
    assert "the contributions differ" in caplog.text


def test_without_a_folder_to_write_to_catboost_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    member = learnt(depth=4)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    assert member._raw_contributions(MATRIX[:1], 1).tolist() == member._own_contributions(MATRIX[:1], 1).tolist()
    assert member._short_shares(WIDTH) is None
