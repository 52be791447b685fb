"""One look at an experiment: what was measured, what follows from it by the rules that were fixed before it began.

Nothing is written here. Whoever looks goes through `looking`, which puts it on record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from math import floor
from typing import Final

from purchase_intent.conf import config
from purchase_intent.experiments.comparing import arm_figures, compared, with_adjusted, with_chances
from purchase_intent.experiments.definition import Definition, MetricSpec
from purchase_intent.experiments.honest import Times, batch_edges, expected_weights, honest_arms, honest_versus
from purchase_intent.experiments.measuring.measure import Measured, measure, measured_moment
from purchase_intent.experiments.measuring.robots import robots
from purchase_intent.experiments.measuring.stream import Numbers
from purchase_intent.experiments.planning import planned, stat_metric, unadjusted
from purchase_intent.experiments.results import ArmFigure, MetricResult, Result, SegmentResult, Versus
from purchase_intent.experiments.stored import definition_of
from purchase_intent.experiments.weighing import weights_over_time
from purchase_intent.experiments.within import segment_results
from purchase_intent.models import Experiment, MetricRole
from purchase_intent.stats.arms import shortfall
from purchase_intent.stats.evidence import Evidence
from purchase_intent.stats.plan import Metric, Plan
from purchase_intent.stats.sample_ratio import Part, breakdown
from purchase_intent.stats.summaries import Summary
from purchase_intent.stats.verdict import Decision, Verdict, decide

__all__ = ["Analysis", "analyse_unrecorded", "is_due"]

LATELY: Final = timedelta(days=7)
"""The days from which the visitors a day are reckoned."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """A look with all that it rests on."""

    result: Result
    plan: Plan
    evidence: Evidence
    decision: Decision


def analyse_unrecorded(
    experiment: Experiment,
    *,
    moment: datetime,
    planned_look: bool = False,
    previous: tuple[float, ...] = (),
    who: str = "",
    segments: bool = False,
) -> Analysis:
    """What a look as of `moment` (aware) would say, kept nowhere; ExperimentRefused of one that has not begun.

    To decide by, call `looking.look_now`, which keeps who looked: looks off the record find what is not there.

    `planned_look` says that a look which the plan reckons with is due, `previous` are the shares of those before; it
    counts as one only if the next of the planned shares has been reached and the arms have enough to be compared, for
    it would spend error on nothing, and never of a bandit. The one at the end of the plan is the final one: a guardrail
    whose window is longer has less of its own behind it then, and may spend what is left of its error all the same.
    `segments` looks into those that are switched on too.
    """
    plan, definition = planned(experiment).plan, definition_of(experiment)
    moment = measured_moment(experiment, moment)
    weighed = weights_over_time(experiment) if definition.design.bandit is not None else []
    found = measure(experiment, moment=moment, edges=batch_edges(weighed, moment) if weighed else ())
    if weighed:
        plan = replace(plan, weights=expected_weights(found, weighed, plan.arms), adaptive=True)
    plan = plan if found.knows_scores else unadjusted(plan)
    evidence = _evidence(plan, found, previous)
    is_read = not shortfall(plan, plan.primary, evidence.summaries[plan.primary.name])
    share = evidence.look(plan).share
    if planned_look and not weighed and is_read and is_due(plan, share, previous):
        evidence = replace(evidence, planned=True, final=share >= 1)
    look = _Look(definition, plan, evidence, decide(plan, evidence), weighed)
    parts = look.segments(experiment, found) if segments and look.is_read else ()
    return Analysis(look.result(experiment, found, who=who, segments=parts), plan, evidence, look.decision)


def is_due(plan: Plan, share: float, previous: Sequence[float]) -> bool:
    """Whether one of the planned shares has been reached since the last planned look."""
    looks, last = plan.monitoring.looks, max(previous, default=0.0)
    return bool(looks) and last < 1 and floor(min(share, 1.0) * looks + 1e-9) > floor(last * looks + 1e-9)


@dataclass(frozen=True, slots=True)
class _Look:
    definition: Definition
    plan: Plan
    evidence: Evidence
    decision: Decision
    weighed: Times = ()
    """Of a bandit, from when on which weights stood."""

    @property
    def is_read(self) -> bool:
        """Whether any figure is compared: not where the arms did not get their shares."""
        return self.decision.verdict is not Verdict.INVALID

    def result(
        self, experiment: Experiment, found: Measured, *, who: str, segments: tuple[SegmentResult, ...]
    ) -> Result:
        """All of it as it is shown."""
        evidence, decision = self.evidence, self.decision
        left_out = {"bots": 0, "twice": 0, "waiting": 0}
        for (why, _, _), count in found.gone.counts.items():
            left_out[why] += count
        return Result(
            key=experiment.key,
            moment=found.moment,
            day=evidence.day,
            who=who,
            planned=evidence.planned,
            exposed=evidence.exposed,
            left_out=left_out,
            units=sum(each.n for each in evidence.summaries[self.plan.primary.name].values()),
            share=evidence.look(self.plan).share,
            looks_taken=len(evidence.previous) + evidence.planned,
            looks=self.plan.monitoring.looks,
            control=self.plan.control,
            metrics=with_adjusted([self.metric(each, found) for each in _in_order(self.definition)]),
            ratio=decision.ratio,
            parts=_parts(experiment, self.plan, found, self.weighed),
            segments=segments,
            verdict=decision.verdict.value,
            arm=decision.arm or "",
            rolled_back=decision.rolled_back,
            reasons=decision.reasons,
            missing=decision.missing,
            expected=_expected(decision.expected, found, self.plan.primary.name),
            adaptive=self.plan.adaptive,
        )

    def metric(self, spec: MetricSpec, found: Measured) -> MetricResult:
        """One metric as it is shown."""
        metric, sums = self._stat(spec), found.summaries(spec.name)
        arms, versus = self._figures(metric, sums, found)
        return MetricResult(
            name=spec.name,
            kind=str(spec.kind),
            event=spec.event,
            role=str(spec.role),
            margin=spec.margin,
            window_days=spec.window_days,
            higher_is_better=metric.higher_is_better,
            stat=metric.kind,
            cap=found.caps.get(spec.name),
            arms=arms,
            versus=versus,
        )

    def _figures(
        self, metric: Metric, sums: Mapping[str, Summary], found: Measured
    ) -> tuple[tuple[ArmFigure, ...], tuple[Versus, ...]]:
        if self.weighed:
            versus = honest_versus(self.plan, metric, found, self.weighed) if self.is_read else ()
            return honest_arms(self.plan, metric, found, self.weighed), versus
        watching, findings = self.evidence.look(self.plan), self.decision.arms
        versus = compared(self.plan, metric, sums, look=watching, findings=findings) if self.is_read else ()
        figures = arm_figures(sums, metric.kind)
        return (with_chances(figures, metric, sums) if self.is_read else figures), versus

    def segments(self, experiment: Experiment, whole: Measured) -> tuple[SegmentResult, ...]:
        """The primary metric within each segment that somebody exposed belonged to."""
        primary = self.definition.primary
        within = partial(self._within, self._stat(primary))
        edges = whole.edges if self.weighed else ()
        return tuple(segment_results(experiment, whole, primary, edges=edges, figures=within))

    def _within(self, metric: Metric, part: Measured) -> tuple[tuple[ArmFigure, ...], tuple[Versus, ...]]:
        """The figures of some of the people, as if looked at once: of a bandit weighed as those of all are."""
        if self.weighed:
            versus = honest_versus(self.plan, metric, part, self.weighed)
            return honest_arms(self.plan, metric, part, self.weighed), versus
        sums = part.summaries(metric.name)
        return arm_figures(sums, metric.kind), compared(self.plan, metric, sums, look=None, findings=())

    def _stat(self, spec: MetricSpec) -> Metric:
        return stat_metric(spec, adjusted=self.plan.primary.adjusted)


def _evidence(plan: Plan, found: Measured, previous: tuple[float, ...]) -> Evidence:
    last = found.moment - timedelta(microseconds=1)
    return Evidence(
        exposed=found.exposed(),
        summaries={metric.name: found.summaries(metric.name) for metric in plan.metrics},
        day=last.astimezone(config().time_zone).date(),
        per_day=_per_day(found),
        previous=previous,
    )


def _per_day(found: Measured) -> float:
    """How many people were exposed a day of late."""
    begin = max(found.edges[0], found.moment - LATELY)
    first = next(place for place, edge in enumerate(found.edges) if edge >= begin)
    days = (found.edges[-1] - found.edges[first]) / timedelta(days=1)
    return sum(found.exposed(first=first).values()) / days if days > 0 else 0.0


def _expected(day: date | None, found: Measured, primary: str) -> date | None:
    """The day by which it may be decided: until the first window is over, nobody's outcome comes in at all."""
    first = found.edges[0] + timedelta(days=found.windows[primary])
    return None if day is None else day + max(first - found.moment, timedelta(0))


