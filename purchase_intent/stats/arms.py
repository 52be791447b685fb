"""Each treatment against the control: its estimates at this look, and whether it wins, loses or stays open.

Several treatments share alpha by Holm's steps, each under the sequential rule; an arm's interval is that of the step
it was judged at, so that it excludes 0 exactly where the arm was found to differ. A guardrail holds if its interval
stays within the margin. It is harmed if it does not, and is significantly worse, with alpha shared by all guardrails
and arms. Otherwise it is unproven.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Any, Final

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.cuped import Adjustment
from purchase_intent.stats.evidence import Evidence
from purchase_intent.stats.inference import Estimate, Interval, Kind, compare, measured
from purchase_intent.stats.monitoring import Applied, Look
from purchase_intent.stats.plan import Guardrail, Metric, Plan
from purchase_intent.stats.proportions import compare_rates
from purchase_intent.stats.summaries import Summary

__all__ = ["LEAST_BELOW", "ArmFinding", "Finding", "arm_findings", "estimate", "holds", "shortfall"]

LEAST_BELOW: Final = 30
"""Units of each arm that count below a ratio, such as orders: with fewer its interval misses the truth too often."""


class Finding(StrEnum):
    """What one arm has come to."""

    WINS = "wins"
    LOSES = "loses"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class ArmFinding:
    """One treatment. `rule` is what its primary figure was judged by; `harmed` and `unproven` name guardrails."""

    arm: str
    finding: Finding
    rule: Applied
    estimates: Mapping[str, Estimate]
    better: bool
    worse: bool
    harmed: tuple[str, ...]
    unproven: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "arm": self.arm,
            "finding": self.finding.value,
            "rule": self.rule.as_json(),
            "estimates": {name: found.as_json() for name, found in self.estimates.items()},
            "better": self.better,
            "worse": self.worse,
            "harmed": list(self.harmed),
            "unproven": list(self.unproven),
        }


def estimate(
    metric: Metric, arms: Mapping[str, Summary], control: str, arm: str, *, alpha: float, widest: bool = True
) -> Estimate:
    """One metric of one treatment, by the formulas of its kind, adjusted by its covariate where it has one.

    What a verdict rests on takes the `widest` error (`inference.compare`).
    """
    if metric.adjusted:
        kind = Kind.RATIO if metric.kind is Kind.RATIO else Kind.MEAN
        adjustment = Adjustment.of(arms.values(), kind)
        one, other = (adjustment.measured(arms[name], kind) for name in (control, arm))
        return compare(one, other, alpha=alpha, method="CUPED", widest=widest)
    if metric.kind is Kind.RATE:
        return compare_rates(arms[control], arms[arm], alpha=alpha)
    one, other = (measured(arms[name], metric.kind) for name in (control, arm))
    method = "delta method" if metric.kind is Kind.RATIO else "Welch"
    return compare(one, other, alpha=alpha, method=method, widest=widest)


def shortfall(plan: Plan, metric: Metric, arms: Mapping[str, Summary]) -> dict[str, float]:
    """Units that compared arms lack before the metric is read, about so many of a ratio; infinite: none can be told."""
    lacking = {arm: float(plan.least - arms[arm].n) for arm in plan.compared}
    if metric.kind is Kind.RATIO:
        lacking = {arm: max(units, _lacking_below(arms[arm])) for arm, units in lacking.items()}
    return {arm: units for arm, units in lacking.items() if units > 0}


def _lacking_below(summary: Summary) -> float:
    counted = summary.d**2 / summary.dd if summary.dd > 0 else 0.0
    return (LEAST_BELOW - counted) * summary.n / counted if counted else inf


def holds(guardrail: Guardrail, found: Estimate) -> bool:
    """Whether the interval leaves no loss as large as the margin."""
    return guardrail.metric.sign * _worst(guardrail.metric, found.lift) > -guardrail.margin


def arm_findings(plan: Plan, evidence: Evidence, look: Look) -> tuple[ArmFinding, ...] | None:
    """Every treatment in the plan's order; None where the rule allows no conclusion at this look."""
    size = len(plan.treatments)
    first = plan.monitoring.applied(look, plan.monitoring.alpha / size)
    if first is None:
        return None
    arms = evidence.summaries[plan.primary.name]
    found = {arm: estimate(plan.primary, arms, plan.control, arm, alpha=first.alpha) for arm in plan.treatments}
    rules, open_still = {}, False
    rule = first
    for step, arm in enumerate(sorted(plan.treatments, key=lambda name: found[name].p_value)):
        if not open_still:
            rule = plan.monitoring.applied(look, plan.monitoring.alpha / (size - step)) or first
        rules[arm] = rule
        open_still = open_still or found[arm].p_value > rule.alpha
    return tuple(_finding(plan, evidence, arm, rules[arm]) for arm in plan.treatments)


def _finding(plan: Plan, evidence: Evidence, arm: str, rule: Applied) -> ArmFinding:
    primary = estimate(plan.primary, evidence.summaries[plan.primary.name], plan.control, arm, alpha=rule.alpha)
    differs = primary.p_value <= rule.alpha
    upwards = plan.primary.sign * primary.difference.value > 0
    estimates = {plan.primary.name: primary}
    harmed: list[str] = []
    unproven: list[str] = []
    for guardrail in plan.guardrails:
        name = guardrail.metric.name
        found = _guarded(plan, evidence, guardrail, arm)
        if found is None:
            unproven.append(name)
            continue
        estimates[name] = found
        if not holds(guardrail, found):
            (harmed if _harmed(plan, evidence, guardrail, found) else unproven).append(name)
    worse, better = differs and not upwards, differs and upwards
    finding = Finding.LOSES if worse or harmed else Finding.WINS if better and not unproven else Finding.OPEN
    return ArmFinding(arm, finding, rule, estimates, better, worse, tuple(harmed), tuple(unproven))


def _guarded(plan: Plan, evidence: Evidence, guardrail: Guardrail, arm: str) -> Estimate | None:
    """A guardrail's estimate at the strictest step; None where there is nothing, or too little, to compare yet."""
    look = evidence.look(plan, guardrail.metric.name)
    rule = plan.monitoring.applied(look, plan.monitoring.alpha / len(plan.treatments))
    arms = evidence.summaries[guardrail.metric.name]
    if rule is None or shortfall(plan, guardrail.metric, arms):
        return None
    try:
        return estimate(guardrail.metric, arms, plan.control, arm, alpha=rule.alpha)
    except ExperimentRefused:
        return None


def _harmed(plan: Plan, evidence: Evidence, guardrail: Guardrail, found: Estimate) -> bool:
    tests = len(plan.guardrails) * len(plan.treatments)
    rule = plan.monitoring.applied(evidence.look(plan, guardrail.metric.name), plan.monitoring.alpha / tests)
    worse = guardrail.metric.sign * found.difference.value < 0
    return rule is not None and worse and found.p_value <= rule.alpha


def _worst(metric: Metric, lift: Interval | None) -> float:
    if lift is None:
        return -metric.sign * float("inf")
    return lift.low if metric.higher_is_better else lift.high
