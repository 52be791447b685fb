"""How the champion's scores have come true, beside what training promised.

What says how well buyers are told apart weighs each session once, as training's figures do. What holds scores against
outcomes weighs moments as training did when it calibrated them. With each session weighed once a visit that ends at its
first page counts as much as a long one at all of its pages, and no score can know beforehand which it is: so the best
of models would seem to promise too much.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning import Calibration, auc, average_precision, case_weights, expected_calibration_error
from purchase_intent.learning.intervals import resampled, session_draws, wilson
from purchase_intent.learning.offers import Range
from purchase_intent.learning.reliability import DECILES, deciles
from purchase_intent.models import ModelVersion
from purchase_intent.watch.scores import Judged

__all__ = [
    "LEAST_BUYERS",
    "figures_by_day",
    "live_figures",
    "offer_figures",
    "promised",
    "ratio_now",
    "too_few",
]

LEAST_BUYERS: Final = 20
"""Buying sessions, and others, that a figure needs: with fewer an AUC is known to a tenth at best."""
FREE_SLOPE: Final = 10.0
"""The slope of live scores is read off as it is, hardly shrunk towards 1."""

Interval = tuple[float, float] | None


def live_figures(scores: Judged, *, seed: int) -> dict[str, Any]:
    """JSON of one version's judged scores: counts, then `reason` where there are too few, else the figures.

    With each session weighed once: `auc`, `average_precision`, `ece`, `base_rate`. Weighed as in training: `slope`,
    `ratio` (of buyers to what was promised), `reliability` by decile. With 95% intervals from whole sessions drawn
    again (`…_interval`); and `bands`.
    """
    found: dict[str, Any] = {
        "scores": len(scores),
        "sessions": scores.session_count,
        "buyers": scores.buying_sessions,
        "reason": too_few(scores),
    }
    if found["reason"]:
        return found
    once, weights = case_weights(scores.sessions, power=-1.0), case_weights(scores.sessions)
    labels, chances = scores.labels, expit(scores.said)
    draws = session_draws(scores.sessions, seed=seed)

    def slope(mass: NDArray[np.float64]) -> float:
        return _slope(scores, mass)

    measures: dict[str, Callable[[NDArray[np.float64]], float]] = {
        "auc": lambda mass: auc(labels, chances, mass),
        "average_precision": lambda mass: average_precision(labels, chances, mass),
        "ece": lambda mass: expected_calibration_error(labels, chances, mass, bins=DECILES),
    }
    for name, measure in measures.items():
        found[name] = round(measure(once), 5)
        found[f"{name}_interval"] = _rounded(resampled(measure, once, draws))
    found |= _ratio(scores, chances, draws, name="ratio")
    found["slope"] = round(slope(weights), 4)
    found["slope_interval"] = _rounded(resampled(slope, weights, draws[:40]))
    found["base_rate"] = round(float(np.average(labels, weights=once)), 5)
    found["reliability"] = deciles(labels, chances, weights, sessions=found["sessions"])
    found["bands"] = _bands(scores)
    return found


def ratio_now(scores: Judged, present: Calibration, *, seed: int) -> dict[str, Any]:
    """Buyers for each one that the scores would have promised with the correction in force now; empty for too few."""
    if too_few(scores):
        return {}
    return _ratio(scores, expit(present(scores.raw)), session_draws(scores.sessions, seed=seed), name="ratio_now")


def offer_figures(scores: Judged, present: Calibration, offer: Range) -> dict[str, Any]:
    """JSON: of the sessions that came into the range of the shop's offer, as scores are corrected now, how many bought.

    A session counts once, by the first moment at which it did. `expected` is how many the scores of those moments
    promised; `low` to `high` is Wilson's interval of `precision`, which is None without a session.
    """
    chances = expit(present(scores.raw))
    inside = (chances >= offer.low) & (chances <= offer.high)
    _, first = np.unique(scores.sessions[inside], return_index=True)
    sessions, hits = len(first), int(scores.labels[inside][first].sum())
    low, high = wilson(hits, sessions)
    return {
        "from": round(offer.low, 6) if offer.low <= offer.high else None,
        "to": round(offer.high, 6) if offer.low <= offer.high else None,
        "sessions": sessions,
        "share": round(sessions / max(scores.session_count, 1), 5),
        "bought": hits,
        "expected": round(float(chances[inside][first].sum()), 2),
        "precision": round(hits / sessions, 5) if sessions else None,
        "low": round(low, 5),
        "high": round(high, 5),
    }


def too_few(scores: Judged) -> str:
    """Why no figure can be given; "" where one can."""
    buyers, others = scores.buying_sessions, scores.session_count - scores.buying_sessions
    if buyers < LEAST_BUYERS:
        return f"Too few buyers yet: {buyers:,} of the {LEAST_BUYERS} buying {scores.of} that a figure needs."
    if others < LEAST_BUYERS:
        return f"Too few {scores.of} that did not buy yet: {others:,} of {LEAST_BUYERS}."
    return ""


def figures_by_day(scores: Judged, zone: ZoneInfo) -> list[dict[str, Any]]:
    """JSON by local day and version: sessions, buyers, mean score, share that bought; AUC where there are enough."""
    days = np.array([_day(moment, zone).toordinal() for moment in scores.moments.tolist()], np.int64)
    rows = []
    for day in np.unique(days).tolist():
        for model in np.unique(scores.models[days == day]).tolist():
            part = scores.take((days == day) & (scores.models == model))
            once, weights = case_weights(part.sessions, power=-1.0), case_weights(part.sessions)
            row = {
                "day": date.fromordinal(day).isoformat(),
                "model": model,
                "sessions": part.session_count,
                "buyers": part.buying_sessions,
                "said": round(float(np.average(expit(part.said), weights=weights)), 5),
                "bought": round(float(np.average(part.labels, weights=weights)), 5),
            }
            enough = not too_few(part)
            rows.append(row | ({"auc": round(auc(part.labels, part.said, once), 4)} if enough else {}))
    return rows


def promised(version: ModelVersion, profile: Mapping[str, Any]) -> dict[str, Any]:
    """The same figures of the training's later slice, as far as they were stored."""
    models: Any = version.figures.get("models", {}) if isinstance(version.figures, Mapping) else {}
    judged = models.get("ensemble", {}).get("session", {})
    names = ("auc", "average_precision", "ece", "base_rate", "rows", "positives")
    return {name: judged[name] for name in names if name in judged} | {"bands": profile.get("bands", {})}


