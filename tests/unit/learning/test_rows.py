"""One row through the trees by NumPy: the learners' own answers, to the last bit, or their own calls."""

from __future__ import annotations

import logging
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import catboost
import lightgbm
import numpy as np
import pytest
import xgboost

from purchase_intent.learning import MEMBERS, Member
from purchase_intent.learning.members.catboost import CatBoostMember
from purchase_intent.learning.members.rows import Levels, OneRow, Tree, Trees, agrees, laid_out, probes
from purchase_intent.learning.members.xgboost import XGBoostMember
from purchase_intent.learning.table import Matrix
from tests.unit.learning.samples import NAMES, QUICK, numeric, shop

SAMPLE = numeric(shop())
MATRIX = SAMPLE.table.values
WIDTH = len(NAMES)
SHORT = ("catboost", "xgboost", "forest", "lightgbm")


def learnt(name: str, *, rounds: int = 30, matrix: Matrix = MATRIX) -> Member:
    kind = MEMBERS[name]
    settings = {**kind.defaults, **QUICK[name], "seed": 5}
    return kind(None, rounds=rounds, settings=settings).refit(SAMPLE.with_values(matrix))


def alone(member: Member, matrix: Matrix) -> list[float]:
    return [float(member.log_odds(matrix[row : row + 1])[0]) for row in range(len(matrix))]


@pytest.mark.parametrize("name", SHORT)
@pytest.mark.parametrize("unknown", [0.0, 0.3], ids=["all known", "some unknown"])
def test_the_short_way_answers_to_the_bit_as_the_learner(name: str, unknown: float) -> None:
    draw = np.random.default_rng(1)
    trained = MATRIX.copy()
    trained[draw.random(trained.shape) < unknown] = np.nan
    member = learnt(name, matrix=trained)
    asked = MATRIX[:200].copy()
    asked[draw.random(asked.shape) < 0.2] = np.nan
    assert alone(member, asked) == member._margins(asked, 1).tolist()
    assert member.one_row(WIDTH) is not None


@pytest.mark.parametrize("name", SHORT)
def test_a_model_read_from_its_files_takes_the_short_way_at_its_first_row(name: str) -> None:
    member = learnt(name)
    again = type(member).from_files(member.to_files(), rounds=member.rounds, settings=member.settings)
    assert not again._looked, "to load a member asks no learner"
    assert alone(again, MATRIX[:20]) == member._margins(MATRIX[:20], 1).tolist()
    assert again.one_row(WIDTH) is not None


def test_a_lightgbm_without_its_function_for_one_row_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    member = learnt("lightgbm")
    with monkeypatch.context() as without:
        without.setattr(lightgbm.basic, "_LIB", SimpleNamespace(LGBM_FastConfigFree=None))
        assert member.one_row(WIDTH) is None
    assert alone(member, MATRIX[:5]) == member._margins(MATRIX[:5], 1).tolist()


def test_several_threads_ask_lightgbm_for_one_row_each_and_get_their_own() -> None:
    member = learnt("lightgbm")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda row: member.log_odds(MATRIX[row : row + 1])[0], range(300)))
    assert found == member._margins(MATRIX[:300], 1).tolist()


@pytest.mark.parametrize("mode", ["Min", "Max"])
def test_catboost_sends_what_is_unknown_where_it_was_taught(mode: str) -> None:
    matrix = MATRIX.copy()
    matrix[np.random.default_rng(2).random(matrix.shape) < 0.3] = np.nan
    model = catboost.CatBoost(
        {"iterations": 20, "depth": 4, "nan_mode": mode, "loss_function": "Logloss", "logging_level": "Silent"}
        | {"allow_writing_files": False, "thread_count": 1}
    ).fit(catboost.Pool(matrix, SAMPLE.labels))
    member = CatBoostMember(model, rounds=20, settings={})
    assert alone(member, matrix[:100]) == member._margins(matrix[:100], 1).tolist()
    assert member.one_row(WIDTH) is not None


def _dart() -> Member:
    data = xgboost.DMatrix(MATRIX, SAMPLE.labels)
    params = {"booster": "dart", "objective": "binary:logistic", "rate_drop": 0.5, "nthread": 1}
    return XGBoostMember(xgboost.train(params, data, 5), rounds=5, settings={})


def _squares() -> Member:
    data = xgboost.DMatrix(MATRIX, SAMPLE.labels)
    return XGBoostMember(xgboost.train({"objective": "reg:squarederror", "nthread": 1}, data, 5), rounds=5, settings={})


def _categories() -> Member:
    kinds = ["q", "q", "q", "c", "q", "q"]
    data = xgboost.DMatrix(MATRIX, SAMPLE.labels, feature_types=kinds, enable_categorical=True)
    params = {"objective": "binary:logistic", "max_cat_to_onehot": 1, "nthread": 1, "tree_method": "hist"}
    return XGBoostMember(xgboost.train(params, data, 20), rounds=20, settings={})


