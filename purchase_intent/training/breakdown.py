"""Where a fresh model is strong and where it is weak: its figures on the calibration slice, part by part.

By the members that had not seen that slice, with the final weights and calibration: the model of the stored figures.
Parts are those of `training.report`, as far as the features tell them, and new and returning visitors; of the
week, customers by visits, orders and the time since the latest visit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from purchase_intent.learning import IntentEnsemble, Sample
from purchase_intent.learning.forward import parted
from purchase_intent.learning.metrics import figures
from purchase_intent.learning.reliability import deciles
from purchase_intent.learning.table import Column
from purchase_intent.models import Horizon, Stage

__all__ = ["BREAKDOWN", "with_breakdown"]

BREAKDOWN: Final = "breakdown"
"""The name under which it is kept among the figures."""
MOMENTS: Final = (1, 3, 5, 10, 20)
STAGES: Final = {"first_product": Stage.PRODUCT, "first_basket": Stage.CART, "first_checkout": Stage.CHECKOUT}
LEAST: Final = 5
"""Cases of either kind that a part needs; with fewer it gives its counts alone."""
DAY: Final = 86_400.0

Part = tuple[str, NDArray[np.bool_], Column]


def with_breakdown(ensemble: IntentEnsemble, sample: Sample, *, horizon: str, threads: int) -> IntentEnsemble:
    """The ensemble with `figures["breakdown"]`: `parts` by name, and `deciles` of what was said and what happened.

    `sample` is what it was fitted on. As it is where it was not fitted in this process.
    """
    if ensemble.draft is None:
        return ensemble
    later = parted(sample, int(ensemble.figures["slices"]["calibration"]["first"])).later
    chances = np.asarray(expit(ensemble.draft.log_odds(later.table, threads=threads)))
    parts = _parts_of_week(later) if horizon == Horizon.WEEK else _parts_of_session(later)
    sessions = len(np.unique(later.sessions))
    found = {
        "parts": {name: _figures(later, chances, mask, weights) for name, mask, weights in parts},
        "deciles": deciles(later.labels, chances, later.by_session(), sessions=sessions),
    }
    return replace(ensemble, figures={**ensemble.figures, BREAKDOWN: found})


def _figures(later: Sample, chances: Column, mask: NDArray[np.bool_], weights: Column) -> dict[str, float]:
    labels = later.labels[mask]
    sessions, buyers = later.sessions[mask], later.sessions[mask][labels == 1]
    counts = {"sessions": float(len(np.unique(sessions))), "buyers": float(len(np.unique(buyers)))}
    if min(counts["buyers"], counts["sessions"] - counts["buyers"]) < LEAST:
        return counts | {"rows": float(len(labels)), "positives": float(labels.sum())}
    measured = figures(labels, chances[mask], weights[mask])
    said = float(np.average(chances[mask], weights=weights[mask]))
    return {name: round(value, 6) for name, value in (counts | measured | {"said": said}).items()}


def _parts_of_session(later: Sample) -> Iterator[Part]:
    alike, by_session = later.by_point(), later.by_session()
    place = _places(later)
    for k in MOMENTS:
        yield f"k={k}", place == k, alike
    stage = _column(later, "stage")
    for name, reached in STAGES.items():
        yield name, _first_at(later, place, stage >= reached), alike
    past = _column(later, "past_sessions")
    yield "new", past == 0, by_session
    yield "returning", past > 0, by_session


def _parts_of_week(later: Sample) -> Iterator[Part]:
    weights = later.by_point()
    visits, orders = _column(later, "past_sessions"), _column(later, "past_purchases")
    away = _column(later, "since_last_session") / DAY
    yield "one_visit", visits <= 1, weights
    yield "few_visits", (visits > 1) & (visits <= 4), weights
    yield "many_visits", visits > 4, weights
    yield "never_ordered", orders == 0, weights
    yield "has_ordered", orders > 0, weights
    yield "away_a_day", away <= 1, weights
    yield "away_a_week", (away > 1) & (away <= 7), weights
    yield "away_longer", away > 7, weights


def _column(later: Sample, name: str) -> Column:
    return later.table.values[:, later.table.names.index(name)].astype(np.float64)


def _places(later: Sample) -> NDArray[np.int64]:
    """Which moment of its session each row is, from 1."""
    order = np.lexsort((later.times, later.sessions))
    sessions = later.sessions[order]
    begins = np.append(True, sessions[1:] != sessions[:-1])
    line = np.arange(len(order))
    place = np.empty(len(order), np.int64)
    place[order] = line - np.maximum.accumulate(np.where(begins, line, 0)) + 1
    return place


def _first_at(later: Sample, place: NDArray[np.int64], reached: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The first moment of each session for which `reached` holds."""
    rows = np.flatnonzero(reached)
    rows = rows[np.lexsort((place[rows], later.sessions[rows]))]
    _, first = np.unique(later.sessions[rows], return_index=True)
    found = np.zeros(len(later), bool)
    found[rows[first]] = True
    return found
