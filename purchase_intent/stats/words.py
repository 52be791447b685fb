"""Findings in plain words, for who decides and has not studied statistics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil, inf

from purchase_intent.stats.arms import LEAST_BELOW, ArmFinding
from purchase_intent.stats.inference import Estimate, Interval, Kind
from purchase_intent.stats.monitoring import Applied, Rule
from purchase_intent.stats.plan import Guardrail, Metric, Plan
from purchase_intent.stats.sample_ratio import SampleRatio

__all__ = ["missing_words", "ratio_words", "reason_words", "rule_words", "short_words"]


LEAST = 1e-6
"""A p-value below which nobody wants to know it more exactly."""


def rule_words(rule: Applied) -> str:
    """The rule of a look by name."""
    if rule.rule is Rule.GROUP_SEQUENTIAL:
        return f"the group-sequential rule at planned look {rule.number}"
    return "the always-valid rule for unplanned looks"


def ratio_words(plan: Plan, ratio: SampleRatio) -> tuple[str, ...]:
    """Why the figures cannot be trusted."""
    counts = ", ".join(
        f"{arm} has {count:,} of {expected:,.0f} expected"
        for arm, count, expected in zip(plan.arms, ratio.counts, ratio.expected, strict=True)
    )
    seldom = 1 / max(ratio.sequential_p_value, LEAST)
    return (
        f"The arms did not get the shares that were planned: {counts}.",
        f"By chance this happens to less than one experiment in {seldom:,.0f}, however often one looks.",
        "Something drops units unevenly, and no figure can be trusted.",
        "Look at the breakdown by browser, device and bot label, mend the cause, and start anew.",
    )


def reason_words(plan: Plan, findings: Iterable[ArmFinding]) -> tuple[str, ...]:
    """One sentence on each arm's primary figure, and one on each guardrail."""
    return tuple(
        sentence
        for finding in findings
        for sentence in (
            _primary(plan, finding),
            *(_guardrail(finding, guardrail) for guardrail in plan.guardrails),
        )
    )


def missing_words(plan: Plan, still_open: Iterable[ArmFinding], *, ended: bool) -> tuple[str, ...]:
    """What each open arm lacks."""
    return tuple(sentence for finding in still_open for sentence in _missing(plan, finding, ended=ended))


def short_words(plan: Plan, short: Mapping[str, float]) -> tuple[str, ...]:
    """What each arm lacks before its figures are read."""
    if plan.primary.kind is not Kind.RATIO:
        return tuple(f"{arm} needs {units:.0f} more units before its figures are read." for arm, units in short.items())
    of = f"{LEAST_BELOW} of them have to count below the ratio"
    return tuple(
        f"{arm} needs about {ceil(units):,} more units before its figures are read: {of}."
        if units < inf
        else f"{arm} has no unit yet that counts below the ratio: {of}."
        for arm, units in short.items()
    )


def _primary(plan: Plan, finding: ArmFinding) -> str:
    found = finding.estimates[plan.primary.name]
    judged = "is better than" if finding.better else "is worse than" if finding.worse else "is not told apart from"
    return (
        f"{finding.arm} {judged} {plan.control} on {plan.primary.name}, by {rule_words(finding.rule)}: "
        f"{_figures(plan.primary, found)}."
    )


def _guardrail(finding: ArmFinding, guardrail: Guardrail) -> str:
    name = guardrail.metric.name
    found = finding.estimates.get(name)
    if found is None:
        return f"Guardrail {name}: too little to compare yet for {finding.arm}."
    if name in finding.harmed:
        return f"Guardrail {name}: {finding.arm} is significantly worse, {_figures(guardrail.metric, found)}."
    state = "may still lose more than" if name in finding.unproven else "loses less than"
    return (
        f"Guardrail {name}: {finding.arm} {state} the {guardrail.margin:.1%} tolerated, "
        f"{_figures(guardrail.metric, found)}."
    )


def _missing(plan: Plan, finding: ArmFinding, *, ended: bool) -> list[str]:
    unproven = [each for each in plan.guardrails if each.metric.name in finding.unproven]
    lacking = [] if finding.better else [_undecided(plan, finding, ended=ended)]
    return lacking + [
        f"{guardrail.metric.name} of {finding.arm} is not yet known to lose less than {guardrail.margin:.1%}."
        for guardrail in unproven
    ]


def _undecided(plan: Plan, finding: ArmFinding, *, ended: bool) -> str:
    if ended:
        return (
            f"All planned units are in, and {finding.arm} was not told apart from {plan.control}: the effect is "
            "smaller than was planned for, or there is none."
        )
    found = finding.estimates[plan.primary.name]
    reached = abs(found.difference.value) / found.error if found.error else 0.0
    return (
        f"{finding.arm} lies {reached:.2f} standard errors from {plan.control} on {plan.primary.name}, and the rule "
        f"asks for {finding.rule.boundary:.2f} at this look."
    )


def _figures(metric: Metric, found: Estimate) -> str:
    values = f"{_value(metric, found.treatment)} against {_value(metric, found.control)}"
    if found.lift is None:
        return f"{values}, a difference of {_span(found.difference, '+.4g')}"
    return f"{values}, a change of {_span(found.lift, '+.2%')}"


def _value(metric: Metric, value: float) -> str:
    return f"{value:.2%}" if metric.kind is Kind.RATE else f"{value:.4g}"


def _span(interval: Interval, form: str) -> str:
    low, high = (f"{end:{form}}" if abs(end) < inf else "no limit" for end in (interval.low, interval.high))
    return f"{interval.value:{form}} ({low} to {high})"