def _ratio(
    scores: Judged, chances: NDArray[np.float64], draws: Sequence[NDArray[np.float64]], *, name: str
) -> dict[str, Any]:
    """Buyers for each one that `chances` promised, and its interval."""

    def ratio(mass: NDArray[np.float64]) -> float:
        return float((mass * scores.labels).sum() / (mass * chances).sum())

    weights = case_weights(scores.sessions)
    return {name: round(ratio(weights), 5), f"{name}_interval": _rounded(resampled(ratio, weights, draws))}


def _slope(scores: Judged, mass: NDArray[np.float64]) -> float:
    """The slope of outcomes on the log-odds that were said: 1 where scores are neither too bold nor too timid."""
    try:
        return Calibration.fit(
            scores.said, scores.labels, mass, max(scores.buying_sessions, 1), spread=FREE_SLOPE
        ).slope
    except TrainingRefused:
        return float("nan")


def _bands(scores: Judged) -> dict[str, dict[str, Any]]:
    """For each band, the narrower within the wider: how many sessions reached it, and how many of them bought."""
    names: Sequence[str] = ("top_1", "top_5", "top_20")
    total = scores.session_count
    found = {}
    for place, name in enumerate(names):
        reached = np.isin(scores.bands, names[: place + 1])
        # A session counts once, by the first moment at which it reached the band.
        _, first = np.unique(scores.sessions[reached], return_index=True)
        sessions, hits = len(first), int(scores.labels[reached][first].sum())
        low, high = wilson(hits, sessions)
        found[name] = {
            "sessions": sessions,
            "share": round(sessions / total, 5),
            "bought": hits,
            "precision": round(hits / sessions, 5) if sessions else None,
            "low": round(low, 5),
            "high": round(high, 5),
        }
    return found


def _rounded(interval: Interval) -> list[float] | None:
    return None if interval is None else [round(end, 5) for end in interval]


def _day(moment: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(moment / 1000, tz=zone).date()
