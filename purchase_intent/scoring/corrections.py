"""Corrections of log-odds as they were in force: what a version said at a moment, and what it would have said without.

A correction is fitted on outcomes that were known when it began, so a score with the correction of its own moment holds
nothing of what came later. Processes follow within five seconds: scores of those are taken for ones after it.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray
from scipy.special import logit

from purchase_intent.learning import Calibration
from purchase_intent.models import ModelVersion, Recalibration

__all__ = ["as_served", "given_again", "in_force_of", "without_corrections"]

SAME: Final = 1e-4
"""Log-odds: a score that differs by less is the same one."""

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]


def in_force_of(version: ModelVersion) -> Calibration:
    """The map that is applied to a version's log-odds now; one that changes nothing where there is none."""
    found = Recalibration.objects.in_force().filter(model=version).first()
    return Calibration(found.slope, found.intercept) if found is not None else Calibration()


def as_served(version: ModelVersion, log_odds: Numbers, moments: Whole) -> Numbers:
    """The log-odds with the correction that was in force at each moment (milliseconds since 1970 UTC)."""
    said = log_odds.copy()
    for each in Recalibration.objects.filter(model=version):
        there = _in_force(each, moments)
        said[there] = each.slope * log_odds[there] + each.intercept
    return said


def without_corrections(said: Numbers, models: Whole, moments: Whole) -> Numbers:
    """The log-odds that were said, by the versions with these keys, without the corrections that were in force."""
    raw = said.copy()
    every: QuerySet[Recalibration] = Recalibration.objects.filter(model__in=np.unique(models).tolist())
    for each in every:
        there = (models == each.model_id) & _in_force(each, moments)
        raw[there] = (said[there] - each.intercept) / each.slope
    return raw


def given_again(version: ModelVersion, again: Numbers, said: Numbers, models: Whole, moments: Whole) -> dict[str, Any]:
    """JSON: of the probabilities `said` by the versions with these keys, how those of `version` come out `again`.

    `scores` it gave itself, of which `same` differ by less than 1e-4 in log-odds; the largest and the median
    difference. Corrections that were in force at the moments (milliseconds) are taken into account.
    """
    own = models == version.pk
    if not own.any():
        return {"scores": 0}
    gap = np.abs(as_served(version, _log_odds(again[own]), moments[own]) - _log_odds(said[own]))
    return {
        "scores": int(own.sum()),
        "same": int((gap <= SAME).sum()),
        "largest_difference": round(float(gap.max()), 6),
        "median_difference": round(float(np.median(gap)), 6),
    }


def _log_odds(chances: Numbers) -> Numbers:
    return np.asarray(logit(np.clip(chances, 1e-12, 1 - 1e-12)))


def _in_force(correction: Recalibration, moments: Whole) -> NDArray[np.bool_]:
    begin = int(correction.begun_at.timestamp() * 1000)
    end = int(correction.ended_at.timestamp() * 1000) if correction.ended_at else np.iinfo(np.int64).max
    return np.asarray((moments >= begin) & (moments < end))
