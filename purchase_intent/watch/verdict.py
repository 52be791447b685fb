"""A report's figures in sentences, the most pressing first, and the one word they come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import exp
from typing import Any

from purchase_intent.learning.drift import Band
from purchase_intent.learning.profile import SCORE
from purchase_intent.models import Health
from purchase_intent.watch.triggers import calibration_is_off, drifted_names, ranking_has_fallen

__all__ = ["health_of", "sentences"]

Figures = Mapping[str, Any]
POOR: float = 80.0
"""Per cent of the checks passed, below which the events need action."""


def health_of(figures: Figures, reason: str) -> Health:
    """One word: action where a training is due, scores do not hold or events are broken."""
    score = figures["quality"].get("score")
    if reason or calibration_is_off(figures) or ranking_has_fallen(figures) or (score is not None and score < POOR):
        return Health.ACT
    if figures.get("fault") or figures["drift"].get("reason") or figures["performance"].get("live", {}).get("reason"):
        return Health.EARLY if not drifted_names(figures) else Health.WATCH
    if drifted_names(figures) or (score is not None and score < 100) or _moved(figures):
        return Health.WATCH
    return Health.WELL


def sentences(figures: Figures, reason: str) -> list[str]:
    """What a report says, for people who want to know what to do."""
    return [
        *([f"A training was asked for. {reason}"] if reason else []),
        *([figures["fault"]] if figures.get("fault") else []),
        *_on_scores(figures),
        *_on_drift(figures["drift"]),
        *_on_quality(figures["quality"]),
    ]


def _on_scores(figures: Figures) -> Iterator[str]:
    live: Figures = figures["performance"].get("live", {})
    if live.get("reason"):
        yield f"How scores have come true cannot be said yet. {live['reason']}"
    elif live:
        said = "Scores are off" if calibration_is_off(figures) else "Scores hold"
        yield f"{said}: for each 100 buyers that they promised {live['ratio'] * 100:.0f} came in the last 28 days."
        then = figures["performance"].get("promised", {}).get("auc")
        compared = "" if then is None else f"; in training it was {then:.3f}"
        fallen = "Buyers are told apart worse than in training" if ranking_has_fallen(figures) else "Ranking"
        yield f"{fallen}: AUC {live['auc']:.3f}{compared}."
    correction: Figures = figures["recalibration"]
    if correction.get("applied"):
        times = exp(correction["intercept"])
        yield f"Scores were corrected from recent outcomes: {times:.2f} times the odds from now on."


def _on_drift(drift: Figures) -> Iterator[str]:
    if not drift:
        return
    if drift["reason"]:
        yield f"Drift cannot be said yet. {drift['reason']}"
        return
    score, *rest = drift["columns"]
    words = {Band.STABLE: "is where it was", Band.WATCH: "has moved a little", Band.DRIFTED: "has drifted"}
    if score["name"] == SCORE:
        yield f"The distribution of the score {words[Band(score['band'])]}."
    heavy = [row["meaning"] for row in rest if row["band"] == Band.DRIFTED.value and row["top"]]
    if heavy:
        yield f"Features that weigh much have drifted: {'; '.join(heavy[:3])}."
    drifted, watched = drift[Band.DRIFTED.value], drift[Band.WATCH.value]
    yield f"Of {len(rest)} features {drifted} have drifted, {watched} are to be watched, {drift['stable']} are stable."


def _on_quality(quality: Figures) -> Iterator[str]:
    if not quality:
        return
    if quality["score"] is None:
        yield "No check of the events could be made: there were none, or too little to compare them with."
        return
    failed = [check["said"] for check in quality["checks"] if check["passed"] is False]
    yield f"Events passed {quality['score']:.0f}% of the checks." + (f" {failed[0]}" if failed else "")


def _moved(figures: Figures) -> bool:
    columns = figures["drift"].get("columns", ())
    return any(row["band"] != Band.STABLE.value for row in columns if row["name"] == SCORE or row["top"])
