"""Experiments as the database holds them, read back as what was decided."""

from __future__ import annotations

from purchase_intent.experiments.definition import ArmSpec, Definition, GroupRange, MetricSpec
from purchase_intent.experiments.design import Design
from purchase_intent.models import Experiment
from purchase_intent.stats.bucketing import Allocation

__all__ = ["allocation_of", "definition_of"]


def definition_of(experiment: Experiment) -> Definition:
    """What was decided on. ExperimentRefused where what is stored makes no experiment any more."""
    group = experiment.group
    return Definition(
        key=experiment.key,
        title=experiment.title,
        hypothesis=experiment.hypothesis,
        arms=tuple(ArmSpec(arm.key, arm.weight, arm.title) for arm in experiment.arms.all()),
        metrics=tuple(
            MetricSpec(
                kind=each.kind, role=each.role, event=each.event, margin=each.margin, window_days=each.window_days
            )
            for each in experiment.metrics.all()
        ),
        traffic=experiment.traffic,
        segment=experiment.segment.key if experiment.segment is not None else "",
        group=None
        if group is None or experiment.group_start is None or experiment.group_end is None
        else GroupRange(group.key, experiment.group_start, experiment.group_end),
        holdout=experiment.holdout.key if experiment.holdout is not None else "",
        design=Design.from_json(experiment.design),
    )


def allocation_of(experiment: Experiment) -> Allocation:
    """How it shares out its visitors."""
    share = experiment.holdout.share if experiment.holdout is not None else None
    return definition_of(experiment).allocation(holdout_share=share)
