"""The ensemble: members averaged in log-odds, calibrated, and additive down to the columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from scipy.special import expit

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning.baseline import LogisticBaseline
from purchase_intent.learning.calibration import Calibration
from purchase_intent.learning.encoding import TargetEncoder
from purchase_intent.learning.explained import Explained
from purchase_intent.learning.forks import calling
from purchase_intent.learning.members import MEMBERS, Member, Params
from purchase_intent.learning.members.base import settle
from purchase_intent.learning.members.rows import Row
from purchase_intent.learning.one_row import Quick
from purchase_intent.learning.splits import Slicing
from purchase_intent.learning.table import Column, Matrix, Sample, Table
from purchase_intent.learning.thresholds import Thresholds
from purchase_intent.learning.tuning import Tuning

__all__ = ["IntentEnsemble", "Progress"]

Progress = Callable[[str], None]
SLICING: Final = Slicing()
"""70% to fit, 15% to stop and weigh, 15% to calibrate."""


@dataclass(frozen=True, slots=True)
class IntentEnsemble:
    """A fitted model: `fit` learns one, `load` of the bundle module reads one.

    Takes float32 [n, d] with the columns `names`, in that order, or a Table of them; NaN is unknown. All answers
    are float64, and the answer for a row does not depend on the rows beside it. `threads` is handed to the learners:
    leave it at 1 in a process that may fork.

    `weights` by member, not negative, sum to 1. `figures` holds what was measured on the calibration slice, by members
    fitted on the fit slice alone: `slices` (windows and counts), `rounds`, and `models`: for each member, `baseline`
    and `ensemble` the figures of `metrics.figures`, by `session` (each weighed once) and by `point`; `profile` is
    what live traffic is compared with (`learning.profile`); after tuning, `tuning` tells what was tried and chosen.
    `explained` holds cases of that slice with their reasons.
    `draft` is, right after `fit`, the model of the fit slice from which those figures come; a bundle does not hold it.
    `beside` is JSON data of small models that are kept in the same bundle.
    """

    names: tuple[str, ...]
    categorical: frozenset[str]
    encoder: TargetEncoder
    members: Mapping[str, Member]
    weights: Mapping[str, float]
    calibration: Calibration
    thresholds: Thresholds
    baseline: LogisticBaseline
    figures: Mapping[str, Any] = field(default_factory=dict)
    explained: Explained | None = None
    draft: IntentEnsemble | None = field(default=None, repr=False, compare=False)
    beside: Mapping[str, Any] = field(default_factory=dict)
    _quick: list[Quick | None] = field(default_factory=list, init=False, repr=False, compare=False)

    @classmethod
    def fit(
        cls,
        sample: Sample,
        *,
        seed: int = 0,
        tuning: Tuning | None = None,
        members: Sequence[str] = tuple(MEMBERS),
        params: Mapping[str, Params] | None = None,
        slicing: Slicing = SLICING,
        threads: int = 1,
        progress: Progress | None = None,
    ) -> IntentEnsemble:
        """Learn from a sample; the same again for the same sample, seed and threads.

        Members are fitted on the earliest slice, stopped and weighed on the next, calibrated on the last, then fitted
        anew on everything with the rounds found. `params` overrides a member's defaults, by member; `tuning` searches
        for better ones, by default not at all; `progress` is told each step as it begins. Raises TrainingRefused,
        naming the field, where the sample or a parameter does not allow a model, and MissingExtra where a learner or
        Optuna is not installed.
        """
        from purchase_intent.learning.fitting import fit_ensemble  # it builds this class

        return fit_ensemble(
            sample,
            seed=seed,
            tuning=tuning or Tuning(),
            members=tuple(members),
            params=params,
            slicing=slicing,
            threads=threads,
            progress=progress or _silent,
        )

    def log_odds(self, matrix: Matrix | Table, *, threads: int = 1) -> Column:
        """The calibrated log-odds of a purchase, float64 [n]."""
        encoded = self.encoder.transform(self._values(matrix))
        return self._mixed(self._margins(encoded, threads))

    def predict(self, matrix: Matrix | Table, *, threads: int = 1) -> Column:
        """The calibrated probability of a purchase, float64 [n], increasing with `log_odds`."""
        return np.asarray(expit(self.log_odds(matrix, threads=threads)))

    def predict_one(self, row: Row) -> float:
        """The calibrated probability of a purchase for one row of d values: that of `predict`, sooner."""
        calling()
        if not self._quick:
            # At the first call, and not when a model is loaded: members ask their learners, which may start threads.
            found = Quick.of(self.encoder, self.members, self._shares(), self.calibration, len(self.names))
            self._quick.append(found)
        quick = self._quick[0]
        return float(self.predict(row.reshape(1, -1))[0]) if quick is None else quick(row)

    def member_log_odds(self, matrix: Matrix | Table, *, threads: int = 1) -> dict[str, Column]:
        """Each member's own log-odds, float64 [n], before weights and calibration."""
        encoded = self.encoder.transform(self._values(matrix))
        calling()
        return {name: member.log_odds(encoded, threads=threads) for name, member in self.members.items()}

    def mix(self, margins: Mapping[str, Column]) -> Column:
        """The ensemble's log-odds out of `member_log_odds`, for callers that want both for one price."""
        return self._mixed(margins)

    def baseline_log_odds(self, matrix: Matrix | Table) -> Column:
        """The log-odds of the logistic baseline, float64 [n]."""
        return self.baseline.log_odds(self.encoder.transform(self._values(matrix)))

    def contributions(self, matrix: Matrix | Table, *, threads: int = 1) -> tuple[Column, float]:
        """What each column adds to the log-odds: float64 [n, d], and the base.

        The weighted sum of the members' TreeSHAP values (Lundberg and others 2020), times the calibration's slope; the
        base holds the expectation and the intercept. Each row plus the base equals `log_odds` to 1e-5 (in practice
        1e-12: what float32 sums leave over is put on the row's largest term). Costs milliseconds a row.
        """
        values = self._values(matrix)
        encoded = self.encoder.transform(values)
        calling()
        total, base = np.zeros(values.shape), self.calibration.intercept
        for name, share in self._shares():
            parts, expectation = self.members[name].contributions(encoded, threads=threads)
            total += self.calibration.slope * share * parts
            base += self.calibration.slope * share * expectation
        return settle(total, base, self._mixed(self._margins(encoded, threads))), base

    def _shares(self) -> list[tuple[str, float]]:
        return [(name, share) for name, share in self.weights.items() if share > 0]

    def _margins(self, encoded: Matrix, threads: int) -> dict[str, Column]:
        calling()
        return {name: self.members[name].log_odds(encoded, threads=threads) for name, _ in self._shares()}

    def _mixed(self, margins: Mapping[str, Column]) -> Column:
        # Added member by member: a matrix product may round differently with another number of rows.
        return self.calibration(np.asarray(sum(share * margins[name] for name, share in self._shares())))

    def _values(self, matrix: Matrix | Table) -> Matrix:
        if isinstance(matrix, Table):
            if matrix.names != self.names:
                raise TrainingRefused(
                    "names: the table has other columns than the model, or in another order",
                    field="names",
                    expected=self.names,
                    found=matrix.names,
                )
            return matrix.values
        values = np.ascontiguousarray(matrix, dtype=np.float32)
        if values.ndim != 2 or values.shape[1] != len(self.names):
            raise TrainingRefused(
                f"matrix: shape {values.shape}, but the model needs {len(self.names)} columns", field="matrix"
            )
        return values


def _silent(step: str) -> None:
    """Tell nobody."""
