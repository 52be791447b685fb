"""What a model was judged on, kept small beside it: references of columns and score, how bands held, a curve.

Taken from the calibration slice, the latest of the sample, since live traffic is like it on the first day; scores are
those of the members that had not seen it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import expit

from purchase_intent.learning.drift import Reference
from purchase_intent.learning.offers import OperatingCurve
from purchase_intent.learning.table import Column, Sample, case_weights
from purchase_intent.learning.thresholds import Thresholds

__all__ = ["CURVE", "SCORE", "profile", "references"]

SCORE = "score"
"""The name under which the reference of the log-odds is kept beside those of the columns."""

CURVE = "curve"
"""The name under which the operating curve is kept."""


def profile(later: Sample, log_odds: Column, thresholds: Thresholds) -> dict[str, Any]:
    """JSON: `columns` (reference by name, raw values), `score` (of the log-odds), `bands` (share, precision, cases).

    `curve` is the operating curve of `learning.offers`. `later` holds the columns before encoding. Each session
    weighs once.
    """
    by_session = case_weights(later.sessions, power=-1.0)
    sessions = len(np.unique(later.sessions))
    table = later.table
    columns = {
        name: Reference.of(
            table.values[:, place], by_session, sessions=sessions, categorical=name in table.categorical
        ).to_json()
        for place, name in enumerate(table.names)
    }
    return {
        "columns": columns,
        SCORE: Reference.of(log_odds, by_session, sessions=sessions).to_json(),
        "bands": _bands(later, expit(log_odds), by_session, thresholds),
        CURVE: OperatingCurve.of(later.labels, expit(log_odds), by_session).to_json(),
    }


def references(data: Mapping[str, Any]) -> dict[str, Reference]:
    """The references of a profile by name of the column, that of the log-odds under SCORE; empty without a profile."""
    found = {name: Reference.from_json(each) for name, each in data.get("columns", {}).items()}
    return found | ({SCORE: Reference.from_json(data[SCORE])} if SCORE in data else {})


def _bands(
    later: Sample, probabilities: Column, weights: Column, thresholds: Thresholds
) -> dict[str, dict[str, float]]:
    found = {}
    for name, cutoff in thresholds.bands.items():
        reached = probabilities >= cutoff
        mass = float(weights[reached].sum())
        found[name] = {
            "share": mass / float(weights.sum()),
            "precision": float((weights * later.labels)[reached].sum()) / mass if mass > 0 else 0.0,
            "cases": float(reached.sum()),
        }
    return found
