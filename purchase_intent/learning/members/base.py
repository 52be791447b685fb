"""The contract every member of the ensemble fulfils, and what they share."""

from __future__ import annotations

import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, ClassVar, Self

import numpy as np

from purchase_intent.exceptions import BundleRefused, MissingExtra, TrainingRefused
from purchase_intent.learning.forks import calling, loading
from purchase_intent.learning.members.rows import OneRow, agrees
from purchase_intent.learning.members.space import Space
from purchase_intent.learning.table import Column, Matrix, Sample

__all__ = ["Member", "Params", "Watch", "learner", "settle"]

Params = Mapping[str, Any]

Watch = Callable[[int, float], None]
"""Told the rounds done and the log-loss of the validation sample after each; stops the fit by raising."""

ROUNDING = 1e-3
"""The largest gap between contributions and score that float32 sums explain; a larger one is an error."""

logger = logging.getLogger(__name__)


def learner(module: str, *, extra: str, package: str | None = None) -> ModuleType:
    """The module, imported on first use; MissingExtra, with the line that installs its package, where it is absent."""
    # Threads that spin while they wait make a busy machine a hundred times slower; read when the library is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        return import_module(module)
    except ImportError as missing:
        raise MissingExtra(extra=extra, package=package or module) from missing


def settle(contributions: Column, base: float, margins: Column) -> Column:
    """Contributions whose rows, with the base, sum to the margins as closely as float64 allows.

    Learners that add up in float32 leave a residual of about 1e-6. It goes to the largest contribution of its row,
    where it changes the least; a residual no rounding explains raises ArithmeticError.
    """
    residual = margins - base - contributions.sum(axis=1)
    if len(residual) and not np.abs(residual).max() < ROUNDING:
        raise ArithmeticError(f"contributions miss the score by {np.abs(residual).max():.2e} in log-odds")
    rows = np.arange(len(contributions))
    contributions[rows, np.abs(contributions).argmax(axis=1)] += residual
    return contributions


