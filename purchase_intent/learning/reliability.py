"""Whether probabilities hold: slope and intercept with intervals, and the calibration error chance alone would show.

Cox's recalibration (Cox 1958; Van Calster and others 2016): log-odds of the outcome = intercept + slope * log-odds of
the score. A slope below 1 says that scores are too extreme; the intercept, taken at a slope of 1, that they are too low
on average (above 0) or too high. Moments of one session share their outcome, so the intervals are cluster-robust
(Liang and Zeger 1986).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from purchase_intent.learning.intervals import wilson
from purchase_intent.learning.metrics import expected_calibration_error
from purchase_intent.learning.table import Codes, Column, Labels

__all__ = ["DECILES", "TOLERANCE", "Reliability", "deciles", "reliability"]

TOLERANCE: Final = 1.25
"""Slope and odds may be wrong by this factor before anybody would act differently."""
DRAWS: Final = 200
DECILES: Final = 10
_WIDTH: Final = 1.959964
"""Standard errors on each side of a 95% interval."""
_STEPS: Final = 50
_TINY: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Reliability:
    """Slope and intercept with 95% intervals; the calibration error, and the most that chance explains (0 to 1)."""

    slope: float
    slope_low: float
    slope_high: float
    intercept: float
    intercept_low: float
    intercept_high: float
    ece: float
    ece_by_chance: float
    base_rate: float

    @property
    def faults(self) -> list[tuple[str, str]]:
        """What is wrong beyond chance and beyond the tolerance: a code and a sentence each."""
        found = []
        if self.slope_high < 1 / TOLERANCE or self.slope_low > TOLERANCE:
            how, ends = "extreme" if self.slope < 1 else "timid", f"[{self.slope_low:.2f}, {self.slope_high:.2f}]"
            said = f"Its scores are too {how}: the calibration slope is {self.slope:.2f} {ends} where 1 is right."
            found.append((f"too_{how}", said))
        if self.intercept_low > np.log(TOLERANCE) or self.intercept_high < -np.log(TOLERANCE):
            way, ends = (
                "low" if self.intercept > 0 else "high",
                f"[{self.intercept_low:+.2f}, {self.intercept_high:+.2f}]",
            )
            said = f"the calibration intercept is {self.intercept:+.2f} {ends} where 0 is right"
            found.append((f"too_{way}", f"Its scores are too {way} on average: {said}."))
        if self.ece > max(self.ece_by_chance, (TOLERANCE - 1) * self.base_rate):
            said = f"Its calibration error is {self.ece:.4f}; chance alone explains {self.ece_by_chance:.4f}."
            found.append(("calibration_error", said))
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {name: float(getattr(self, name)) for name in self.__slots__}


def reliability(
    labels: Labels, probabilities: Column, weights: Column, clusters: Codes, *, seed: int, draws: int = DRAWS
) -> Reliability:
    """How well probabilities (0 to 1) hold on cases they were not calibrated on; columns have one entry a case.

    What chance explains is the 95% quantile of the error over outcomes drawn from the probabilities themselves, one
    draw a cluster, as if the moments of a session had nothing but its outcome: more than chance would do, so that
    nobody is accused wrongly.
    """
    truth = np.asarray(labels, dtype=np.float64)
    mass = np.asarray(weights, dtype=np.float64)
    chances = np.clip(probabilities, _TINY, 1 - _TINY)
    odds = logit(chances)
    _, owner = np.unique(clusters, return_inverse=True)
    (intercept,), (spread,) = _cox(np.ones((len(odds), 1)), odds, truth, mass, owner)
    (_, slope), (_, slope_spread) = _cox(np.column_stack([np.ones(len(odds)), odds]), 0 * odds, truth, mass, owner)
    rng, count = np.random.default_rng(seed), int(owner.max()) + 1
    errors = [expected_calibration_error(rng.random(count)[owner] < chances, chances, mass) for _ in range(draws)]
    return Reliability(
        slope=slope,
        slope_low=slope - _WIDTH * slope_spread,
        slope_high=slope + _WIDTH * slope_spread,
        intercept=intercept,
        intercept_low=intercept - _WIDTH * spread,
        intercept_high=intercept + _WIDTH * spread,
        ece=expected_calibration_error(truth, chances, mass),
        ece_by_chance=float(np.quantile(errors, 0.95)),
        base_rate=float(np.average(truth, weights=mass)),
    )


def _cox(
    design: Column, offset: Column, truth: Column, mass: Column, owner: NDArray[np.intp]
) -> tuple[list[float], list[float]]:
    """Weighted logistic regression by Newton's steps: coefficients and their cluster-robust standard errors."""
    at = np.zeros(design.shape[1])
    if design.shape[1] == 2:
        at[1] = 1.0
    for _ in range(_STEPS):
        chance = expit(design @ at + offset)
        stiffness = (design * (mass * chance * (1 - chance))[:, None]).T @ design
        pull = design.T @ (mass * (truth - chance))
        step = np.linalg.solve(stiffness + _TINY * np.eye(len(at)), pull)
        # Log-odds of a session differ by a few units: a longer step is a slip of the first ones.
        step *= min(1.0, 1.0 / max(np.abs(step).max(), _TINY))
        at = at + step
        if np.abs(step).max() < _TINY:
            break
    chance = expit(design @ at + offset)
    bread = np.linalg.inv((design * (mass * chance * (1 - chance))[:, None]).T @ design + _TINY * np.eye(len(at)))
    pulls = design * (mass * (truth - chance))[:, None]
    by_cluster = np.column_stack([np.bincount(owner, pulls[:, column]) for column in range(len(at))])
    spread = np.sqrt(np.diag(bread @ (by_cluster.T @ by_cluster) @ bread))
    return at.tolist(), spread.tolist()


def deciles(labels: Labels, chances: Column, weights: Column, *, sessions: int) -> list[dict[str, float]]:
    """What was said against what happened in ten bins of equal weight, with Wilson's interval of each.

    Sessions are the cases: the rows of one tell no more than it does.
    """
    order = np.argsort(chances, kind="stable")
    mass = np.cumsum(weights[order])
    cuts = np.searchsorted(mass, mass[-1] * np.arange(1, DECILES) / DECILES)
    rows = []
    for part in np.split(order, cuts):
        if len(part):
            total = float(weights[part].sum())
            said, bought = (float(np.average(column[part], weights=weights[part])) for column in (chances, labels))
            cases = total / float(mass[-1]) * sessions
            low, high = wilson(bought * cases, cases)
            rows.append({"said": said, "bought": bought, "low": low, "high": high, "sessions": cases})
    return [{name: round(value, 5) for name, value in row.items()} for row in rows]
