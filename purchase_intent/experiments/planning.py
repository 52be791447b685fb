"""How large an experiment has to be, from what the shop's own last weeks say, and what its start freezes of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from math import ceil, inf
from typing import Any, Final, Self

from purchase_intent.conf import config
from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.assuming import assumptions
from purchase_intent.experiments.definition import Definition, MetricSpec
from purchase_intent.experiments.measuring.outcomes import higher_is_better, kind_of
from purchase_intent.experiments.past import past_of
from purchase_intent.models import Experiment, Holdout, MetricRole
from purchase_intent.stats.inference import Kind
from purchase_intent.stats.monitoring import Monitoring
from purchase_intent.stats.plan import Guardrail, Metric, Plan
from purchase_intent.stats.power import Sizing, Spread, detectable, sizing, spread_of
from purchase_intent.stats.summaries import Summary

__all__ = [
    "UNITS",
    "FoundIn",
    "Planned",
    "Proposal",
    "found_in",
    "plan_of",
    "planned",
    "proposal",
    "stat_metric",
    "unadjusted",
]

UNITS: Final = 20_000
"""Visitors planned over all arms where the past says nothing and nobody has said."""
DAYS: Final = (7, 14, 21, 28, 42, 56)
"""For how many days the smallest lift that is found is told."""

NOBODY: Final = "Nobody came within the 28 days that are looked at: say how many visitors are planned."
LONGEST: Final = 3650
"""Days: what takes longer has no end in sight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is known before a start. `sizing` is None where the past says too little; `missing` then says why.

    `baseline` is the primary metric's figure of late, `per_day` the visitors a day who would be exposed, `window_days`
    how much later the outcome of the last of them is in, `spread` what the size was worked out from. `reduction` is the
    share of the variance that the score is expected to take off, 0 to 1, and `assumed` says in sentences what all of it
    rests on.
    """

    sizing: Sizing | None
    baseline: float | None
    per_day: float
    window_days: int
    missing: str = ""
    spread: Spread | None = None
    reduction: float = 0.0
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundIn:
    """What so many `days` find: their visitors over all arms, and the smallest relative lift; None where none is."""

    days: int
    units: float
    lift: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a start froze. `ends` is when all is to be in, `is_worked_out` whether the shop's data gave the units.

    `reduction` and `assumed` are those of the proposal.
    """

    plan: Plan
    power: float
    lift: float
    per_day: float
    baseline: float | None
    ends: date | None
    is_worked_out: bool
    reduction: float = 0.0
    assumed: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "plan": self.plan.as_json(),
            "power": self.power,
            "lift": self.lift,
            "per_day": self.per_day,
            "baseline": self.baseline,
            "ends": self.ends and self.ends.isoformat(),
            "is_worked_out": self.is_worked_out,
            "reduction": self.reduction,
            "assumed": list(self.assumed),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `as_json` gave."""
        ends, assumed = stored["ends"], tuple(stored.get("assumed", ()))
        plan = Plan.from_json(stored["plan"])
        return cls(**{**stored, "plan": plan, "ends": ends and date.fromisoformat(ends), "assumed": assumed})


def proposal(definition: Definition, *, now: datetime) -> Proposal:
    """Size an experiment by who would have been exposed in the last 28 days whose window is over at `now` (aware)."""
    metric, design = definition.primary, definition.design
    past = past_of(metric, segment=definition.segment, adjusted=design.adjusted, quantile=design.quantile, now=now)
    kind = kind_of(metric)
    told: dict[str, Any] = {
        "per_day": past.per_day * _taken_in(definition),
        "window_days": metric.window_days,
        "reduction": past.reduction,
        "assumed": assumptions(definition, past),
    }
    try:
        spread = spread_of(past.summary, kind, reduction=past.reduction)
        size = sizing(
            spread,
            design.lift,
            per_day=told["per_day"],
            weights=tuple(arm.weight for arm in definition.arms if arm.weight > 0 or arm is definition.arms[0]),
            monitoring=_monitoring(definition),
            power=design.power,
        )
    except ExperimentRefused as refused:
        missing = refused.message if past.units else NOBODY
        return Proposal(sizing=None, baseline=_figure(past.summary, kind), missing=missing, **told)
    return Proposal(sizing=size, baseline=spread.mean, spread=spread, **told)


def found_in(definition: Definition, found: Proposal) -> list[FoundIn]:
    """The smallest lift that is found with the planned power in 7 to 56 days; nothing where the past says too little.

    Of several treatments it is that of the one which finds least.
    """
    if found.spread is None or not found.per_day > 0:
        return []
    design, weights = (
        definition.design,
        [arm.weight for arm in definition.arms if arm.weight > 0 or arm is definition.arms[0]],
    )
    alpha = design.alpha / max(len(weights) - 1, 1)
    cost = Monitoring(alpha=alpha, looks=design.looks).cost(design.power).most
    told = []
    for days in DAYS:
        units = found.per_day * days
        lifts = [
            detectable(
                found.spread,
                units / cost * (weight + weights[0]),
                power=design.power,
                alpha=alpha,
                treatment_share=weight / (weight + weights[0]),
            )
            for weight in weights[1:]
            if weight > 0 and weights[0] > 0
        ]
        worst = max(lifts, default=inf)
        told.append(FoundIn(days=days, units=units, lift=worst if worst < inf else None))
    return told


def plan_of(definition: Definition, *, now: datetime) -> Planned:
    """What an experiment's start at `now` freezes."""
    found, design = proposal(definition, now=now), definition.design
    units = design.units or (found.sizing.units if found.sizing is not None else UNITS)
    days = ceil(units / found.per_day) + found.window_days if found.per_day > 0 else None
    guardrails = tuple(
        Guardrail(stat_metric(each, adjusted=design.adjusted), each.margin)
        for each in definition.metrics
        if each.role == MetricRole.GUARDRAIL and each.margin is not None
    )
    return Planned(
        plan=Plan(
            control=definition.control,
            arms=tuple(arm.key for arm in definition.arms),
            weights=tuple(arm.weight for arm in definition.arms),
            primary=stat_metric(definition.primary, adjusted=design.adjusted),
            units=units,
            guardrails=guardrails,
            monitoring=_monitoring(definition),
        ),
        power=design.power,
        lift=design.lift,
        per_day=found.per_day,
        baseline=found.baseline,
        ends=None if days is None or days > LONGEST else _local_day(now + timedelta(days=days)),
        is_worked_out=design.units is None and found.sizing is not None,
        reduction=found.reduction,
        assumed=found.assumed,
    )


