"""What was decided of an experiment, and what was done to it, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from purchase_intent.admin.experiments.bandits import moved_words
from purchase_intent.admin.experiments.fields import share_words
from purchase_intent.admin.experiments.plan import frozen_words
from purchase_intent.admin.experiments.words import metric_words
from purchase_intent.admin.saying import clock, timed
from purchase_intent.experiments.design import Design
from purchase_intent.experiments.ranges import spelled
from purchase_intent.experiments.weighing import WEIGHED
from purchase_intent.insights.figures import Table
from purchase_intent.models import Experiment, ExperimentArm, ExperimentChange, ExperimentState

__all__ = ["changes_of", "decided_of"]

MOST_CHANGES: Final = 100
_WHAT: Final = {
    "made": "made as a draft",
    "changed": "changed",
    "started": "started",
    "ramped": "traffic raised",
    "stopped": "stopped",
    WEIGHED: "weights moved",
}


def decided_of(experiment: Experiment, arms: Sequence[ExperimentArm]) -> dict[str, Any]:
    """Arms and metrics as tables, everything else as facts."""
    metrics = tuple(
        (
            metric_words(each.kind, each.event),
            str(each.get_role_display()),
            f"{each.window_days} days",
            share_words(each.margin) if each.margin is not None else "-",
        )
        for each in experiment.metrics.all()
    )
    bandit = Design.from_json(experiment.design).bandit
    rows = tuple(
        (
            each.key,
            each.title or "-",
            share_words(each.weight),
            "the control" if each.key == experiment.control else "tried",
        )
        for each in arms
    )
    return {
        "arms": Table("Arms", ("key", "what visitors see", "weight now" if bandit else "weight", "part"), rows),
        "metrics": Table("Metrics", ("what is counted", "role", "counted for", "tolerated loss"), metrics),
        "facts": _facts(experiment),
    }


def _facts(experiment: Experiment) -> list[tuple[str, str]]:
    design = Design.from_json(experiment.design)
    group = experiment.group
    range_of = (
        f"{group.title or group.key}, {spelled(experiment.group_start or 0.0, experiment.group_end or 1.0)}"
        if group is not None
        else "none"
    )
    bandit = f"moves the weights, {share_words(design.bandit)} at least for each arm" if design.bandit else ""
    acts = [word for word, on in (("ships the winner", design.ships), ("rolls back", design.rolls_back)) if on]
    learns = "learns every week who is moved by it" if design.uplift else ""
    holdout = experiment.holdout
    return [
        ("Key", experiment.key),
        ("Traffic", share_words(experiment.traffic)),
        ("Whom it is for", _target(experiment)),
        ("Exclusion group", range_of),
        ("Holdout", f"{holdout.key}, {share_words(holdout.share)}" if holdout is not None else "none"),
        ("By itself", ", ".join(filter(None, (" and ".join(acts) or bandit, learns))) or "nothing: somebody decides"),
        *frozen_words(experiment),
        ("Made", clock(experiment.created_at)),
        ("Started", clock(experiment.started_at) if experiment.started_at is not None else "not yet"),
        ("Stopped", clock(experiment.stopped_at) if experiment.stopped_at is not None else "no"),
    ]


def _target(experiment: Experiment) -> str:
    """The segment it is for, and what became of that since it began."""
    segment, begun = experiment.segment, experiment.started_at
    if segment is None:
        return "everybody"
    if experiment.state == ExperimentState.RUNNING and not segment.is_active:
        return f"{segment.title}, which is switched off: nobody new is taken in"
    end = experiment.stopped_at or datetime.max.replace(tzinfo=UTC)
    if begun is not None and segment.versions.filter(made_at__gt=begun, made_at__lte=end).exists():
        return f"{segment.title}, whose conditions were changed while it ran"
    return segment.title


def changes_of(experiment: Experiment, now: datetime) -> list[tuple[str, str, str, str]]:
    """When, what, who and with which facts, the latest first."""
    rows = ExperimentChange.objects.filter(experiment=experiment)[:MOST_CHANGES]
    return [(timed(each.at, now), _WHAT.get(each.what, each.what), each.who, _told(each.facts)) for each in rows]


def _told(facts: Any) -> str:
    if not isinstance(facts, Mapping):
        return ""
    said = []
    if isinstance(facts.get("after"), Mapping):
        said.append(moved_words(facts))
    if isinstance(facts.get("before"), float) and isinstance(facts.get("traffic"), float):
        said.append(f"from {share_words(facts['before'])} to {share_words(facts['traffic'])}")
    elif isinstance(facts.get("traffic"), float):
        said.append(f"with {share_words(facts['traffic'])} of the visitors")
    if facts.get("shipped"):
        said.append(f"everybody is shown “{facts['shipped']}”")
    if facts.get("why"):
        said.append(str(facts["why"]))
    definition = facts.get("definition")
    if isinstance(definition, Mapping):
        arms = [f"{arm.get('key')} {share_words(float(arm.get('weight', 0)))}" for arm in definition.get("arms", ())]
        said.append(f"{definition.get('title', '')}; {', '.join(arms)}")
    return "; ".join(said)
