"""Trials of known effects."""

from __future__ import annotations

import numpy as np

from purchase_intent.learning import Table
from purchase_intent.learning.uplift import Trial

__all__ = ["KINDS", "QUICK", "planted"]

KINDS = ("persuadable", "sure", "lost", "put_off")
CONTROL = np.array([0.05, 0.5, 0.05, 0.4])
TREATED = np.array([0.35, 0.5, 0.05, 0.1])
QUICK = {"lightgbm": {"learning_rate": 0.1, "num_leaves": 8, "min_data_in_leaf": 50, "lambda_l2": 1.0}}


def planted(units: int, seed: int, *, share: float = 0.5) -> tuple[Trial, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """A trial in which the first column tells four kinds apart, and the kind of each unit."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 4, units)
    treated = rng.random(units) < share
    labels = rng.random(units) < np.where(treated, TREATED[kind], CONTROL[kind])
    values = np.column_stack([kind + rng.normal(0, 0.05, units), rng.normal(size=units)])
    table = Table(values.astype(np.float32), ("kind", "noise"))
    return Trial(table, treated.astype(np.uint8), labels.astype(np.uint8), np.arange(units)), kind
