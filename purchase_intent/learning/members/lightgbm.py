"""LightGBM: leaf-wise trees, quick and sharp; it overfits soonest, so its leaves are kept large."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np

from purchase_intent.learning.members.base import Member, Params, Watch
from purchase_intent.learning.members.handle import Handle, far_and_wide
from purchase_intent.learning.members.rows import OneRow
from purchase_intent.learning.members.space import Range, Space
from purchase_intent.learning.table import Column, Matrix, Sample

__all__ = ["LightGBMMember"]


class LightGBMMember(Member):
    """Gradient boosting on leaf-wise trees, by LightGBM."""

    name: ClassVar[str] = "lightgbm"
    package: ClassVar[str] = "lightgbm"
    suffix: ClassVar[str] = ".txt"
    max_rounds: ClassVar[int] = 1500
    defaults: ClassVar[Params] = {
        "learning_rate": 0.04,
        "num_leaves": 31,
        "min_data_in_leaf": 300,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 10.0,
        "max_bin": 255,
        "early_stopping": 60,
    }
    space: ClassVar[Space] = {
        "learning_rate": Range(0.02, 0.1, log=True),
        "num_leaves": Range(8, 64, log=True, whole=True),
        "min_data_in_leaf": Range(50, 1000, log=True, whole=True),
        "feature_fraction": Range(0.2, 1.0),
        "bagging_fraction": Range(0.5, 1.0),
        "lambda_l2": Range(0.5, 100.0, log=True),
    }
    options: ClassVar[frozenset[str]] = frozenset({"lambda_l1", "max_depth", "min_sum_hessian_in_leaf", "path_smooth"})

    @classmethod
    def _error(cls) -> type[Exception]:
        return cls.module().basic.LightGBMError  # type: ignore[no-any-return]

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
            "objective": "binary",
            "metric": "binary_logloss",
            "num_threads": threads,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
            **{name: value for name, value in settings.items() if name != "early_stopping"},
        }
        data = _dataset(library, train, params)
        if validation is None:
            model = library.train(params, data, rounds)
            return cls(model, rounds=rounds, settings=settings)
        judge = _dataset(library, validation, params, reference=data)
        stop = library.early_stopping(settings["early_stopping"], verbose=False)
        callbacks = [stop] if watch is None else [_told(watch), stop]
        model = library.train(params, data, rounds, valid_sets=[judge], callbacks=callbacks)
        best = max(int(model.best_iteration), 1)
        short = library.Booster(model_str=model.model_to_string(num_iteration=best))
        return cls(short, rounds=best, settings=settings)

    def _margins(self, matrix: Matrix, threads: int) -> Column:
        return np.asarray(self.model.predict(matrix, raw_score=True, num_threads=threads), dtype=np.float64)

    def _read_trees(self, width: int) -> tuple[OneRow, Matrix]:
        # They are too deep to go through level by level.
        return Handle(self.module(), self.model, width), far_and_wide(width)

    def _raw_contributions(self, matrix: Matrix, threads: int) -> Column:
        return np.asarray(self.model.predict(matrix, pred_contrib=True, num_threads=threads), dtype=np.float64)

    def _native(self) -> bytes:
        return str(self.model.model_to_string()).encode()

    @classmethod
    def _from_native(cls, data: bytes) -> Any:
        return cls.module().Booster(model_str=data.decode())


def _told(watch: Watch) -> Callable[[Any], None]:
    def after_round(env: Any) -> None:
        watch(env.iteration + 1, env.evaluation_result_list[0][2])

    return after_round


def _dataset(library: Any, sample: Sample, params: Params, reference: Any = None) -> Any:
    dataset = library.Dataset(
        sample.table.values, sample.labels, weight=sample.weights, reference=reference, params=dict(params)
    )
    return dataset.construct()
