"""What a metric makes of a person's deeds: an outcome, and for a ratio its denominator, each within the window.

| metric | outcome | denominator |
|---|---|---|
| conversion | 1 with an order | |
| revenue | what all orders brought, winsorised | |
| order value | the same, each order winsorised | orders |
| add to cart | 1 with something put into the basket | |
| cart abandonment | 1 with a basket and no order | 1 with a basket |
| event | 1 with such an event | |
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from purchase_intent.events import EventName
from purchase_intent.experiments.definition import MetricSpec
from purchase_intent.experiments.measuring.sql import ORDER
from purchase_intent.experiments.measuring.stream import Deeds, Numbers
from purchase_intent.models import MetricKind
from purchase_intent.stats.inference import Kind

__all__ = ["DAY", "Outcome", "events_of", "higher_is_better", "kind_of", "needs_cap", "outcome", "wants_orders"]

DAY: Final = 86_400_000_000
"""Microseconds."""
_KINDS: Final = {
    MetricKind.REVENUE: Kind.MEAN,
    MetricKind.ORDER_VALUE: Kind.RATIO,
    MetricKind.CART_ABANDONMENT: Kind.RATIO,
}
_MONEY: Final = (MetricKind.REVENUE, MetricKind.ORDER_VALUE)
_EVENTS: Final = {name.label: name for name in EventName}
_UNWANTED: Final = frozenset({EventName.REMOVE_FROM_CART.label, EventName.LOGOUT.label})


@dataclass(frozen=True, slots=True)
class Outcome:
    """A line each person."""

    y: Numbers
    d: Numbers | None = None


def kind_of(metric: MetricSpec) -> Kind:
    """Which formulas are right for it."""
    return _KINDS.get(MetricKind(metric.kind), Kind.RATE)


def higher_is_better(metric: MetricSpec) -> bool:
    """Whether a shop wants more of it."""
    return metric.kind != MetricKind.CART_ABANDONMENT and metric.event not in _UNWANTED


def needs_cap(metric: MetricSpec) -> bool:
    """Whether it is money, whose long tail is winsorised."""
    return metric.kind in _MONEY


def wants_orders(metrics: Iterable[MetricSpec]) -> bool:
    """Whether orders have to be read."""
    wanted = (MetricKind.CONVERSION, MetricKind.CART_ABANDONMENT, *_MONEY)
    return any(metric.kind in wanted for metric in metrics)


def events_of(metrics: Iterable[MetricSpec]) -> list[int]:
    """The events that have to be read, in order."""
    wanted = {_event(metric) for metric in metrics}
    return sorted(name.value for name in wanted if name is not None)


def outcome(metric: MetricSpec, deeds: Deeds, cap: float | None) -> Outcome:
    """Each person's, `cap` being where money is cut off."""
    within = deeds.after <= metric.window_days * DAY
    ordered = within & (deeds.what == ORDER)
    match metric.kind:
        case MetricKind.CONVERSION:
            return Outcome(_any(deeds, ordered))
        case MetricKind.REVENUE:
            spent = _sum(deeds, ordered, deeds.amount)
            return Outcome(spent if cap is None else np.minimum(spent, cap))
        case MetricKind.ORDER_VALUE:
            each = deeds.amount if cap is None else np.minimum(deeds.amount, cap)
            return Outcome(_sum(deeds, ordered, each), _sum(deeds, ordered, np.ones_like(each)))
        case MetricKind.CART_ABANDONMENT:
            filled = _any(deeds, within & (deeds.what == EventName.CART.value))
            return Outcome(filled * (1 - _any(deeds, ordered)), filled)
    event = _event(metric)
    return Outcome(_any(deeds, within & (deeds.what == (0 if event is None else event.value))))


def to_be_capped(metric: MetricSpec, deeds: Deeds) -> Numbers:
    """The values among which the cap of a metric is a quantile: a person's revenue, or that of an order."""
    ordered = (deeds.after <= metric.window_days * DAY) & (deeds.what == ORDER)
    return _sum(deeds, ordered, deeds.amount) if metric.kind == MetricKind.REVENUE else deeds.amount[ordered]


def _event(metric: MetricSpec) -> EventName | None:
    if metric.kind in (MetricKind.ADD_TO_CART, MetricKind.CART_ABANDONMENT):
        return EventName.CART
    return _EVENTS[metric.event] if metric.kind == MetricKind.EVENT else None


def _sum(deeds: Deeds, chosen: np.ndarray, amount: Numbers) -> Numbers:
    return np.asarray(np.bincount(deeds.line[chosen], amount[chosen], deeds.people), np.float64)


def _any(deeds: Deeds, chosen: np.ndarray) -> Numbers:
    return (np.bincount(deeds.line[chosen], minlength=deeds.people) > 0).astype(np.float64)