def planned(experiment: Experiment) -> Planned:
    """What the experiment's start froze; ExperimentRefused of one that has not begun."""
    if not experiment.plan:
        raise ExperimentRefused(
            field="state", reason="state", remedy=f"{experiment.key} has not begun: start it, and then look at it"
        )
    return Planned.from_json(experiment.plan)


def stat_metric(metric: MetricSpec, *, adjusted: bool) -> Metric:
    """The metric as the statistics want it."""
    return Metric(metric.name, kind_of(metric), higher_is_better(metric), adjusted)


def unadjusted(plan: Plan) -> Plan:
    """The plan where no score was known at any exposure, and there is nothing to adjust by."""
    guardrails = tuple(replace(each, metric=replace(each.metric, adjusted=False)) for each in plan.guardrails)
    return replace(plan, primary=replace(plan.primary, adjusted=False), guardrails=guardrails)


def _monitoring(definition: Definition) -> Monitoring:
    return Monitoring(alpha=definition.design.alpha, looks=definition.design.looks)


def _local_day(moment: datetime) -> date:
    return moment.astimezone(config().time_zone).date()


def _figure(summary: Summary, kind: Kind) -> float | None:
    try:
        return summary.ratio if kind is Kind.RATIO else summary.mean
    except ExperimentRefused:
        return None


def _taken_in(definition: Definition) -> float:
    """The share of those it is for whom it would take in."""
    share = definition.traffic
    if definition.group is not None:
        share *= definition.group.end - definition.group.start
    if definition.holdout:
        held = Holdout.objects.filter(key=definition.holdout).first()
        share *= 1 - (held.share if held is not None else 0.0)
    return share
