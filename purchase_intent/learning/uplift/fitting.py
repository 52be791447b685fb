"""How an uplift model is learnt: cross-fitted, so that what is said of it holds on units it has not learnt from.

Units fall into folds by chance, within arm and outcome alike. For each fold a model is learnt from the others and asked
about it; those answers rank the units, are held against what they did, and say how much of the spread of the effects
is to be believed. The model that is kept is learnt from all units with the rounds found.

**Second stage of the X-learner.** An imputed effect D lies between -1 and 1, and the members learn probabilities. So
(1 + D) / 2 is learnt as one: each unit twice, with weights that sum to 1. What minimises that log-loss is the
conditional mean of D, as in a regression.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from scipy.special import expit, logit

from purchase_intent.learning.calibration import Calibration
from purchase_intent.learning.encoding import TargetEncoder
from purchase_intent.learning.members import MEMBERS, Member, Params
from purchase_intent.learning.table import Codes, Column, Matrix, Sample, Table
from purchase_intent.learning.uplift.model import (
    CONTROL,
    GAIN_OF_CONTROL,
    GAIN_OF_TREATED,
    TREATED,
    Effects,
    Learner,
    Part,
    UpliftModel,
)
from purchase_intent.learning.uplift.trial import Trial, refuse_small

__all__ = ["FOLDS", "PARAMS", "CrossFitted", "cross_fit", "fit_uplift"]

FOLDS: Final = 3
JUDGED: Final = 5
"""One unit in so many stops the members."""
PARAMS: Final[Mapping[str, Params]] = {
    "catboost": {"depth": 3, "learning_rate": 0.05, "l2_leaf_reg": 30.0},
    "xgboost": {"max_depth": 2, "min_child_weight": 30.0, "reg_lambda": 30.0},
    "lightgbm": {"num_leaves": 4, "min_data_in_leaf": 200, "lambda_l2": 30.0},
    "forest": {"max_depth": 4, "min_child_weight": 20.0},
}
"""Smaller trees than for a score: an effect is a difference of rates, and its noise that of both."""

Progress = Callable[[str], None]


def _silent(step: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class CrossFitted:
    """A model of all units, and for each unit what a model said that had not learnt from it, believed as much."""

    model: UpliftModel
    effects: Effects


def cross_fit(
    trial: Trial,
    learner: Learner,
    *,
    seed: int,
    folds: int = FOLDS,
    members: Sequence[str] = tuple(MEMBERS),
    params: Mapping[str, Params] | None = None,
    threads: int = 1,
    progress: Progress = _silent,
) -> CrossFitted:
    """Learn from a trial; the same again for the same trial, seed and threads.

    TrainingRefused, with the shortfall, where an arm has too few units or outcomes; MissingExtra without a learner.
    """
    refuse_small(trial)
    fold = _parted(trial, folds, seed)
    chance, uplift = np.zeros(len(trial)), np.zeros(len(trial))
    for number in range(folds):
        progress(f"{learner.value}: fold {number + 1} of {folds}")
        known = trial.take(fold != number)
        model = fit_uplift(known, learner, seed=seed, members=members, params=params, threads=threads)
        here = fold == number
        chance[here], uplift[here] = model.effects(trial.table.values[here], threads=threads)
    progress(f"{learner.value}: all units")
    whole = fit_uplift(trial, learner, seed=seed, members=members, params=params, threads=threads)
    centre, spread = _believed(trial, uplift)
    shrunk = np.clip(centre + spread * (uplift - centre), -chance, 1 - chance)
    return CrossFitted(replace(whole, centre=centre, spread=spread), Effects(chance, shrunk))


def fit_uplift(
    trial: Trial,
    learner: Learner,
    *,
    seed: int,
    members: Sequence[str] = tuple(MEMBERS),
    params: Mapping[str, Params] | None = None,
    threads: int = 1,
) -> UpliftModel:
    """Learn from all units of a trial, without a word about how good it is."""
    encoder, encoded = TargetEncoder.fit(trial.as_sample())
    plain = trial.with_table(Table(encoded, trial.table.names))
    settings = {name: {**PARAMS.get(name, {}), **(params or {}).get(name, {})} for name in members}
    teach = _Teacher(settings, seed, threads)
    arms = {name: plain.take(plain.treated == arm) for arm, name in enumerate((CONTROL, TREATED))}
    parts = {name: teach.outcomes(arm) for name, arm in arms.items()}
    if learner is Learner.X:
        of_control = parts[TREATED].chance(arms[CONTROL].table.values, threads=threads) - arms[CONTROL].labels
        of_treated = arms[TREATED].labels - parts[CONTROL].chance(arms[TREATED].table.values, threads=threads)
        parts[GAIN_OF_CONTROL] = teach.gains(arms[CONTROL], of_control)
        parts[GAIN_OF_TREATED] = teach.gains(arms[TREATED], of_treated)
        del parts[TREATED]  # it has done its part
    return UpliftModel(learner, trial.table.names, trial.table.categorical, encoder, parts, trial.share)


def _parted(trial: Trial, folds: int, seed: int) -> Codes:
    """The fold of each unit: by chance, each with its share of either arm's outcomes."""
    rng = np.random.default_rng(seed)
    fold = np.zeros(len(trial), np.int64)
    for kind in range(4):
        rows = np.flatnonzero(2 * trial.treated.astype(np.int64) + trial.labels == kind)
        fold[rng.permutation(rows)] = np.arange(len(rows)) % folds
    return fold


