"""What the learners learn from: a matrix with named columns, and the labels, weights and times of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from purchase_intent.events.hashing import key_hash
from purchase_intent.exceptions import TrainingRefused

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CODES", "Codes", "Column", "Labels", "Matrix", "Sample", "Table", "case_weights", "text_code"]

Matrix = NDArray[np.float32]
Column = NDArray[np.float64]
Labels = NDArray[np.uint8]
Codes = NDArray[np.int64]

CODES = 2**20
"""Categories are numbered 0 to 2^20 - 1: exact in float32, and room enough that hashed names rarely meet."""


def text_code(text: object) -> float:
    """The number of a category, the same in every process: a hash of its spelling, modulo 2^20; NaN where missing."""
    if text is None or text != text:  # noqa: PLR0124 - NaN, NaT and NA differ from themselves
        return float("nan")
    return float(key_hash(str(text)) % CODES)


@dataclass(frozen=True, slots=True)
class Table:
    """A matrix of numbers with named columns.

    `values` is float32 [n, d], C-contiguous, NaN where unknown, never infinite. Columns named in `categorical` hold
    whole numbers from 0 to `CODES` - 1. Raises TrainingRefused, naming the column, where that does not hold.
    """

    values: Matrix
    names: tuple[str, ...]
    categorical: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        values = np.ascontiguousarray(self.values, dtype=np.float32)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "categorical", frozenset(self.categorical))
        if values.ndim != 2 or values.shape[1] != len(self.names):
            raise TrainingRefused(
                f"values: shape {values.shape} does not fit {len(self.names)} names; "
                "give one row a case, one column a name",
                field="values",
            )
        if len(set(self.names)) != len(self.names):
            raise TrainingRefused("names: a column name occurs twice; give each its own", field="names")
        if unknown := sorted(self.categorical - set(self.names)):
            raise TrainingRefused(
                f"categorical: no column is named {unknown}; use names of the table", field="categorical"
            )
        self._refuse_bad_columns()

    def _refuse_bad_columns(self) -> None:
        infinite = np.isinf(self.values).any(axis=0)
        if infinite.any():
            name = self.names[int(infinite.argmax())]
            raise TrainingRefused(f"{name}: holds an infinite value; use NaN for unknown", field=name)
        for name in sorted(self.categorical):
            column = self.values[:, self.names.index(name)]
            known = column[~np.isnan(column)]
            if len(known) and (known.min() < 0 or known.max() >= CODES or (known != np.floor(known)).any()):
                raise TrainingRefused(
                    f"{name}: a category is a whole number from 0 to {CODES - 1}; hash or number it", field=name
                )

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: NDArray[Any]) -> Table:
        """The rows picked by an index array or a mask, in that order."""
        return replace(self, values=self.values[rows])

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, categorical: Sequence[str] = ()) -> Table:
        """A table from a pandas frame of numeric, boolean and text columns.

        Text and pandas-categorical columns, and those listed in `categorical`, become hashed codes, so that a later
        frame gives the same code to the same text. Raises TrainingRefused for a column of any other type.
        """
        values = np.empty((len(frame), frame.shape[1]), dtype=np.float32)
        hashed = set()
        for position, name in enumerate(frame.columns):
            series = frame[name]
            if name in categorical or series.dtype.name in ("object", "string", "str", "category"):
                values[:, position] = _codes(series)
                hashed.add(str(name))
            elif series.dtype.kind in "biuf":
                values[:, position] = series.to_numpy(dtype=np.float64, na_value=np.nan)
            else:
                raise TrainingRefused(
                    f"{name}: {series.dtype} is neither numeric nor text; turn it into a number", field=str(name)
                )
        return cls(values, tuple(str(name) for name in frame.columns), frozenset(hashed))


def _codes(series: pd.Series[Any]) -> NDArray[np.float64]:
    codes: Mapping[object, float] = {text: text_code(text) for text in series.dropna().unique()}
    return np.array([codes.get(text, float("nan")) for text in series.astype("object")], dtype=np.float64)


def case_weights(sessions: Codes, *, power: float = -0.5) -> Column:
    """A weight for each row: (rows of its session)^power, scaled to a mean of 1.

    0 weighs each moment alike, -1 each session alike; the default stands between, since what is learnt serves both.
    """
    _, inverse, counts = np.unique(sessions, return_inverse=True, return_counts=True)
    weights = np.power(counts.astype(np.float64), power)[inverse]
    return np.asarray(weights * (len(weights) / weights.sum()), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Sample:
    """Cases to learn from: one row for each decision point.

    `labels` uint8 [n]: 1 where the session still buys. `weights` float64 [n]: case weights (never class weights), not
    negative, scaled here to a mean of 1. `sessions` int64 [n]: which rows belong together; they are never torn apart.
    `times` int64 [n]: milliseconds since 1970 UTC. `ends` int64 [n]: when the outcome of the row's session was known,
    its last event [ms]; the session's last row where None. `stands_for` float64 [n]: how many cases of the log each row
    stands for, where not all were kept; 1 where None. `owners` int64 [n]: whose the row is, where one has several
    sessions that are one piece of evidence; None where each session is one. Raises TrainingRefused, naming the field,
    where one does not fit.
    """

    table: Table
    labels: Labels
    weights: Column
    sessions: Codes
    times: Codes
    ends: Codes | None = None
    stands_for: Column | None = None
    owners: Codes | None = None

    def __post_init__(self) -> None:
        for name in self._columns():
            if np.shape(getattr(self, name)) != (len(self.table),):
                raise TrainingRefused(
                    f"{name}: shape {np.shape(getattr(self, name))} for {len(self.table)} rows; give one value a row",
                    field=name,
                )
        labels = np.asarray(self.labels, dtype=np.float64)
        if not np.isin(labels, (0.0, 1.0)).all():
            raise TrainingRefused("labels: a label is 0 or 1, never missing; drop rows without one", field="labels")
        weights = np.asarray(self.weights, dtype=np.float64)
        if not np.isfinite(weights).all() or (weights < 0).any():
            raise TrainingRefused("weights: a weight is finite and not negative", field="weights")
        if len(weights) and not weights.sum() > 0:
            raise TrainingRefused("weights: all are zero; give at least one row a weight", field="weights")
        object.__setattr__(self, "labels", labels.astype(np.uint8))
        object.__setattr__(self, "weights", weights / weights.mean() if len(weights) else weights)
        for name in set(self._columns()) & {"sessions", "times", "ends", "owners"}:
            object.__setattr__(self, name, _whole(name, getattr(self, name)))

    def _columns(self) -> tuple[str, ...]:
        given = tuple(name for name in ("ends", "stands_for", "owners") if getattr(self, name) is not None)
        return ("labels", "weights", "sessions", "times", *given)

    def __len__(self) -> int:
        return len(self.table)

    def take(self, rows: NDArray[Any]) -> Sample:
        """The rows picked by an index array or a mask; their weights are scaled to a mean of 1 again."""
        return Sample(self.table.take(rows), **{name: getattr(self, name)[rows] for name in self._columns()})

    def with_values(self, values: Matrix) -> Sample:
        """The same cases with another matrix of the same columns, all of them numeric."""
        return replace(self, table=Table(values, self.table.names))

    def by_session(self) -> Column:
        """Weights that let each session of the log count once, however many rows it has here."""
        weights = case_weights(self.sessions, power=-1.0)
        return weights if self.stands_for is None else weights * self.stands_for

    def by_point(self) -> Column:
        """Weights that let each row of the log count once."""
        return np.ones(len(self)) if self.stands_for is None else self.stands_for

    @property
    def clusters(self) -> Codes:
        """Which rows are evidence together: those of an owner, or of a session."""
        return self.sessions if self.owners is None else self.owners

    @property
    def buying_sessions(self) -> int:
        """How many sessions hold a positive label: the honest count of what there is to learn from."""
        return len(np.unique(self.sessions[self.labels == 1]))


def _whole(name: str, values: NDArray[Any]) -> Codes:
    if np.asarray(values).dtype.kind not in "iu":
        raise TrainingRefused(f"{name}: must be whole numbers, not {np.asarray(values).dtype}", field=name)
    return np.asarray(values, dtype=np.int64)
