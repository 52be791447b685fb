"""XGBoost, twice: boosted trees, and a random forest grown on the same histograms.

The margin starts from `base_score`, the weighted rate of the training labels, given explicitly so that it does not
depend on the library's own estimate.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np

from purchase_intent.learning.members.base import Member, Params, Watch
from purchase_intent.learning.members.rows import GOES_LEFT, GOES_RIGHT, OneRow, Tree, Trees, probes
from purchase_intent.learning.members.space import Range, Space
from purchase_intent.learning.table import Column, Matrix, Sample

__all__ = ["ForestMember", "XGBoostMember"]


class XGBoostMember(Member):
    """Gradient boosting on depth-wise histogram trees, by XGBoost."""

    name: ClassVar[str] = "xgboost"
    package: ClassVar[str] = "xgboost"
    suffix: ClassVar[str] = ".ubj"
    max_rounds: ClassVar[int] = 1000
    defaults: ClassVar[Params] = {
        "learning_rate": 0.05,
        "max_depth": 6,
        "min_child_weight": 20.0,
        "subsample": 0.8,
        "colsample_bynode": 0.5,
        "reg_lambda": 10.0,
        "max_bin": 256,
        "early_stopping": 50,
    }
    space: ClassVar[Space] = {
        "learning_rate": Range(0.02, 0.15, log=True),
        "max_depth": Range(3, 8, whole=True),
        "min_child_weight": Range(1.0, 100.0, log=True),
        "subsample": Range(0.5, 1.0),
        "colsample_bynode": Range(0.2, 1.0),
        "reg_lambda": Range(0.5, 100.0, log=True),
    }
    options: ClassVar[frozenset[str]] = frozenset(
        {"colsample_bytree", "gamma", "max_delta_step", "max_leaves", "grow_policy", "reg_alpha"}
    )

    _threads = 0

    @classmethod
    def _error(cls) -> type[Exception]:
        return cls.module().core.XGBoostError  # type: ignore[no-any-return]

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
            "objective": "binary:logistic",
            "eval_metric": "logloss",
            "tree_method": "hist",
            "base_score": float(np.clip(np.average(train.labels, weights=train.weights), 1e-6, 1 - 1e-6)),
            "nthread": threads,
            "verbosity": 0,
            "validate_parameters": True,
            **{name: value for name, value in settings.items() if name != "early_stopping"},
        }
        data = _quantised(library, train, params, threads)
        if validation is None:
            model = library.train(params, data, rounds, verbose_eval=False)
            return cls(model, rounds=rounds, settings=settings)
        judge = _quantised(library, validation, params, threads, reference=data)
        model = library.train(
            params,
            data,
            rounds,
            evals=[(judge, "validation")],
            early_stopping_rounds=settings["early_stopping"],
            verbose_eval=False,
            callbacks=None if watch is None else [_told(library, watch)],
        )
        best = int(model.best_iteration) + 1
        return cls(model[:best], rounds=best, settings=settings)

    def _margins(self, matrix: Matrix, threads: int) -> Column:
        self._use(threads)
        margins = self.model.inplace_predict(matrix, predict_type="margin", validate_features=False)
        return np.asarray(margins, dtype=np.float64)

    def _read_trees(self, width: int) -> tuple[OneRow, Matrix]:
        told = json.loads(bytes(self.model.save_raw("json")))["learner"]
        if told["gradient_booster"]["name"] != "gbtree" or told["objective"]["name"] != "binary:logistic":
            raise ValueError("no plain trees for two classes")
        rate = np.float32(told["learner_model_param"]["base_score"].strip("[]"))
        trees = [_tree(tree, width) for tree in told["gradient_booster"]["model"]["trees"]]
        found = Trees.joined(trees, start=-float(np.log(np.float64(1 / rate - np.float32(1)))))
        return found, probes(found.nodes.column, found.nodes.threshold, width)

    def _raw_contributions(self, matrix: Matrix, threads: int) -> Column:
        self._use(threads)
        data = self.module().DMatrix(matrix, nthread=threads)
        return np.asarray(self.model.predict(data, pred_contribs=True, validate_features=False), dtype=np.float64)

    def _use(self, threads: int) -> None:
        # Setting a parameter makes the booster configure itself anew, which costs more than scoring a row.
        if threads != self._threads:
            self.model.set_param({"nthread": threads})
            self._threads = threads

    def _native(self) -> bytes:
        return bytes(self.model.save_raw("ubj"))

    @classmethod
    def _from_native(cls, data: bytes) -> Any:
        return cls.module().Booster(model_file=bytearray(data))


class ForestMember(XGBoostMember):
    """A random forest in log-odds, grown by XGBoost on histograms.

    One Newton step from the base rate overshoots in a forest of rare positives (a pure leaf would add 1 / rate), so the
    forest is grown in a few damped steps, each a forest of its own, until the validation log-loss stops falling.
    """

    name: ClassVar[str] = "forest"
    max_rounds: ClassVar[int] = 8
    defaults: ClassVar[Params] = {
        "num_parallel_tree": 15,
        "learning_rate": 0.5,
        "max_depth": 7,
        "min_child_weight": 10.0,
        "subsample": 0.63,
        "colsample_bynode": 0.3,
        "reg_lambda": 5.0,
        "max_delta_step": 2.0,
        "max_bin": 128,
        "early_stopping": 2,
    }
    space: ClassVar[Space] = {
        "learning_rate": Range(0.3, 0.7),
        "max_depth": Range(5, 8, whole=True),
        "min_child_weight": Range(2.0, 50.0, log=True),
        "subsample": Range(0.4, 0.9),
        "colsample_bynode": Range(0.1, 0.6),
        "reg_lambda": Range(0.5, 50.0, log=True),
    }


def _told(library: Any, watch: Watch) -> Any:
    def after_iteration(_self: Any, _model: Any, epoch: int, log: Mapping[str, Any]) -> bool:
        watch(epoch + 1, log["validation"]["logloss"][-1])
        return False

    # Made here, since the class above it comes with the library.
    return type("Told", (library.callback.TrainingCallback,), {"after_iteration": after_iteration})()


def _quantised(library: Any, sample: Sample, params: Mapping[str, Any], threads: int, reference: Any = None) -> Any:
    return library.QuantileDMatrix(
        sample.table.values,
        sample.labels,
        weight=sample.weights,
        nthread=threads,
        max_bin=params["max_bin"],
        ref=reference,
    )


def _tree(told: Mapping[str, Any], width: int) -> Tree:
    """One tree out of XGBoost's own JSON; ValueError where it splits categories or is laid out otherwise."""
    left, right = np.array(told["left_children"], np.intp), np.array(told["right_children"], np.intp)
    limits = np.array(told["split_conditions"], np.float32)
    branch = left >= 0
    if any(told["split_type"]) or (right[branch] != left[branch] + 1).any():
        raise ValueError("a tree splits categories or parts its children")
    copy = np.where(told["default_left"], GOES_LEFT, GOES_RIGHT)
    return Tree(
        column=np.array(told["split_indices"], np.intp) + width * copy,
        # XGBoost goes right from the limit on, not above it.
        threshold=np.nextafter(limits, np.float32(-np.inf)),
        left=np.where(branch, left, np.arange(len(left))),
        value=np.where(branch, np.float32(0), limits),
    )
