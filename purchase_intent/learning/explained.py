"""What a model goes by: cases of the latest slice with each column's part in their score, kept with the model.

Global importance, summary and dependence are all read off these cases (Lundberg and others 2020), so that every figure
about the model is the sum of reasons that were given for a case.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from purchase_intent.exceptions import BundleRefused
from purchase_intent.learning.table import Column, Matrix, Sample

if TYPE_CHECKING:
    from purchase_intent.learning.ensemble import IntentEnsemble

__all__ = ["CASES", "Explained", "Importance"]

CASES: Final = 400
"""Cases kept: the importance of a column that matters is known to a few per cent, and a picture is full."""


@dataclass(frozen=True, slots=True)
class Importance:
    """How much a column moves scores: the mean size of its part in log-odds, and its share of all columns' sum."""

    name: str
    effect: float
    share: float


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """Cases with the reasons behind their scores: `values` (as the fold gave them) and `effects`, float32 [n, d].

    `effects` are log-odds; a row's sum and `base` are its score, to float32's rounding. Columns are the model's.
    """

    values: Matrix
    effects: Matrix
    base: float

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape != self.effects.shape:
            raise BundleRefused(
                f"explained cases: values {self.values.shape} and effects {self.effects.shape} differ: train again"
            )

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def of(
        cls, ensemble: IntentEnsemble, later: Sample, *, seed: int, cases: int = CASES, threads: int = 1
    ) -> Explained:
        """Explain at most `cases` cases of a sample of raw columns, each session of the log as likely as another."""
        weights = later.by_session()
        rng = np.random.default_rng(seed)
        count = min(cases, len(later))
        rows = np.sort(rng.choice(len(later), size=count, replace=False, p=weights / weights.sum()))
        values = np.ascontiguousarray(later.table.values[rows])
        effects, base = ensemble.contributions(values, threads=threads)
        return cls(values, effects.astype(np.float32), float(base))

    def scores(self) -> Column:
        """The log-odds of the cases, float64 [n]."""
        return np.asarray(self.effects.sum(axis=1, dtype=np.float64) + self.base)

    def importance(self, names: tuple[str, ...]) -> list[Importance]:
        """Every column, the weightiest first; `names` are the columns in their order."""
        mean = np.abs(self.effects).mean(axis=0, dtype=np.float64)
        total = float(mean.sum()) or 1.0
        order = sorted(range(len(names)), key=lambda place: (-mean[place], names[place]))
        return [Importance(names[place], float(mean[place]), float(mean[place]) / total) for place in order]

    def to_bytes(self) -> bytes:
        """NumPy's own file format, without pickle: float32 [2, n, d], and the base in a last row."""
        buffer = io.BytesIO()
        block = np.stack([self.values, self.effects]).astype("<f4")
        np.lib.format.write_array(buffer, np.array([self.base], dtype="<f8"), allow_pickle=False)
        np.lib.format.write_array(buffer, block, allow_pickle=False)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Explained:
        """The cases that `to_bytes` wrote. Raises BundleRefused for anything else."""
        buffer = io.BytesIO(data)
        try:
            base = np.lib.format.read_array(buffer, allow_pickle=False)
            block = np.lib.format.read_array(buffer, allow_pickle=False)
            values, effects = block
            return cls(np.ascontiguousarray(values), np.ascontiguousarray(effects), float(base[0]))
        except (ValueError, IndexError, TypeError, EOFError) as wrong:
            raise BundleRefused("the explained cases cannot be read: restore the bundle or train again") from wrong
