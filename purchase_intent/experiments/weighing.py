"""How likely each arm was, and when: fixed for an experiment, moved once a day for a bandit.

A bandit's weights are those of its arms' rows; each move is a change on record, with the weights before and after it.
Between two moves the weights stand, so that the visitors first exposed there are a batch with known chances.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import numpy as np
from django.db import router, transaction
from numpy.typing import NDArray

from purchase_intent.experiments.active import look_again
from purchase_intent.experiments.design import Design
from purchase_intent.models import Experiment, ExperimentChange, ExperimentState
from purchase_intent.stats.bandit import bandit_weights
from purchase_intent.stats.evidence import Evidence
from purchase_intent.stats.plan import Plan

__all__ = ["WEIGHED", "Weights", "chances", "in_force", "move_weights", "weights_over_time"]

WEIGHED: Final = "weighed"
"""What a move of the weights is called among an experiment's changes."""

Weights = Mapping[str, float]


def move_weights(experiment: Experiment, plan: Plan, evidence: Evidence, *, who: str, now: datetime) -> Weights | None:
    """Move the weights of a running bandit by Thompson sampling; the new ones, None where nothing was to be moved.

    From the complete outcomes of the primary metric alone, with the floor that was decided on for every arm. Until
    there are enough of them the weights stand. Who was shown an arm keeps it.
    """
    floor = Design.from_json(experiment.design).bandit
    if floor is None or experiment.state != ExperimentState.RUNNING:
        return None
    sums = evidence.summaries[plan.primary.name]
    arms = {arm.key: arm for arm in experiment.arms.all()}
    before = {key: arm.weight for key, arm in arms.items()}
    after = bandit_weights(
        sums,
        plan.primary.kind,
        floor=floor,
        least=plan.least,
        higher_is_better=plan.primary.higher_is_better,
        until_then=before,
    )
    if after == before:
        return None
    with transaction.atomic(using=router.db_for_write(Experiment)):
        for key, arm in arms.items():
            arm.weight = after[key]
            arm.save(update_fields=("weight",))
        facts = {"before": before, "after": after, "units": {key: sums[key].n for key in arms}}
        ExperimentChange.objects.create(experiment=experiment, at=now, who=who, what=WEIGHED, facts=facts)
        transaction.on_commit(look_again, using=router.db_for_write(Experiment))
    return after


def weights_over_time(experiment: Experiment) -> list[tuple[datetime, Weights]]:
    """From when on which weights stood, the earliest first; one entry where they were never moved."""
    moves = list(experiment.changes.filter(what=WEIGHED).order_by("at", "pk").values_list("at", "facts"))
    start = experiment.started_at or experiment.created_at
    if not moves:
        return [(start, {arm.key: arm.weight for arm in experiment.arms.all()})]
    return [(start, moves[0][1]["before"]), *((at, facts["after"]) for at, facts in moves)]


def in_force(times: Sequence[tuple[datetime, Weights]], moment: datetime) -> Weights:
    """The weights that stood at a moment."""
    return next((weights for since, weights in reversed(times) if since <= moment), times[0][1])


def chances(experiment: Experiment, arm: str, moments: Sequence[datetime]) -> NDArray[np.float64] | None:
    """How likely an arm was at each moment; None where that never changed."""
    times = weights_over_time(experiment)
    if len(times) == 1:
        return None
    since = np.array([moment.timestamp() for moment, _ in times])
    at = np.searchsorted(since, [moment.timestamp() for moment in moments], side="right") - 1
    return np.array([weights[arm] for _, weights in times])[np.maximum(at, 0)]
