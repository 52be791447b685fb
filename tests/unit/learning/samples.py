"""Small samples with a known truth, for the tests of learning."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

from purchase_intent.learning import Sample, Table, case_weights

DAY = 86_400_000
NAMES = ("pages", "cart", "price", "channel", "constant", "unknown")

QUICK: dict[str, dict[str, Any]] = {
    "catboost": {"learning_rate": 0.2, "depth": 4, "early_stopping": 5},
    "xgboost": {"learning_rate": 0.2, "max_depth": 4, "early_stopping": 5},
    "lightgbm": {"learning_rate": 0.2, "num_leaves": 8, "early_stopping": 5},
    "forest": {"num_parallel_tree": 5, "max_depth": 5},
}
"""Parameters that fit in a blink; every ensemble and member of the tests is made with them."""


def shop(sessions: int = 1000, *, moments: int = 4, seed: int = 3) -> Sample:
    """`sessions` of `moments` rows over 30 days: intent grows with pages, cart and channel; some values unknown."""
    rng = np.random.default_rng(seed)
    rows = sessions * moments
    values = rng.normal(size=(rows, len(NAMES))).astype(np.float32)
    values[:, 3] = np.repeat(rng.integers(0, 8, sessions), moments)
    values[:, 4] = 1.0
    values[:, 5] = np.nan
    intent = 1.5 * values[:, 0] + values[:, 1] + 0.5 * (values[:, 3] == 2) - 3.0
    buys = rng.random(rows) < expit(intent)
    values[:, :3][rng.random((rows, 3)) < 0.05] = np.nan
    owner = np.repeat(np.arange(sessions), moments)
    start = np.sort(rng.integers(0, 30 * DAY, sessions))
    times = np.repeat(start, moments) + np.tile(np.arange(moments) * 60_000, sessions)
    return Sample(
        Table(values, NAMES, frozenset({"channel"})), buys.astype(np.uint8), case_weights(owner), owner, times
    )


def numeric(sample: Sample) -> Sample:
    """The sample without categorical columns, as a member takes it."""
    return sample.with_values(sample.table.values)
