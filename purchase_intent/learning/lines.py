"""Lines: small models of how often and how likely, learnt from a table by penalised likelihood and kept as numbers.

A logistic line answers with a probability, a Poisson line with an expected count (a generalised linear model with
logarithmic link, McCullagh and Nelder 1989; overdispersion widens its error and moves no expectation). A visitor's past
is counts and times: counts go through log(1 + x), a time through exp(-days / 3), exp(-days / 30) and exp(-days / 365),
all 0 where what it counts from has never happened. So "never" is far from "just now", and as many orders are fewer in
two years than in two months.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning.table import Column, Matrix

__all__ = ["HISTORY", "Kind", "Line", "history_columns"]

Kind = Literal["chance", "count"]

HISTORY: Final = ("past_", "since_", "signed_in")
"""Columns that tell a visitor's past begin with one of these."""
PENALTY: Final = 5.0
"""Ridge penalty on the coefficient of a standardised column, against the log-likelihood of the weighted cases."""
CLIP: Final = 5.0
DECAYS: Final = (3.0, 30.0, 365.0)
"""Days after which 1/e of a moment's weight is left."""
DAY: Final = 86_400.0


def history_columns(matrix: Matrix, names: Sequence[str]) -> Column:
    """What a line sees of float32 [n, d] with columns `names`: float64 [n, c], all finite."""
    parts = []
    for place, name in enumerate(names):
        if not name.startswith(HISTORY):
            continue
        column = np.nan_to_num(matrix[:, place].astype(np.float64))
        if name.startswith("since_"):
            parts += [np.where(column >= 0, np.exp(-np.maximum(column, 0) / (DAY * decay)), 0.0) for decay in DECAYS]
        else:
            parts.append(np.log1p(np.maximum(column, 0)))
    if not parts:
        raise TrainingRefused(f"names: no column begins with {', '.join(HISTORY)}", field="names")
    return np.column_stack(parts)


@dataclass(frozen=True, slots=True)
class Line:
    """A generalised linear model; `coefficients`, `means` and `scales` float64 [c].

    `highest` bounds the margin by the largest of the fit: an exponential goes astray beyond what it has seen.
    """

    kind: Kind
    coefficients: Column
    intercept: float
    means: Column
    scales: Column
    highest: float

    @classmethod
    def fit(cls, kind: Kind, columns: Column, outcome: Column, weights: Column) -> Line:
        """Learn from float64 [n, c]; `outcome` is 0 or 1 for a chance, a number from 0 on for a count."""
        mass = weights / weights.mean()
        means = np.average(columns, axis=0, weights=mass)
        variance = np.average((columns - means) ** 2, axis=0, weights=mass)
        # A constant column has no scale; 1 leaves it at zero after centring.
        scales = np.where(variance > 1e-12, np.sqrt(variance), 1.0)
        standard = np.clip((columns - means) / scales, -CLIP, CLIP)
        base = float(np.clip(np.average(outcome, weights=mass), 1e-9, 1 - 1e-9 if kind == "chance" else None))
        start = np.zeros(columns.shape[1] + 1)
        start[-1] = np.log(base / (1 - base)) if kind == "chance" else np.log(base)
        found = minimize(
            _loss, start, args=(kind, standard, outcome, mass), jac=True, method="L-BFGS-B", options={"maxiter": 500}
        ).x
        margin = standard @ found[:-1] + found[-1]
        return cls(kind, found[:-1], float(found[-1]), means, scales, float(margin.max(initial=start[-1])))

    def margin(self, columns: Column) -> Column:
        """The linear predictor of each row: log-odds of a chance, logarithm of a count; float64 [n]."""
        standard = np.clip((columns - self.means) / self.scales, -CLIP, CLIP)
        # Added row by row: a matrix product may round differently with another number of rows.
        return np.asarray(np.minimum((standard * self.coefficients).sum(axis=1) + self.intercept, self.highest))

    def predict(self, columns: Column) -> Column:
        """The probability, or the expected count, of each row, float64 [n]."""
        margin = self.margin(columns)
        return np.asarray(expit(margin) if self.kind == "chance" else np.exp(margin))

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON; floats survive it exactly."""
        return {
            "kind": self.kind,
            "coefficients": self.coefficients.tolist(),
            "intercept": self.intercept,
            "means": self.means.tolist(),
            "scales": self.scales.tolist(),
            "highest": self.highest,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Line:
        """The line that `to_json` described; ValueError where it is none."""
        if data["kind"] not in get_args(Kind):
            raise ValueError(f"kind: {data['kind']!r} is none of {get_args(Kind)}")
        columns = [np.array(data[name], dtype=np.float64) for name in ("coefficients", "means", "scales")]
        return cls(data["kind"], columns[0], float(data["intercept"]), columns[1], columns[2], float(data["highest"]))


def _loss(theta: Column, kind: Kind, standard: Column, outcome: Column, mass: Column) -> tuple[float, Column]:
    """Penalised negative log-likelihood a case, and its gradient; the intercept is free."""
    margin = np.clip(standard @ theta[:-1] + theta[-1], -50.0, 50.0)
    if kind == "chance":
        expected, surprise = expit(margin), np.logaddexp(0.0, margin) - outcome * margin
    else:
        expected = np.exp(margin)
        surprise = expected - outcome * margin
    pull = mass * (expected - outcome)
    gradient = np.append(standard.T @ pull + PENALTY * theta[:-1], pull.sum())
    value = float((mass * surprise).sum() + PENALTY / 2 * (theta[:-1] ** 2).sum())
    return value / len(outcome), gradient / len(outcome)