def _lopsided() -> Member:
    params = {"iterations": 5, "grow_policy": "Lossguide", "loss_function": "Logloss", "logging_level": "Silent"}
    model = catboost.CatBoost(params | {"allow_writing_files": False, "thread_count": 1})
    return CatBoostMember(model.fit(catboost.Pool(MATRIX, SAMPLE.labels)), rounds=5, settings={})


@pytest.mark.parametrize("build", [_dart, _squares, _categories, _lopsided])
def test_a_model_of_another_kind_is_asked_itself(build: Any, caplog: pytest.LogCaptureFixture) -> None:
    member: Member = build()
    with caplog.at_level(logging.INFO, "purchase_intent.learning"):
        assert alone(member, MATRIX[:20]) == member._margins(MATRIX[:20], 1).tolist()
    assert member.one_row(WIDTH) is None
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [member.name]


class _Wrong(XGBoostMember):
    """Reads its trees, and the last of them twice."""

    name: ClassVar[str] = "wrong"

    def _read_trees(self, width: int) -> tuple[OneRow, Matrix]:
        one_row, rows = super()._read_trees(width)
        assert isinstance(one_row, Trees)
        return Trees(one_row.nodes, np.append(one_row.roots, one_row.roots[-1]), one_row.depth, one_row.start), rows


def test_trees_that_answer_otherwise_are_not_trusted(caplog: pytest.LogCaptureFixture) -> None:
    member = _Wrong(learnt("xgboost").model, rounds=30, settings={})
    with caplog.at_level(logging.INFO, "purchase_intent.learning"):
        assert alone(member, MATRIX[:20]) == member._margins(MATRIX[:20], 1).tolist()
    assert [record.getMessage() for record in caplog.records] == [
        "wrong: one row is asked by the learner's own call, which takes longer: the answers differ"
    ]


def test_without_a_folder_to_write_to_catboost_is_asked_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    member = learnt("catboost")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    assert alone(member, MATRIX[:5]) == member._margins(MATRIX[:5], 1).tolist()
    assert member.one_row(WIDTH) is None


def test_a_row_is_laid_out_with_what_is_unknown_to_the_left_and_to_the_right() -> None:
    copies = laid_out(np.array([1.0, np.nan], np.float32))
    np.testing.assert_array_equal(copies, np.array([1.0, np.nan, 1.0, np.inf], np.float32))


def test_trees_of_unequal_depth_by_hand() -> None:
    """A stump on column 0 that sends the unknown left, a leaf alone, and a tree of depth 2 that sends it right."""
    stump = Tree(
        np.array([0, 0, 0]), np.array([1.5, 0, 0], np.float32), np.array([1, 1, 2]), np.array([0, 10, 20], np.float32)
    )
    leaf = Tree(np.array([0]), np.zeros(1, np.float32), np.array([0]), np.array([100], np.float32))
    deep = Tree(
        np.array([3, 0, 2, 0, 0]),
        np.array([0, 0, 5, 0, 0], np.float32),
        np.array([1, 1, 3, 3, 4]),
        np.array([0, 1000, 0, 2000, 3000], np.float32),
    )
    trees = Trees.joined([stump, leaf, deep], start=0.5)
    assert trees.depth == 2
    rows = [(1.5, 0.0), (1.6, 0.1), (6.0, np.nan), (np.nan, np.nan)]
    assert [trees(np.array(row, np.float32)) for row in rows] == [1110.5, 2120.5, 3120.5, 3110.5]


def test_levels_by_hand() -> None:
    """Two trees: one of two levels, one of a single level."""
    levels = Levels(
        column=np.array([[0, 1], [1, 0]]),
        threshold=np.array([[0.5, 7.0], [2.0, np.inf]], np.float32),
        first=np.array([0, 4]),
        value=np.array([1.0, 2.0, 3.0, 4.0, 10.0, 20.0]),
        scale=2.0,
        bias=-1.0,
    )
    answers = [levels(np.array(row, np.float32)) for row in ([0, 0], [1, 0], [0, 3], [1, 9])]
    assert answers == [21.0, 23.0, 25.0, 47.0]


def test_probes_stand_on_every_threshold_or_just_above_or_are_unknown() -> None:
    column, threshold = np.array([0, 3, 1]), np.array([1.0, 2.0, np.inf], np.float32)
    rows = probes(column, threshold, 2)
    first, second = ({value for value in column if not np.isnan(value)} for column in rows.T)
    assert first == {1.0, np.nextafter(np.float32(1), np.float32(2))}
    assert second == {2.0, np.nextafter(np.float32(2), np.float32(3))}
    assert np.isnan(rows).any()


def test_agreement_is_to_the_last_bit() -> None:
    rows = np.zeros((3, 2), np.float32)
    assert agrees(lambda row: 0.1, lambda matrix: np.full(len(matrix), 0.1), rows)
    assert not agrees(lambda row: 0.1, lambda matrix: np.full(len(matrix), np.nextafter(0.1, 1)), rows)
