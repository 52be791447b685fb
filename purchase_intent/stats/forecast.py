"""When an open experiment is expected to come to something, if it goes on as it has so far."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from math import ceil, inf, sqrt

from scipy.stats import norm

from purchase_intent.stats.always_valid import always_valid_boundary
from purchase_intent.stats.arms import ArmFinding
from purchase_intent.stats.boundaries import boundaries
from purchase_intent.stats.evidence import Evidence
from purchase_intent.stats.inference import Estimate, Interval
from purchase_intent.stats.monitoring import Look
from purchase_intent.stats.plan import Plan

__all__ = ["date_of", "deciding_share"]

DAYS = 400


def date_of(plan: Plan, evidence: Evidence, share: float) -> date | None:
    """The day by which this share of the planned units is in; None without traffic, or where that is years away."""
    missing = max(share - evidence.look(plan).share, 0.0) * plan.units
    if not evidence.per_day > 0 or missing / evidence.per_day > 10 * 365:
        return None
    return evidence.day + timedelta(days=ceil(missing / evidence.per_day))


def deciding_share(plan: Plan, evidence: Evidence, arm: ArmFinding) -> float:
    """The share of the planned units at which the arm would be decided, were its estimates so far the truth.

    At most 1, the planned end.
    """
    look = evidence.look(plan)
    primary = arm.estimates[plan.primary.name]
    needed = [_reached(primary)]
    for guardrail in plan.guardrails:
        found = arm.estimates.get(guardrail.metric.name)
        if found is not None and found.lift is not None and guardrail.metric.name in arm.unproven:
            room = guardrail.metric.sign * found.lift.value + guardrail.margin
            needed.append(_within(found.lift, found.alpha, room, higher=guardrail.metric.higher_is_better))
    for share, boundary in _coming(plan, evidence, look):
        growth = sqrt(share / look.share)
        if all(strength(growth) >= boundary for strength in needed):
            return share
    return 1.0


def _reached(found: Estimate) -> Callable[[float], float]:
    """The estimate in standard errors once these have shrunk by a factor."""
    z = float(norm.isf(max(found.p_value, 1e-300) / 2))
    return lambda growth: z * growth


def _within(lift: Interval, alpha: float, room: float, *, higher: bool) -> Callable[[float], float]:
    """The room to the margin in standard errors of the lift, read off its interval."""
    reach = abs(lift.value - (lift.low if higher else lift.high))
    error = reach / float(norm.isf(alpha / 2)) if 0 < reach < inf else inf
    return lambda growth: room / error * growth


def _coming(plan: Plan, evidence: Evidence, look: Look) -> list[tuple[float, float]]:
    """Shares at the looks still to come, and their boundaries: the planned looks, or each day where none is planned."""
    watched, alpha = plan.monitoring, plan.monitoring.alpha / len(plan.treatments)
    if not watched.looks:
        step = max(evidence.per_day / plan.units, 1 / DAYS)
        days = ceil(max(1 - look.share, 0.0) / step)
        shares = [min(look.share + step * (day + 1), 1.0) for day in range(days)]
        return [(share, always_valid_boundary(share, alpha, watched.tuned)) for share in shares]
    taken = look.previous
    if look.planned and (not taken or look.share > taken[-1]):
        taken = (*taken, look.share)
    ahead = tuple(share for share in watched.shares() if share > max((*taken, look.share)))
    if not ahead:
        return []
    limits = boundaries(taken + ahead, alpha * (1 - watched.reserve), watched.spending)
    return list(zip(ahead, limits[len(taken) :], strict=True))
