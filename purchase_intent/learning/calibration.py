"""From a mixed score to a probability that holds on later data: an affine map in log-odds.

Platt's two-parameter map (Platt 1999), fitted on a slice later than anything the members saw. It keeps the order of
scores and their additivity, so reasons stay exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning.table import Column, Labels
from purchase_intent.learning.weights import evidence, nats

__all__ = ["SLOPE_SPREAD", "Calibration"]

SLOPE_SPREAD = 0.15
"""Standard deviation of the prior on the slope around 1."""

SMALLEST_STEP = 1e-9


@dataclass(frozen=True, slots=True)
class Calibration:
    """The map z -> slope * z + intercept, in log-odds; the slope is positive, so the order of scores is kept."""

    slope: float = 1.0
    intercept: float = 0.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.slope) and np.isfinite(self.intercept) and self.slope > 0):
            raise TrainingRefused(
                f"calibration: slope {self.slope:.3g} would turn the ranking round; the later slice "
                "contradicts the model: look for a change in the log",
                field="calibration",
                slope=self.slope,
            )

    def __call__(self, log_odds: Column) -> Column:
        return self.slope * log_odds + self.intercept

    @classmethod
    def fit(
        cls,
        log_odds: Column,
        labels: Labels,
        weights: Column,
        buying_sessions: int,
        *,
        spread: float = SLOPE_SPREAD,
    ) -> Calibration:
        """Weighted logistic likelihood, as the evidence of `buying_sessions`, slope shrunk towards 1.

        Raises TrainingRefused where the slope comes out zero or negative.
        """
        mass = evidence(labels, weights, buying_sessions)
        theta = np.array([1.0, 0.0])

        def loss(at: Column) -> float:
            penalty = (at[0] - 1) ** 2 / (2 * spread**2)
            return float((mass * nats(at[0] * log_odds + at[1], labels)).sum() + penalty)

        size = 1.0
        while size > SMALLEST_STEP:
            step, here = _newton_step(theta, log_odds, labels, mass, spread), loss(theta)
            size = 1.0
            # The loss is convex: some part of the step lowers it, or this is the minimum as far as rounding tells.
            while size > SMALLEST_STEP and not loss(theta - size * step) < here:
                size /= 2
            if size > SMALLEST_STEP:
                theta = theta - size * step
        return cls(float(theta[0]), float(theta[1]))


def _newton_step(theta: Column, log_odds: Column, labels: Labels, mass: Column, spread: float) -> Column:
    chance = expit(theta[0] * log_odds + theta[1])
    pull, stiffness = mass * (chance - labels), mass * chance * (1 - chance)
    gradient = np.array([pull @ log_odds + (theta[0] - 1) / spread**2, pull.sum()])
    cross = stiffness @ log_odds
    hessian = np.array([[stiffness @ log_odds**2 + 1 / spread**2, cross], [cross, stiffness.sum() + 1e-12]])
    return np.asarray(np.linalg.solve(hessian, gradient))
