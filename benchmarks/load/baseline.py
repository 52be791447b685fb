"""The vote that the FastAPI service answers with, and what it is asked."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

from benchmarks.bench_row import cases, vote
from benchmarks.load.client import request

__all__ = ["asked", "fitted"]

CASES = 20_000
"""Cases that it learns from: what it answers does not matter here, only how large it is."""


def fitted(ensemble: Any, path: Path, *, log: Path, zone: str) -> list[dict[str, float]]:
    """Fit a vote over learners of the members' sizes, leave it at `path`; a hundred visits as their features."""
    sample = cases(log, zone)
    buying = np.flatnonzero(np.isin(sample.sessions, sample.sessions[sample.labels == 1]))[: CASES // 2]
    some = np.union1d(buying, np.arange(min(len(sample), CASES)))
    frame = pd.DataFrame(ensemble.encoder.transform(sample.table.values[some]), columns=list(ensemble.names))
    joblib.dump(vote(ensemble, frame, sample.labels[some]), path)
    shown = np.nan_to_num(frame.iloc[:100].to_numpy(dtype=float))  # JSON has no word for what is not known
    return [dict(zip(map(str, ensemble.names), map(float, row), strict=True)) for row in shown]


def asked(visits: list[dict[str, float]]) -> Iterator[bytes]:
    """Requests for one of them at a time."""
    made = [request("/predict", body=json.dumps({"features": visit}).encode()) for visit in visits]
    chance = random.Random(5)
    while True:
        yield chance.choice(made)
