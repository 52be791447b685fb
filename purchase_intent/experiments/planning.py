"""How large an experiment has to be, from what the shop's own last weeks say, and what its start freezes of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from math import ceil, inf
from typing import Any, Final, Self

from purchase_intent.conf import config
from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.definition import Definition, MetricSpec
from purchase_intent.experiments.measuring.measure import sums
from purchase_intent.experiments.measuring.outcomes import higher_is_better, kind_of
from purchase_intent.experiments.measuring.sql import Statements
from purchase_intent.models import Experiment, Holdout, MetricRole, SegmentReport
from purchase_intent.stats.inference import Kind
from purchase_intent.stats.monitoring import Monitoring
from purchase_intent.stats.plan import Guardrail, Metric, Plan
from purchase_intent.stats.power import Sizing, Spread, detectable, sizing, spread_of
from purchase_intent.stats.summaries import Summary

__all__ = [
    "PERIOD",
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

PERIOD: Final = timedelta(days=28)
"""Of the past, for the primary metric's figure and the visitors a day."""
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
    how much later the outcome of the last of them is in, `spread` what the size was worked out from.
    """

    sizing: Sizing | None
    baseline: float | None
    per_day: float
    window_days: int
    missing: str = ""
    spread: Spread | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundIn:
    """What so many `days` find: their visitors over all arms, and the smallest relative lift; None where none is."""

    days: int
    units: float
    lift: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a start froze. `ends` is when all is to be in, `is_worked_out` whether the shop's data gave the units."""

    plan: Plan
    power: float
    lift: float
    per_day: float
    baseline: float | None
    ends: date | None
    is_worked_out: bool

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
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `as_json` gave."""
        ends = stored["ends"]
        return cls(**{**stored, "plan": Plan.from_json(stored["plan"]), "ends": ends and date.fromisoformat(ends)})


def proposal(definition: Definition, *, now: datetime) -> Proposal:
    """Size an experiment by the visits of the last 28 days whose window is over at `now` (aware)."""
    metric = definition.primary
    summary, visitors = _past(metric, definition.design.quantile, now)
    per_day = visitors / PERIOD.days * _taken_in(definition)
    kind = kind_of(metric)
    try:
        spread = spread_of(summary, kind)
        size = sizing(
            spread,
            definition.design.lift,
            per_day=per_day,
            weights=tuple(arm.weight for arm in definition.arms if arm.weight > 0 or arm is definition.arms[0]),
            monitoring=_monitoring(definition),
            power=definition.design.power,
        )
    except ExperimentRefused as refused:
        return Proposal(
            sizing=None,
            baseline=_figure(summary, kind),
            per_day=per_day,
            window_days=metric.window_days,
            missing=refused.message if visitors else NOBODY,
        )
    return Proposal(sizing=size, baseline=spread.mean, per_day=per_day, window_days=metric.window_days, spread=spread)


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


def _past(metric: MetricSpec, quantile: float, now: datetime) -> tuple[Summary, int]:
    """The metric of those who came in the 28 days before its window, from their first visit on, and how many."""
    until = now - timedelta(days=metric.window_days)
    since = until - PERIOD
    statements = Statements(None, since=since, until=until, now=now)
    found = sums(statements, moment=now, edges=(since, until), arms={0: ""}, metrics=(metric,), quantile=quantile)
    return found.summaries(metric.name)[""], found.exposed()[""]


def _local_day(moment: datetime) -> date:
    return moment.astimezone(config().time_zone).date()


def _figure(summary: Summary, kind: Kind) -> float | None:
    try:
        return summary.ratio if kind is Kind.RATIO else summary.mean
    except ExperimentRefused:
        return None


def _taken_in(definition: Definition) -> float:
    """The share of the shop's visitors whom it would take in."""
    share = definition.traffic
    if definition.group is not None:
        share *= definition.group.end - definition.group.start
    if definition.holdout:
        held = Holdout.objects.filter(key=definition.holdout).first()
        share *= 1 - (held.share if held is not None else 0.0)
    if definition.segment:
        report = SegmentReport.objects.filter(segment__key=definition.segment).order_by("-moment").first()
        share *= report.size / report.looked_at if report is not None and report.looked_at else 1.0
    return share
