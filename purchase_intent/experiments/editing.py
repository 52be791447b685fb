"""What is done to an experiment: made, changed, started, ramped, stopped. Each is on record with its author.

Once it runs, arms, weights, metrics, target and group stand: a change would move visitors between arms, or choose the
figures after seeing them. Its traffic may only grow, which moves nobody.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from django.db import connections, router, transaction

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.active import look_again
from purchase_intent.experiments.definition import Definition
from purchase_intent.experiments.stored import definition_of
from purchase_intent.models import (
    ExclusionGroup,
    Experiment,
    ExperimentArm,
    ExperimentChange,
    ExperimentMetric,
    ExperimentState,
    Holdout,
    Segment,
)
from purchase_intent.signals import experiment_stopped
from purchase_intent.stats.bucketing import Layer, refuse_overlap, share_told

_EDITS: Final = ("changed", "started")

__all__ = [
    "change_experiment",
    "latest_change",
    "make_experiment",
    "ramp_experiment",
    "start_experiment",
    "stop_experiment",
]


def make_experiment(definition: Definition, *, who: str, now: datetime) -> Experiment:
    """Put an experiment on record as a draft. ExperimentRefused, with nothing written, where it is not fit."""
    if Experiment.objects.filter(key=definition.key).exists():
        raise _refused("key", "taken", f"another experiment is called {definition.key}: its key is taken for good")
    with transaction.atomic(using=router.db_for_write(Experiment)):
        made: Experiment = Experiment.objects.create(key=definition.key, created_at=now, **_columns(definition))
        _write_parts(made, definition)
        _note(made, "made", who, now, definition=asdict(definition))
    return made


def change_experiment(
    experiment: Experiment, definition: Definition, *, who: str, now: datetime, seen: int | None = None
) -> None:
    """Make a draft what `definition` says; of one that has begun, only title and hypothesis may differ.

    `seen` is the `latest_change` that its author knew of. ExperimentRefused, with nothing written, where somebody else
    changed it since, for another key, and for anything else that must stand.
    """
    if definition.key != experiment.key:
        raise _refused("key", "renamed", f"the key stays {experiment.key}: another key is another experiment")
    with transaction.atomic(using=router.db_for_write(Experiment)):
        locked = _locked(experiment)
        _refuse_unseen(locked, seen)
        before = definition_of(locked)
        if locked.state != ExperimentState.DRAFT:
            _refuse_change(before, definition)
        Experiment.objects.filter(pk=locked.pk).update(**_columns(definition))
        locked.refresh_from_db()
        if locked.state == ExperimentState.DRAFT:
            locked.arms.all().delete()
            locked.metrics.all().delete()
            _write_parts(locked, definition)
        _note(locked, "changed", who, now, definition=asdict(definition))
    experiment.refresh_from_db()


def latest_change(experiment: Experiment) -> int:
    """The key of the latest change to what it is, or of its start; 0 of one that was never changed."""
    latest = experiment.changes.filter(what__in=_EDITS).order_by("pk").last()
    return 0 if latest is None else int(latest.pk)


def start_experiment(experiment: Experiment, *, who: str, now: datetime) -> None:
    """Let a draft take visitors in, and freeze its plan. ExperimentRefused where it is none, or its range overlaps.

    The plan is worked out first, from the shop's last weeks: that may take some seconds in a large shop, and whoever
    changes the draft meanwhile makes it the plan of another experiment, which is refused too.
    """
    from purchase_intent.experiments.planning import plan_of  # SciPy is nothing that a page should load

    definition = definition_of(experiment)
    plan = plan_of(definition, now=now)
    with transaction.atomic(using=router.db_for_write(Experiment)):
        locked = _locked(experiment)
        if locked.state != ExperimentState.DRAFT:
            raise _refused("state", "state", f"only a draft is started, and this one is {locked.get_state_display()}")
        if definition_of(locked) != definition:
            raise _refused("state", "overtaken", "it was changed meanwhile: see what it is now, then start it")
        _refuse_overlap(definition)
        locked.state, locked.started_at, locked.plan = ExperimentState.RUNNING, now, plan.as_json()
        locked.save(update_fields=("state", "started_at", "plan"))
        _note(locked, "started", who, now, traffic=locked.traffic, units=plan.plan.units)
    experiment.refresh_from_db()


def ramp_experiment(experiment: Experiment, traffic: float, *, who: str, now: datetime) -> None:
    """Raise the share of visitors that a running experiment takes in: nobody changes arm, nobody leaves."""
    with transaction.atomic(using=router.db_for_write(Experiment)):
        locked = _locked(experiment)
        if locked.state != ExperimentState.RUNNING:
            raise _refused("state", "state", "only a running experiment is ramped")
        if not locked.traffic <= traffic <= 1:
            raise _refused(
                "traffic", "ramp", f"the share may only grow from {share_told(locked.traffic)}: to end it, stop it"
            )
        before, locked.traffic = locked.traffic, traffic
        locked.save(update_fields=("traffic",))
        _note(locked, "ramped", who, now, before=before, traffic=traffic)
    experiment.refresh_from_db()


def stop_experiment(experiment: Experiment, *, shipped: str = "", who: str, now: datetime, why: str = "") -> None:
    """End a running experiment, for good; from then on everybody gets the arm `shipped`, by default the control."""
    with transaction.atomic(using=router.db_for_write(Experiment)):
        locked = _locked(experiment)
        if locked.state != ExperimentState.RUNNING:
            raise _refused("state", "state", "only a running experiment is stopped")
        arms = [arm.key for arm in locked.arms.all()]
        if shipped and shipped not in arms:
            raise _refused("shipped", "arm", f"“{shipped}” is none of its arms: {', '.join(arms)}")
        locked.state, locked.stopped_at, locked.shipped = ExperimentState.STOPPED, now, shipped
        locked.save(update_fields=("state", "stopped_at", "shipped"))
        _note(locked, "stopped", who, now, shipped=shipped, why=why)
    experiment.refresh_from_db()
    transaction.on_commit(
        lambda: experiment_stopped.send_robust(Experiment, experiment=experiment, who=who),
        using=router.db_for_write(Experiment),
    )


def _locked(experiment: Experiment) -> Experiment:
    alias = router.db_for_write(Experiment, instance=experiment)
    rows = Experiment.objects.using(alias)
    if connections[alias].features.has_select_for_update:
        rows = rows.select_for_update()
    return rows.get(pk=experiment.pk)


def _columns(definition: Definition) -> dict[str, Any]:
    group = definition.group
    return {
        "title": definition.title,
        "hypothesis": definition.hypothesis,
        "traffic": definition.traffic,
        "control": definition.control,
        "segment": _named(Segment, "segment", definition.segment),
        "holdout": _named(Holdout, "holdout", definition.holdout),
        "group": None if group is None else ExclusionGroup.objects.get_or_create(key=group.key)[0],
        "group_start": None if group is None else group.start,
        "group_end": None if group is None else group.end,
        "design": definition.design.as_json(),
    }


def _named(model: Any, field: str, key: str) -> Any:
    if not key:
        return None
    found = model.objects.filter(key=key).first()
    if found is None:
        raise _refused(field, "unknown", f"there is no {field} {key}: make it first, or leave it empty")
    return found


def _write_parts(experiment: Experiment, definition: Definition) -> None:
    ExperimentArm.objects.bulk_create(
        ExperimentArm(experiment=experiment, key=arm.key, title=arm.title, weight=arm.weight, place=place)
        for place, arm in enumerate(definition.arms)
    )
    ExperimentMetric.objects.bulk_create(
        ExperimentMetric(experiment=experiment, **asdict(metric)) for metric in definition.metrics
    )


def _refuse_unseen(experiment: Experiment, seen: int | None) -> None:
    latest = experiment.changes.filter(what__in=_EDITS).order_by("pk").last()
    if seen is not None and latest is not None and latest.pk > seen:
        said = f"{latest.who} {latest.what} it meanwhile: nothing was saved"
        raise _refused("seen", "overtaken", f"{said}. See how it stands now, then save again to replace it with this")


def _refuse_change(before: Definition, after: Definition) -> None:
    free = {name: getattr(after.design, name) for name in ("ships", "rolls_back", "uplift")}
    design = replace(before.design, **free)
    if replace(before, title=after.title, hypothesis=after.hypothesis, design=design) == after:
        return
    if design != after.design:
        raise _refused("design", "running", "size and looks of an experiment that has begun stand: choose them before")
    for name in ("arms", "metrics", "traffic", "segment", "group", "holdout"):
        if getattr(before, name) != getattr(after, name):
            remedy = "ramp it instead" if name == "traffic" else "stop it, and make another experiment"
            raise _refused(name, "running", f"the {name} of an experiment that has begun stand: {remedy}")


def _refuse_overlap(definition: Definition) -> None:
    if definition.group is None:
        return
    alias = router.db_for_write(Experiment)
    if connections[alias].features.has_select_for_update:  # of two starts at once the second sees the first
        ExclusionGroup.objects.using(alias).select_for_update().get(key=definition.group.key)
    others = Experiment.objects.using(alias).running().filter(group__key=definition.group.key).order_by("pk")
    layers = {
        each.key: Layer(definition.group.key, each.group_start, each.group_end)
        for each in others
        if each.group_start is not None and each.group_end is not None
    }
    mine = Layer(definition.group.key, definition.group.start, definition.group.end)
    try:
        refuse_overlap(layers | {definition.key: mine})
    except ExperimentRefused as refused:
        raise ExperimentRefused(field="group", reason=refused.reason, remedy=refused.remedy) from refused


def _note(experiment: Experiment, what: str, who: str, now: datetime, **facts: Any) -> None:
    ExperimentChange.objects.create(experiment=experiment, at=now, who=who, what=what, facts=facts)
    transaction.on_commit(look_again, using=router.db_for_write(Experiment))


def _refused(field: str, reason: str, remedy: str) -> ExperimentRefused:
    return ExperimentRefused(field=field, reason=reason, remedy=remedy)
