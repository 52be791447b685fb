"""CatBoost: symmetric trees, the steadiest of the members on little data."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from purchase_intent.learning.members.base import Member, Params, Watch
from purchase_intent.learning.members.rows import GOES_LEFT, GOES_RIGHT, Levels, probes
from purchase_intent.learning.members.shares import Shares
from purchase_intent.learning.members.space import Range, Space
from purchase_intent.learning.table import Column, Matrix, Sample

__all__ = ["CatBoostMember"]


FEW_ROWS = 64
CHECKED_ROWS = 4
"""Rows whose contributions are asked both ways before the short way is trusted."""
ROUNDING = 1e-9

logger = logging.getLogger(__name__)


class CatBoostMember(Member):
    """Gradient boosting on symmetric trees, by CatBoost."""

    name: ClassVar[str] = "catboost"
    package: ClassVar[str] = "catboost"
    suffix: ClassVar[str] = ".cbm"
    max_rounds: ClassVar[int] = 500
    defaults: ClassVar[Params] = {
        "depth": 6,
        "learning_rate": 0.08,
        "l2_leaf_reg": 10.0,
        "border_count": 128,
        "bootstrap_type": "Bernoulli",
        "subsample": 0.8,
        "random_strength": 1.0,
        "early_stopping": 40,
    }
    space: ClassVar[Space] = {
        "depth": Range(4, 7, whole=True),
        "learning_rate": Range(0.03, 0.2, log=True),
        "l2_leaf_reg": Range(1.0, 100.0, log=True),
        "random_strength": Range(0.1, 10.0, log=True),
        "subsample": Range(0.5, 1.0),
    }
    options: ClassVar[frozenset[str]] = frozenset({"rsm", "min_data_in_leaf", "leaf_estimation_iterations"})

    _shares: tuple[Shares | None, ...] = ()

    @classmethod
    def _error(cls) -> type[Exception]:
        return cls.module().CatBoostError  # type: ignore[no-any-return]

    @classmethod
    def _learn(
        cls,
        train: Sample,
        validation: Sample | None,
        *,
        settings: Params,
        rounds: int,
        threads: int,
        watch: Watch | None,
    ) -> Self:
        library = cls.module()
        params = {
            "loss_function": "Logloss",
            "boosting_type": "Plain",
            "iterations": rounds,
            "random_seed": settings["seed"],
            "thread_count": threads,
            "allow_writing_files": False,
            "logging_level": "Silent",
            **{name: value for name, value in settings.items() if name not in ("seed", "early_stopping")},
        }
        model = library.CatBoost(params)
        pool = library.Pool(train.table.values, train.labels, weight=train.weights)
        if validation is None:
            model.fit(pool)
        else:
            judge = library.Pool(validation.table.values, validation.labels, weight=validation.weights)
            _fit_watched(model, pool, watch, eval_set=judge, early_stopping_rounds=settings["early_stopping"])
        for stamp in ("train_finish_time", "model_guid"):
            # Equal models are to be equal files, whenever they were trained.
            model.get_metadata()[stamp] = ""
        return cls(model, rounds=int(model.tree_count_), settings=settings)

    def _margins(self, matrix: Matrix, threads: int) -> Column:
        margins = self.model.predict(matrix, prediction_type="RawFormulaVal", thread_count=threads)
        return np.asarray(margins, dtype=np.float64).reshape(-1)

    def _read_trees(self, width: int) -> tuple[Levels, Matrix]:
        found = self._levels(self._told(), width)
        return found, probes(found.column.ravel(), found.threshold.ravel(), width)

    def _told(self) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.json"
            self.model.save_model(str(path), format="json")
            return json.loads(path.read_bytes())

    def _levels(self, told: Mapping[str, Any], width: int) -> Levels:
        scale, bias = self.model.get_scale_and_bias()
        return _levels(told, width, value=self.model.get_leaf_values(), scale=scale, bias=bias)

    def _raw_contributions(self, matrix: Matrix, threads: int) -> Column:
        if len(matrix) == 1 and (shares := self._short_shares(matrix.shape[1])) is not None:
            return shares(matrix[0]).reshape(1, -1)
        return self._own_contributions(matrix, threads)

    def _short_shares(self, width: int) -> Shares | None:
        """The short way to one row's contributions, where it finds what CatBoost does; made at the first call."""
        if not self._shares:
            self._shares = (self._checked_shares(width),)
        return self._shares[0]

    def _checked_shares(self, width: int) -> Shares | None:
        try:
            told = self._told()
            weights = np.concatenate([tree["leaf_weights"] for tree in told["oblivious_trees"]])
            levels = self._levels(told, width)
            shares = Shares.of(levels, weights, width)
            rows = probes(levels.column.ravel(), levels.threshold.ravel(), width)[:CHECKED_ROWS]
            if np.allclose([shares(row) for row in rows], self._own_contributions(rows, 1), rtol=0, atol=ROUNDING):
                return shares
            reason: object = "the contributions differ"
        except (LookupError, ValueError, TypeError, OSError, self._error()) as unreadable:
            reason = unreadable
        logger.info("catboost: one row's contributions are asked of CatBoost, which takes longer: %s", reason)
        return None

    def _own_contributions(self, matrix: Matrix, threads: int) -> Column:
        # Precomputing costs seconds on a large model, once a call, and pays from about a hundred rows on.
        mode = "NoPreCalc" if len(matrix) < FEW_ROWS else "UsePreCalc"
        pool = self.module().Pool(matrix)
        found = self.model.get_feature_importance(pool, type="ShapValues", shap_mode=mode, thread_count=threads)
        return np.asarray(found, dtype=np.float64)

    def _native(self) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.cbm"
            self.model.save_model(str(path), format="cbm")
            return path.read_bytes()

    @classmethod
    def _from_native(cls, data: bytes) -> Any:
        model = cls.module().CatBoost()
        model.load_model(blob=data)
        return model