class Member(ABC):
    """One fitted learner. `fit` and `from_files` build it, `refit` builds another of the same settings.

    Matrices are float32 [n, d], NaN for unknown. All is the same again for the same data, seed and threads, and the
    answer for a row does not depend on the rows beside it.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    defaults: ClassVar[Params]
    space: ClassVar[Space]
    """Where tuning looks for better values of `defaults`; no wider than one row's time and a bundle's size allow."""
    options: ClassVar[frozenset[str]] = frozenset()
    max_rounds: ClassVar[int]
    suffix: ClassVar[str]

    def __init__(self, model: Any, *, rounds: int, settings: Params) -> None:
        self.model = model
        self.rounds = rounds
        self.settings = dict(settings)
        self._one_row: OneRow | None = None
        self._looked = False

    @classmethod
    def module(cls) -> ModuleType:
        """The learner's package; MissingExtra where it is not installed."""
        return learner(cls.package, extra="serve")

    @classmethod
    def version(cls) -> str:
        """The version of the learner installed here."""
        return str(cls.module().__version__)

    @classmethod
    def fit(
        cls,
        train: Sample,
        validation: Sample,
        *,
        seed: int,
        params: Params | None = None,
        threads: int = 1,
        watch: Watch | None = None,
    ) -> Self:
        """Learn from `train`, as many rounds as serve the log-loss of `validation` best; what `watch` raises ends it.

        `params` overrides `defaults` by name. Raises TrainingRefused for a name that is neither there nor in `options`
        (learners ignore what they do not know, so a slip would go unseen) and where the learner refuses.
        """
        if unknown := sorted(set(params or {}) - set(cls.defaults) - cls.options):
            known = ", ".join(sorted({*cls.defaults, *cls.options}))
            raise TrainingRefused(f"{cls.name}: unknown parameters {unknown}; choose from {known}", field=cls.name)
        settings = {**cls.defaults, **(params or {}), "seed": seed}
        return cls._guarded(train, validation, settings=settings, rounds=cls.max_rounds, threads=threads, watch=watch)

    def refit(self, sample: Sample, *, rounds: int | None = None, threads: int = 1) -> Self:
        """Learn anew from `sample`, with the same settings and a fixed number of rounds (those found, by default)."""
        rounds = self.rounds if rounds is None else rounds
        return self._guarded(sample, None, settings=self.settings, rounds=rounds, threads=threads)

    @classmethod
    def _guarded(
        cls,
        train: Sample,
        validation: Sample | None,
        *,
        settings: Params,
        rounds: int,
        threads: int,
        watch: Watch | None = None,
    ) -> Self:
        cls.module()
        if rounds < 1 or threads < 1:
            raise TrainingRefused(f"{cls.name}: rounds and threads are at least 1", field=cls.name)
        calling()
        try:
            return cls._learn(train, validation, settings=settings, rounds=rounds, threads=threads, watch=watch)
        except (ValueError, TypeError, cls._error()) as refused:
            raise TrainingRefused(f"{cls.name}: the learner refused: {refused}", field=cls.name) from refused

    @classmethod
    @abstractmethod
    def _error(cls) -> type[Exception]:
        """What the learner raises when it refuses."""

    @classmethod
    @abstractmethod
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
        """Learn; without a validation sample, exactly `rounds` rounds."""

    def log_odds(self, matrix: Matrix, *, threads: int = 1) -> Column:
        """The margin of each row, float64 [n]."""
        if not len(matrix):
            return np.zeros(0)
        if len(matrix) == 1 and (one_row := self.one_row(matrix.shape[1])) is not None:
            return np.array([one_row(matrix[0])])
        return self._margins(matrix, threads)

    def one_row(self, width: int) -> OneRow | None:
        """The short way for one row of `width` values; None where the learner's own call is to be made.

        Found at the first call, and not when a member is loaded: it asks the learner, which may start threads.
        """
        if not self._looked:
            self._one_row, self._looked = self._short_way(width), True
        return self._one_row

    def _short_way(self, width: int) -> OneRow | None:
        try:
            read = self._read_trees(width)
            if read is None or agrees(read[0], lambda matrix: self._margins(matrix, 1), read[1]):
                return read and read[0]
            reason: object = "the answers differ"
        except (LookupError, ValueError, TypeError, OSError, self._error()) as unreadable:
            reason = unreadable
        logger.info("%s: one row is asked by the learner's own call, which takes longer: %s", self.name, reason)
        return None

    def _read_trees(self, width: int) -> tuple[OneRow, Matrix] | None:  # noqa: ARG002 - for those that can
        """The trees for rows of `width` values, and rows to try them on; None where the learner's own call is as quick.

        Raises ValueError or LookupError for a model of a kind that is not understood here.
        """
        return None

    @abstractmethod
    def _margins(self, matrix: Matrix, threads: int) -> Column:
        """The margin of each row, float64 [n], by the learner's own call; at least one row."""

    @abstractmethod
    def _raw_contributions(self, matrix: Matrix, threads: int) -> Column:
        """TreeSHAP of each row in log-odds, float64 [n, d + 1]; the last column is the expectation."""

    def contributions(self, matrix: Matrix, *, threads: int = 1) -> tuple[Column, float]:
        """TreeSHAP in log-odds: float64 [n, d] and the base; each row and the base sum to its `log_odds`."""
        if not len(matrix):
            return np.zeros(matrix.shape), 0.0
        raw = self._raw_contributions(matrix, threads)
        base = float(raw[0, -1])
        return settle(np.ascontiguousarray(raw[:, :-1]), base, self.log_odds(matrix, threads=threads)), base

    @abstractmethod
    def _native(self) -> bytes:
        """The model in the learner's own format."""

    @classmethod
    @abstractmethod
    def _from_native(cls, data: bytes) -> Any:
        """The learner's model out of its own format."""

    def to_files(self) -> dict[str, bytes]:
        """The member as files by name: the learner's own format, which holds data and no code."""
        return {f"{self.name}{self.suffix}": self._native()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], *, rounds: int, settings: Params) -> Self:
        """The member that `to_files` wrote. Raises BundleRefused where the file is missing or unreadable."""
        cls.module()
        loading()
        name = f"{cls.name}{cls.suffix}"
        if name not in files:
            raise BundleRefused(f"{name} is missing: restore the bundle or train again", file=name)
        try:
            model = cls._from_native(files[name])
        except (ValueError, TypeError, cls._error()) as unreadable:
            raise BundleRefused(f"{name} cannot be read: restore the bundle or train again", file=name) from unreadable
        return cls(model, rounds=rounds, settings=settings)
