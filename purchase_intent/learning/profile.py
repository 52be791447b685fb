"""What a model learnt from, kept small beside it: references of columns and score, how bands held, a curve.

Columns are those of the latest four weeks of the sample, so that each weekday is in them as often as in a week of live
traffic; scores are of the calibration slice, by members that had not seen it. Some columns never stand still, as the
shop's own conversion of late: how far each moved in training, from four weeks to the week after, is kept as usual.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from scipy.special import expit

from purchase_intent.learning.drift import Reference, drift
from purchase_intent.learning.offers import OperatingCurve
from purchase_intent.learning.table import Column, Sample
from purchase_intent.learning.thresholds import Thresholds

__all__ = ["CURVE", "SCORE", "profile", "references"]

SCORE = "score"
"""The name under which the reference of the log-odds is kept beside those of the columns."""
CURVE = "curve"
"""The name under which the operating curve is kept."""

DAY: Final = 86_400_000
LOOK_BACK: Final = 28 * DAY
WEEK: Final = 7 * DAY
WEEKS: Final = 4
"""Weeks of training, each held against the four before it."""
LEAST_SESSIONS: Final = 200
MOST_SESSIONS: Final = 4_000
"""Of one span; of more, every so many-th."""


def profile(sample: Sample, later: Sample, log_odds: Column, thresholds: Thresholds) -> dict[str, Any]:
    """JSON: `columns` (reference by name, raw values), `score` (of the log-odds), `bands` (share, precision, cases).

    `curve` is the operating curve of `learning.offers`. `sample` is everything learnt from and `later` its calibration
    slice, both before encoding; `log_odds` and `thresholds` are of the latter. Each session weighs once.
    """
    by_session = later.by_session()
    end = int(sample.times.max()) + 1
    columns = _references(_span(sample, end - LOOK_BACK, end))
    usual = dict.fromkeys(columns, 0.0)
    for week, before in _weeks(sample, end):
        earlier, sessions = _references(before), len(np.unique(week.sessions))
        weights = week.by_session()
        for place, name in enumerate(week.table.names):
            moved = drift(earlier[name], week.table.values[:, place], weights, sessions=sessions)
            usual[name] = max(usual[name], moved.index)
    score = Reference.of(log_odds, by_session, sessions=len(np.unique(later.sessions)))
    return {
        "columns": {name: each.to_json() | {"usual": round(usual[name], 4)} for name, each in columns.items()},
        SCORE: score.to_json(),
        "bands": _bands(later, expit(log_odds), by_session, thresholds),
        CURVE: OperatingCurve.of(later.labels, expit(log_odds), by_session).to_json(),
    }


def references(data: Mapping[str, Any]) -> dict[str, Reference]:
    """The references of a profile by name of the column, that of the log-odds under SCORE; empty without a profile."""
    found = {name: Reference.from_json(each) for name, each in data.get("columns", {}).items()}
    return found | ({SCORE: Reference.from_json(data[SCORE])} if SCORE in data else {})


def _references(part: Sample) -> dict[str, Reference]:
    weights, sessions = part.by_session(), len(np.unique(part.sessions))
    return {
        name: Reference.of(
            part.table.values[:, place], weights, sessions=sessions, categorical=name in part.table.categorical
        )
        for place, name in enumerate(part.table.names)
    }


def _weeks(sample: Sample, end: int) -> Iterator[tuple[Sample, Sample]]:
    """The latest weeks of a sample, each with the four before it, of which there has to be one at least."""
    first = int(sample.times.min())
    for back in range(WEEKS):
        begin = end - (back + 1) * WEEK
        if begin - WEEK < first:
            return
        week, before = _span(sample, begin, begin + WEEK), _span(sample, begin - LOOK_BACK, begin)
        if min(len(np.unique(part.sessions)) for part in (week, before)) >= LEAST_SESSIONS:
            yield week, before


def _span(sample: Sample, begin: int, end: int) -> Sample:
    rows = np.flatnonzero((sample.times >= begin) & (sample.times < end))
    sessions = np.unique(sample.sessions[rows])
    every = -(-len(sessions) // MOST_SESSIONS)
    if every > 1:
        rows = rows[np.isin(sample.sessions[rows], sessions[::every])]
    return sample.take(rows)


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
