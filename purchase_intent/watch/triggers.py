"""When the watch asks for a training: drift that lasts, or scores that no longer hold and cannot be corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from purchase_intent.learning.drift import Band
from purchase_intent.learning.profile import SCORE
from purchase_intent.models import TrainingRun, WatchReport, Why
from purchase_intent.models.training_run import RunState

__all__ = ["DAYS", "PAUSE", "calibration_is_off", "drifted_names", "ranking_has_fallen", "reason_to_train"]

DAYS: Final = 3
"""Days in a row for which something has to be wrong: a sale or a campaign of a day is no reason to learn anew."""
PAUSE: Final = timedelta(days=7)
"""After a training began the watch asks for no other one so long: a second on the same days would learn the same."""
WIDE: Final = (0.8, 1.25)
"""Buyers for each one that was promised: within these the calibration is good enough."""
FALLEN: Final = 0.05
"""Live AUC below that of training by so much, its interval as well."""


def drifted_names(figures: Mapping[str, Any]) -> list[str]:
    """The score, and those of the ten heaviest features, that have drifted; by the figures of one report."""
    columns: Sequence[Mapping[str, Any]] = figures.get("drift", {}).get("columns", ())
    return [
        str(row["name"])
        for row in columns
        if row["band"] == Band.DRIFTED.value and (row["name"] == SCORE or row["top"])
    ]


def calibration_is_off(figures: Mapping[str, Any]) -> bool:
    """Whether buyers and promised buyers differ by more than a quarter, beyond chance, corrected as they are now."""
    now = figures.get("recalibration", {})
    ratio, interval = now.get("ratio_now"), now.get("ratio_now_interval")
    if ratio is None or not interval:
        return False
    return not WIDE[0] <= ratio <= WIDE[1] and not interval[0] <= 1 <= interval[1]


def ranking_has_fallen(figures: Mapping[str, Any]) -> bool:
    """Whether the live AUC, to the upper end of its interval, is .05 or more below that of training."""
    performance = figures.get("performance", {})
    interval, then = performance.get("live", {}).get("auc_interval"), performance.get("promised", {}).get("auc")
    return bool(interval and then is not None and interval[1] < then - FALLEN)


def reason_to_train(report: WatchReport, *, now: datetime) -> str:
    """Why a training is due after this report, in words; "" where none is.

    The fault has to be in the reports of `DAYS` days in a row, of the same champion, and no training within a week.
    """
    reports = list(
        WatchReport.objects.of(report.horizon).filter(
            model=report.model, day__gt=report.day - timedelta(days=DAYS), day__lt=report.day
        )
    )
    if report.model_id is None or len(reports) < DAYS - 1:
        return ""
    lasting = [report.figures, *(each.figures for each in reports)]
    reason = _reason(lasting)
    if not reason or _trained_lately(report.horizon, now):
        return ""
    return reason


def _reason(lasting: Sequence[Mapping[str, Any]]) -> str:
    names = set.intersection(*(set(drifted_names(figures)) for figures in lasting))
    if names:
        columns = {row["name"]: row["meaning"] for row in lasting[0]["drift"]["columns"]}
        said = "; ".join(columns[name] for name in sorted(names, key=lambda name: (name != SCORE, name))[:3])
        return f"Drifted for {len(lasting)} days: {said}."
    if all(map(calibration_is_off, lasting)):
        return f"Scores have been out of line with outcomes for {len(lasting)} days, and no correction has mended it."
    if all(map(ranking_has_fallen, lasting)):
        return f"Scores have told buyers apart worse than in training for {len(lasting)} days."
    return ""


def _trained_lately(horizon: str, now: datetime) -> bool:
    runs = TrainingRun.objects.of(horizon)
    ended = runs.filter(asked_at__gt=now - PAUSE).exclude(state__in=(RunState.BUSY, RunState.LOST))
    return ended.exists() or runs.under_way().filter(why=Why.DRIFT).exists()