def _believed(trial: Trial, uplift: Column) -> tuple[float, float]:
    """The average effect, and the slope of the effects on what was said of them, kept within 0 and 1.

    The best linear predictor of the effects (Chernozhukov, Demirer, Duflo and Fernández-Val 2018), on units that the
    answers were not learnt from.
    """
    effects = trial.pseudo_effects()
    centre = float(np.average(uplift))
    gap = uplift - centre
    variance = float((gap * gap).sum())
    slope = float((gap * (effects - effects.mean())).sum() / variance) if variance > 0 else 0.0
    return centre, min(1.0, max(0.0, slope))


@dataclass(frozen=True, slots=True)
class _Teacher:
    """Fits the members of a part: as many rounds as serve every fifth unit best, then once more on all."""

    settings: Mapping[str, Params]
    seed: int
    threads: int

    def outcomes(self, arm: Trial) -> Part:
        """The chance of the outcome in an arm, calibrated on the units that stopped the members."""
        sample = replace(arm.as_sample(), weights=arm.weights())
        judged = _parted(arm, JUDGED, self.seed) == 0
        drafts = self._drafts(sample.take(~judged), sample.take(judged))
        later = sample.take(judged)
        margins = _margin(drafts, later.table.values, self.threads)
        calibration = Calibration.fit(margins, later.labels, later.weights, int(later.labels.sum()))
        return Part(self._refitted(drafts, sample), calibration)

    def gains(self, arm: Trial, gains: Column) -> Part:
        """The expected gain of an arm's units, as the probability (1 + gain) / 2."""
        judged = _parted(arm, JUDGED, self.seed) == 0
        weights = arm.weights()
        parts = [_as_shares(arm.take(rows), gains[rows], weights[rows]) for rows in (~judged, judged)]
        drafts = self._drafts(*parts)
        everything = _as_shares(arm, gains, weights)
        members = self._refitted(drafts, everything)
        return Part(members, _levelled(_margin(members, arm.table.values, self.threads), gains, weights))

    def _drafts(self, train: Sample, judge: Sample) -> dict[str, Member]:
        return {
            name: MEMBERS[name].fit(train, judge, seed=self.seed, params=params, threads=self.threads)
            for name, params in self.settings.items()
        }

    def _refitted(self, drafts: Mapping[str, Member], sample: Sample) -> dict[str, Member]:
        return {name: member.refit(sample, threads=self.threads) for name, member in drafts.items()}


def _margin(members: Mapping[str, Member], values: Matrix, threads: int) -> Column:
    margins = [member.log_odds(values, threads=threads) for member in members.values()]
    return np.asarray(sum(margins)) / len(margins)


def _as_shares(arm: Trial, gains: Column, weights: Column) -> Sample:
    """Each unit twice: as a success that weighs (1 + gain) / 2, and as a failure with the rest."""
    share = np.clip((1 + gains) / 2, 0.0, 1.0)
    twice: dict[str, Any] = {
        "labels": np.repeat([1, 0], len(arm)),
        "weights": np.concatenate([share * weights, (1 - share) * weights]),
        "sessions": np.tile(np.arange(len(arm)), 2),
        "times": np.tile(arm.times, 2),
    }
    return Sample(arm.table.take(np.tile(np.arange(len(arm)), 2)), **twice)


def _levelled(margins: Column, gains: Column, weights: Column) -> Calibration:
    """A shift by which the mean gain is the arm's own: shrunken trees begin at no gain, or stop short of it."""
    wanted = float(np.average((1 + gains) / 2, weights=weights))
    shift = 0.0
    for _ in range(20):
        chance = expit(margins + shift)
        found = float(np.average(chance, weights=weights))
        shift += float(logit(wanted) - logit(found))
    return Calibration(1.0, shift)