def _in_order(definition: Definition) -> list[MetricSpec]:
    """The primary one first, then guardrails, then the others."""
    roles = [MetricRole.PRIMARY, MetricRole.GUARDRAIL, MetricRole.SECONDARY]
    return sorted(definition.metrics, key=lambda metric: roles.index(MetricRole(metric.role)))


def _parts(experiment: Experiment, plan: Plan, found: Measured, weighed: Times) -> tuple[Part, ...]:
    """The sample ratio within each device, browser and bot label; the bots' is of those who are left out.

    Of a bandit, each part is held against the weights that stood when its people were exposed.
    """
    if weighed:
        bots = {"": found.n, **robots(experiment, found)}
        return _parts_over_time(plan, {**found.parts, "bot": bots}, found, weighed)
    places = {arm.pk: plan.arms.index(arm.key) for arm in experiment.arms.all()}
    labels: dict[str, list[int]] = {"": list(found.exposed().values())}
    for (why, label, arm), count in found.gone.counts.items():
        if why == "bots":
            labels.setdefault(label, [0] * len(plan.arms))[places[arm]] += count
    return tuple(breakdown({**_counted(found.parts), "bot": labels}, plan.weights))


def _parts_over_time(
    plan: Plan, parts: Mapping[str, Mapping[str, Numbers]], found: Measured, weighed: Times
) -> tuple[Part, ...]:
    own = {
        (name, value): expected_weights(found, weighed, plan.arms, people)
        for name, values in parts.items()
        for value, people in values.items()
    }
    return tuple(breakdown(_counted(parts), plan.weights, own))


def _counted(parts: Mapping[str, Mapping[str, Numbers]]) -> dict[str, dict[str, list[int]]]:
    """People by arm, all batches together."""
    return {
        name: {value: [int(count) for count in people.sum(axis=0)] for value, people in values.items()}
        for name, values in parts.items()
    }
