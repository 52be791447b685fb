"""CatBoost: symmetric trees, the steadiest of the members on little data."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from purchase_intent.learning.members.base import Member, Params
from purchase_intent.learning.table import Column, Matrix, Sample

__all__ = ["CatBoostMember"]


FEW_ROWS = 64


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
    options: ClassVar[frozenset[str]] = frozenset({"rsm", "min_data_in_leaf", "leaf_estimation_iterations"})

    @classmethod
    def _error(cls) -> type[Exception]:
        return cls.module().CatBoostError  # type: ignore[no-any-return]

    @classmethod
    def _learn(cls, train: Sample, validation: Sample | None, *, settings: Params, rounds: int, threads: int) -> Self:
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
            model.fit(pool, eval_set=judge, use_best_model=True, early_stopping_rounds=settings["early_stopping"])
        for stamp in ("train_finish_time", "model_guid"):
            # Equal models are to be equal files, whenever they were trained.
            model.get_metadata()[stamp] = ""
        return cls(model, rounds=int(model.tree_count_), settings=settings)

    def log_odds(self, matrix: Matrix, *, threads: int = 1) -> Column:
        # A single row given as such spares CatBoost a third of the time.
        rows = matrix[0] if len(matrix) == 1 else matrix
        margins = self.model.predict(rows, prediction_type="RawFormulaVal", thread_count=threads)
        return np.asarray(margins, dtype=np.float64).reshape(-1)

    def _raw_contributions(self, matrix: Matrix, threads: int) -> Column:
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
