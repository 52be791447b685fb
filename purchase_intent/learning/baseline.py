"""The bar to clear: a logistic regression on tamed features, stored as numbers.

Counts and prices have long tails, so each column goes through sign(x) log(1 + |x|), is standardised, and clipped at
five standard deviations; unknown values take the mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from purchase_intent.learning.members.base import learner
from purchase_intent.learning.splits import session_spans
from purchase_intent.learning.table import Column, Matrix, Sample

__all__ = ["LogisticBaseline"]

CLIP = 5.0
PENALTY = 1.0
"""Inverse strength of the ridge penalty (scikit-learn's C), on standardised columns."""

CHUNK = 65_536

MAX_ROWS = 200_000
"""Whole sessions are picked evenly over time down to about this many rows: a line has few coefficients to learn."""


@dataclass(frozen=True, slots=True)
class LogisticBaseline:
    """Logistic regression; `coefficients`, `means` and `scales` are float64 [d]."""

    coefficients: Column
    intercept: float
    means: Column
    scales: Column

    @classmethod
    def fit(cls, sample: Sample) -> LogisticBaseline:
        """Learn from a sample, by scikit-learn; MissingExtra where it is not installed."""
        linear = learner("sklearn.linear_model", extra="train", package="scikit-learn")
        sample = _thinned(sample)
        tamed = _tame(sample.table.values)
        known = ~np.isnan(tamed)
        mass = np.maximum(sample.weights @ known, 1e-12)
        filled = np.where(known, tamed, 0.0)
        means = (sample.weights @ filled) / mass
        variance = (sample.weights @ np.where(known, (filled - means) ** 2, 0.0)) / mass
        # A constant column has no scale; 1 leaves it at zero after centring.
        scales = np.where(variance > 1e-12, np.sqrt(variance), 1.0)
        model = linear.LogisticRegression(C=PENALTY, solver="newton-cholesky", max_iter=200)
        model.fit(_standard(tamed, means, scales), sample.labels, sample_weight=sample.weights)
        return cls(model.coef_[0].astype(np.float64), float(model.intercept_[0]), means, scales)

    def log_odds(self, matrix: Matrix) -> Column:
        """The margin of each row of float32 [n, d], float64 [n]."""
        margins = np.empty(len(matrix))
        for start in range(0, len(matrix), CHUNK):
            part = _standard(_tame(matrix[start : start + CHUNK]), self.means, self.scales)
            margins[start : start + CHUNK] = (part * self.coefficients).sum(axis=1) + self.intercept
        return margins

    def predict(self, matrix: Matrix) -> Column:
        """The probability of each row, float64 [n]."""
        return np.asarray(expit(self.log_odds(matrix)))

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON; floats survive it exactly."""
        return {
            "coefficients": self.coefficients.tolist(),
            "intercept": self.intercept,
            "means": self.means.tolist(),
            "scales": self.scales.tolist(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LogisticBaseline:
        """The baseline that `to_json` described."""
        return cls(
            np.array(data["coefficients"], dtype=np.float64),
            float(data["intercept"]),
            np.array(data["means"], dtype=np.float64),
            np.array(data["scales"], dtype=np.float64),
        )


def _thinned(sample: Sample) -> Sample:
    every = -(-len(sample) // MAX_ROWS)
    if every == 1:
        return sample
    session, first, _ = session_spans(sample)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return sample.take(np.flatnonzero(rank[session] % every == 0))


def _tame(matrix: Matrix) -> Column:
    values = matrix.astype(np.float64)
    return np.asarray(np.copysign(np.log1p(np.abs(values)), values))


def _standard(tamed: Column, means: Column, scales: Column) -> Column:
    return np.clip(np.nan_to_num((tamed - means) / scales, nan=0.0), -CLIP, CLIP)
