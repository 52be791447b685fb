"""A fitted uplift model: for each visitor the chance to buy without the treatment, and what the treatment adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning.calibration import Calibration
from purchase_intent.learning.encoding import TargetEncoder
from purchase_intent.learning.forks import calling
from purchase_intent.learning.members import Member
from purchase_intent.learning.table import Column, Matrix

__all__ = ["CONTROL", "GAIN_OF_CONTROL", "GAIN_OF_TREATED", "TREATED", "Effects", "Learner", "Part", "UpliftModel"]

CONTROL, TREATED = "control", "treated"
GAIN_OF_CONTROL, GAIN_OF_TREATED = "gain_of_control", "gain_of_treated"


class Learner(StrEnum):
    """How effects are learnt."""

    TWO_MODEL = "two_model"
    """One model for each arm; the effect is their difference (T-learner)."""
    X = "x"
    """Künzel, Sekhon, Bickel and Yu (2019): each arm's effects are imputed by the other arm's model, then learnt."""


class Effects(NamedTuple):
    """For each row, float64 [n]: the chance of the outcome without the treatment, and what the treatment adds to it."""

    chance: Column
    uplift: Column


@dataclass(frozen=True, slots=True)
class Part:
    """Members averaged in log-odds with equal weights: an arm's few outcomes could not tell weights from noise."""

    members: Mapping[str, Member]
    calibration: Calibration = field(default_factory=Calibration)

    def chance(self, encoded: Matrix, *, threads: int = 1) -> Column:
        """The probability that the part was taught, float64 [n]; the answer for a row depends on no other row."""
        margins = [member.log_odds(encoded, threads=threads) for member in self.members.values()]
        return np.asarray(expit(self.calibration(np.asarray(sum(margins)) / len(margins))))


@dataclass(frozen=True, slots=True)
class UpliftModel:
    """Takes float32 [n, d] with the columns `names`, in that order; NaN is unknown.

    `parts`: CONTROL and TREATED, and for the X-learner GAIN_OF_CONTROL and GAIN_OF_TREATED. `share` of the treated
    weighs those two. The spread of the effects around `centre` is multiplied by `spread`, 0 to 1: what of it held on
    units that were not learnt from. `figures` is JSON data about the model.
    """

    learner: Learner
    names: tuple[str, ...]
    categorical: frozenset[str]
    encoder: TargetEncoder
    parts: Mapping[str, Part]
    share: float
    centre: float = 0.0
    spread: float = 1.0
    figures: Mapping[str, Any] = field(default_factory=dict)

    def effects(self, matrix: Matrix, *, threads: int = 1) -> Effects:
        """Chance and uplift of each row; together they stay within 0 and 1. TrainingRefused for other columns."""
        values = np.ascontiguousarray(matrix, dtype=np.float32)
        if values.ndim != 2 or values.shape[1] != len(self.names):
            raise TrainingRefused(
                f"matrix: shape {values.shape}, but the model needs {len(self.names)} columns", field="matrix"
            )
        chance, raw = self._raw(values, threads)
        uplift = self.centre + self.spread * (raw - self.centre)
        return Effects(chance, np.clip(uplift, -chance, 1 - chance))

    def _raw(self, values: Matrix, threads: int) -> Effects:
        calling()
        encoded = self.encoder.transform(values)
        chance = self.parts[CONTROL].chance(encoded, threads=threads)
        if self.learner is Learner.TWO_MODEL:
            return Effects(chance, self.parts[TREATED].chance(encoded, threads=threads) - chance)
        # The more were treated, the better their model imputes what the control would have gained.
        of_control, of_treated = (
            2 * self.parts[name].chance(encoded, threads=threads) - 1 for name in (GAIN_OF_CONTROL, GAIN_OF_TREATED)
        )
        return Effects(chance, self.share * of_control + (1 - self.share) * of_treated)