def _fit_watched(model: Any, pool: Any, watch: Watch | None, **options: Any) -> None:
    told = None if watch is None else _Told(watch)
    model.fit(pool, use_best_model=True, callbacks=None if told is None else [told], **options)
    if told is not None and told.raised is not None:
        raise told.raised


class _Told:
    """Tells a watch of each round; what it raises is kept, since CatBoost would make an error of its own of it."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self.raised: BaseException | None = None

    def after_iteration(self, info: Any) -> bool:
        """Whether to go on: CatBoost's own question after each round."""
        try:
            self._watch(info.iteration, info.metrics["validation"]["Logloss"][-1])
        except BaseException as raised:  # noqa: BLE001 (raised again when CatBoost has come to its end)
            self.raised = raised
        return self.raised is None


def _levels(told: Mapping[str, Any], width: int, *, value: Column, scale: float, bias: float) -> Levels:
    """The trees out of CatBoost's own JSON; LookupError where they are not symmetric or split categories."""
    trees, places = told["oblivious_trees"], {}
    for item in told["features_info"]["float_features"]:
        # Otherwise what is unknown compares as not above any border.
        copy = GOES_RIGHT if item["nan_value_treatment"] == "AsTrue" else GOES_LEFT
        places[item["feature_index"]] = item["flat_feature_index"] + copy * width
    depth = max(len(tree["splits"] or ()) for tree in trees)
    column = np.zeros((depth, len(trees)), np.intp)
    threshold = np.full((depth, len(trees)), np.inf, np.float32)
    for number, tree in enumerate(trees):
        for level, split in enumerate(tree["splits"] or ()):
            column[level, number] = places[split["float_feature_index"]]
            threshold[level, number] = split["border"]
    first = np.cumsum([0, *(len(tree["leaf_values"]) for tree in trees[:-1])])
    return Levels(column, threshold, first, value, scale, bias)
