"""What is said of an uplift model: how it ranks, the groups, the profit, and whether it may serve."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from purchase_intent.learning.members import MEMBERS, Params
from purchase_intent.learning.uplift.curves import Ranking, qini_curve, ranking
from purchase_intent.learning.uplift.fitting import CrossFitted, cross_fit
from purchase_intent.learning.uplift.groups import Cuts, measured_groups
from purchase_intent.learning.uplift.model import Learner, UpliftModel
from purchase_intent.learning.uplift.profit import Money, profit_curve
from purchase_intent.learning.uplift.trial import Trial

__all__ = ["Judged", "learn_uplift"]

POINTS = 51
"""Points of a curve that are kept."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The better of both learners, and whether its ranking is better than chance. The model holds the figures."""

    model: UpliftModel
    rankings: Mapping[Learner, Ranking]

    @property
    def ranking(self) -> Ranking:
        """Of the model."""
        return self.rankings[self.model.learner]


def learn_uplift(
    trial: Trial,
    *,
    seed: int,
    money: Money | None = None,
    learners: Sequence[Learner] = tuple(Learner),
    members: Sequence[str] = tuple(MEMBERS),
    params: Mapping[str, Params] | None = None,
    threads: int = 1,
    progress: Callable[[str], None] | None = None,
) -> Judged:
    """Learn by each learner, and keep the one with the higher Qini on units that were not learnt from.

    Of two, the better one's figure flatters it, by less than the interval is wide. TrainingRefused, with the shortfall,
    where an arm has too few outcomes.
    """
    fitted = {
        learner: cross_fit(
            trial,
            learner,
            seed=seed,
            members=members,
            params=params,
            threads=threads,
            progress=progress or _silent,
        )
        for learner in learners
    }
    rankings = {learner: ranking(found.effects.uplift, trial, seed=seed) for learner, found in fitted.items()}
    best = max(rankings, key=lambda learner: rankings[learner].qini.value)
    figures = _figures(fitted[best], trial, rankings, money, seed)
    return Judged(replace(fitted[best].model, figures=figures), rankings)


def _silent(step: str) -> None:
    """Tell nobody."""


def _figures(
    found: CrossFitted, trial: Trial, rankings: Mapping[Learner, Ranking], money: Money | None, seed: int
) -> dict[str, Any]:
    cuts = Cuts.of(found.effects)
    curve = qini_curve(found.effects.uplift, trial)
    kept = [round(step * (len(curve.taken) - 1) / (POINTS - 1)) for step in range(POINTS)]
    told: dict[str, Any] = {
        "units": {"control": int((trial.treated == 0).sum()), "treated": int(trial.treated.sum())},
        "outcomes": {
            "control": int(trial.labels[trial.treated == 0].sum()),
            "treated": int(trial.labels[trial.treated == 1].sum()),
        },
        "rankings": {learner.value: asdict(each) for learner, each in rankings.items()},
        "cuts": asdict(cuts),
        "groups": [group.as_json() for group in measured_groups(found.effects, trial, cuts)],
        "spread": found.model.spread,
        "curve": [[float(curve.taken[at] / curve.taken[-1]), float(curve.gained[at])] for at in kept],
    }
    if money is not None:
        profit = profit_curve(found.effects, trial, money, seed=seed)
        told["money"] = asdict(money)
        told["profit"] = {
            "points": [asdict(point) for point in profit.points],
            "chosen": asdict(profit.chosen),
        }
    return told
