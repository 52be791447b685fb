"""Each arm's figure and each treatment against the control, from sums, as they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import sqrt

from scipy.stats import t

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.results import ArmFigure, MetricResult, Versus
from purchase_intent.stats.arms import ArmFinding, estimate, shortfall
from purchase_intent.stats.bandit import chances_to_be_best, chances_to_be_best_of
from purchase_intent.stats.bayes import Posterior, posterior_of_means, posterior_of_rates
from purchase_intent.stats.cuped import Adjustment
from purchase_intent.stats.inference import Estimate, Interval, Kind, measured
from purchase_intent.stats.monitoring import Applied, Look
from purchase_intent.stats.multiplicity import benjamini_hochberg, holm
from purchase_intent.stats.plan import Metric, Plan
from purchase_intent.stats.proportions import wilson_interval
from purchase_intent.stats.summaries import Summary

__all__ = ["arm_figures", "compared", "posterior_of", "with_adjusted", "with_best", "with_chances"]

Sums = Mapping[str, Summary]

_FIXED = 0.05


def arm_figures(sums: Sums, kind: Kind) -> tuple[ArmFigure, ...]:
    """Each arm's own figure with its 95% interval: Wilson's for a rate, else Student's."""
    return tuple(_figure(arm, summary, kind) for arm, summary in sums.items())


def with_chances(figures: tuple[ArmFigure, ...], metric: Metric, sums: Sums) -> tuple[ArmFigure, ...]:
    """The same with each arm's chance to be the best of all, from the figures that are compared.

    Of two arms it is what is said of the treatment against the control; where one has nobody, there is none.
    """
    if len(figures) < 3 or not all(each.n for each in figures):
        return figures
    higher = metric.higher_is_better
    try:
        if metric.adjusted:
            kind = Kind.RATIO if metric.kind is Kind.RATIO else Kind.MEAN
            adjustment = Adjustment.of(sums.values(), kind)
            own = [adjustment.measured(summary, kind) for summary in sums.values()]
            return with_best(figures, chances_to_be_best_of(own, higher_is_better=higher))
        return with_best(figures, chances_to_be_best(list(sums.values()), metric.kind, higher_is_better=higher))
    except ExperimentRefused:
        return figures


def with_best(figures: tuple[ArmFigure, ...], chances: Sequence[float]) -> tuple[ArmFigure, ...]:
    """The same with these chances to be the best."""
    return tuple(replace(each, best=chance) for each, chance in zip(figures, chances, strict=True))


def compared(
    plan: Plan, metric: Metric, sums: Sums, *, look: Look | None, findings: Sequence[ArmFinding]
) -> tuple[Versus, ...]:
    """Every treatment in the plan's order. Without a `look` nothing that holds under watching is said."""
    by_arm = {finding.arm: finding for finding in findings}
    if look is not None:
        look = look.behind(sum(sums[arm].n for arm in plan.arms) / plan.units)
    enough = not shortfall(plan, metric, sums)
    cut = _variance_cut(metric, sums)
    found = [
        _versus(plan, metric, sums, arm, look=look if enough else None, finding=by_arm.get(arm), cut=cut)
        for arm in plan.treatments
    ]
    known = [each.fixed.p_value for each in found if each.fixed is not None]
    adjusted = iter(holm(known))
    return tuple(each if each.fixed is None else replace(each, holm=next(adjusted)) for each in found)


def with_adjusted(metrics: Sequence[MetricResult]) -> tuple[MetricResult, ...]:
    """The same with Benjamini and Hochberg's p-values over all metrics and treatments."""
    known = [each.fixed.p_value for metric in metrics for each in metric.versus if each.fixed is not None]
    adjusted = iter(benjamini_hochberg(known))
    return tuple(
        replace(
            metric,
            versus=tuple(each if each.fixed is None else replace(each, bh=next(adjusted)) for each in metric.versus),
        )
        for metric in metrics
    )


def _figure(arm: str, summary: Summary, kind: Kind) -> ArmFigure:
    try:
        own = measured(summary, kind)
        if kind is Kind.RATE:
            low, high = wilson_interval(summary)
        else:
            reach = float(t.isf(_FIXED / 2, own.n - 1)) * sqrt(own.variance)
            low, high = own.value - reach, own.value + reach
    except ExperimentRefused:
        return ArmFigure(arm=arm, n=summary.n, value=None, low=None, high=None)
    return ArmFigure(arm=arm, n=summary.n, value=own.value, low=low, high=high)


def _versus(
    plan: Plan,
    metric: Metric,
    sums: Sums,
    arm: str,
    *,
    look: Look | None,
    finding: ArmFinding | None,
    cut: float,
) -> Versus:
    fixed = _estimate(metric, sums, plan.control, arm, _FIXED, widest=False)
    watched, rule = _watched(plan, metric, sums, arm, look, finding)
    return Versus(
        arm=arm,
        fixed=fixed,
        watched=watched,
        rule=rule if watched is not None else None,
        posterior=None if fixed is None else _posterior(metric, sums[plan.control], sums[arm], fixed),
        variance_cut=cut,
        state=_state(plan, metric, finding, watched),
    )


def _watched(
    plan: Plan, metric: Metric, sums: Sums, arm: str, look: Look | None, finding: ArmFinding | None
) -> tuple[Estimate | None, Applied | None]:
    """The estimate that the verdict rests on, or one of the same rule for a metric that decides nothing."""
    if look is None:
        return None, None
    rule = plan.monitoring.applied(look, plan.monitoring.alpha / len(plan.treatments))
    if finding is not None and metric.name in finding.estimates:
        return finding.estimates[metric.name], finding.rule if metric == plan.primary else rule
    return (None if rule is None else _estimate(metric, sums, plan.control, arm, rule.alpha, widest=True)), rule


def _estimate(metric: Metric, sums: Sums, control: str, arm: str, alpha: float, *, widest: bool) -> Estimate | None:
    try:
        return estimate(metric, sums, control, arm, alpha=alpha, widest=widest)
    except ExperimentRefused:
        return None


def _state(plan: Plan, metric: Metric, finding: ArmFinding | None, watched: Estimate | None) -> str:
    if any(guardrail.metric == metric for guardrail in plan.guardrails):
        if finding is None:
            return ""
        name = metric.name
        return "harmed" if name in finding.harmed else "unproven" if name in finding.unproven else "holds"
    if watched is None or watched.p_value > watched.alpha:
        return ""
    return "better" if metric.sign * watched.difference.value > 0 else "worse"


def posterior_of(metric: Metric, fixed: Estimate) -> Posterior:
    """From an estimate: the chance that the treatment is better, where less is better that it is lower."""
    return _turned(metric, posterior_of_means(fixed))


def _posterior(metric: Metric, control: Summary, treatment: Summary, fixed: Estimate) -> Posterior:
    if metric.kind is Kind.RATE and not metric.adjusted:
        return _turned(metric, posterior_of_rates(control, treatment))
    return posterior_of(metric, fixed)


def _turned(metric: Metric, found: Posterior) -> Posterior:
    if metric.higher_is_better:
        return found
    return Posterior(
        chance_better=1 - found.chance_better,
        loss_of_treatment=found.loss_of_control,
        loss_of_control=found.loss_of_treatment,
        difference=Interval(found.difference.value, found.difference.low, found.difference.high),
    )


def _variance_cut(metric: Metric, sums: Sums) -> float:
    if not metric.adjusted:
        return 0.0
    try:
        return Adjustment.of(sums.values(), Kind.RATIO if metric.kind is Kind.RATIO else Kind.MEAN).reduction
    except ExperimentRefused:
        return 0.0
