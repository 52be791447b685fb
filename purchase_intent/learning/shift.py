"""A served model brought back into line with recent outcomes, without training: a map of its log-odds.

Where the share of buyers has changed while those who buy still look as they did, the log-odds are off by one number for
all (Saerens, Latinne and Decaestecker 2002). Outcomes of sessions are known within the day, so the number is
fitted on them instead of guessed from scores alone. A slope beside it is taken only where it earns its place.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from scipy.special import expit

from purchase_intent.learning.calibration import Calibration
from purchase_intent.learning.ensemble import IntentEnsemble
from purchase_intent.learning.table import Column, Labels
from purchase_intent.learning.thresholds import Thresholds
from purchase_intent.learning.weights import evidence

__all__ = ["SHIFT_SPREAD", "fit_shift", "shifted"]

SHIFT_SPREAD: Final = 0.5
"""Standard deviation of the prior on the intercept around 0, in log-odds: halving or doubling is nothing unusual."""
_STEPS: Final = 100


def fit_shift(log_odds: Column, labels: Labels, weights: Column, buying_sessions: int) -> Calibration:
    """The intercept alone: weighted logistic likelihood as the evidence of `buying_sessions`, shrunk towards 0.

    Raises TrainingRefused where no positive case has a weight.
    """
    mass = evidence(labels, weights, buying_sessions)
    at = 0.0
    for _ in range(_STEPS):
        chance = expit(log_odds + at)
        pull = float((mass * (chance - labels)).sum()) + at / SHIFT_SPREAD**2
        step = pull / (float((mass * chance * (1 - chance)).sum()) + 1 / SHIFT_SPREAD**2)
        at -= float(np.clip(step, -1.0, 1.0))
        if abs(step) < 1e-10:
            break
    return Calibration(1.0, at)


def shifted(ensemble: IntentEnsemble, shift: Calibration) -> IntentEnsemble:
    """The ensemble with a map on top of its own: reasons go on adding up, bands and thresholds keep their sizes."""
    own = ensemble.calibration
    return replace(
        ensemble,
        calibration=Calibration(shift.slope * own.slope, shift.slope * own.intercept + shift.intercept),
        thresholds=_moved(ensemble.thresholds, shift),
    )


def _moved(thresholds: Thresholds, shift: Calibration) -> Thresholds:
    def moved(probability: float) -> float:
        inside = min(max(probability, 1e-12), 1 - 1e-12)
        return float(expit(shift.slope * np.log(inside / (1 - inside)) + shift.intercept))

    return Thresholds(
        moved(thresholds.session), moved(thresholds.point), {name: moved(at) for name, at in thresholds.bands.items()}
    )
