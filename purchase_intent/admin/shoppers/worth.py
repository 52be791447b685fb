"""What a customer's score is the chance of, and what is expected of one, in words with units and periods."""

from __future__ import annotations

from typing import Any, Final

from purchase_intent.admin.saying import money, per_cent
from purchase_intent.exceptions import ModelNotFound
from purchase_intent.models import Horizon, ModelVersion, Visitor

__all__ = ["question", "that", "when", "worth_rows"]

_TITLES: Final = {
    "churn": "Chance to stay away for 30 days",
    "revenue": "Revenue expected in the next 28 days",
    "value": "Revenue expected in the next 12 months",
}


def when(visitor: Visitor) -> str:
    """By when a purchase is meant, short: "within 7 days"."""
    return "within 7 days" if visitor.score_days is not None else "on the next visit"


def that(visitor: Visitor) -> str:
    """What the chance is that of: "that the customer buys within 7 days"."""
    is_week = visitor.score_days is not None
    return "that the customer buys within 7 days" if is_week else "that the next visit buys"


def question(visitor: Visitor) -> str:
    """The heading over the chance."""
    return "Will this customer buy within 7 days?" if visitor.score_days is not None else "Will the next visit buy?"


def worth_rows(visitor: Visitor) -> list[tuple[str, str]]:
    """Churn, revenue and value: a number with its unit, or in words why there is none."""
    shown = {
        "churn": None if visitor.churn is None else per_cent(visitor.churn),
        "revenue": None if visitor.revenue_28d is None else money(visitor.revenue_28d),
        "value": None if visitor.value_12m is None else money(visitor.value_12m),
    }
    lacking = _lacking(visitor) if None in shown.values() else {}
    return [(title, shown[name] or lacking[name]) for name, title in _TITLES.items()]


def _lacking(visitor: Visitor) -> dict[str, str]:
    if visitor.score is None:
        return dict.fromkeys(_TITLES, "not known: the customer is not scored yet")
    if visitor.score_days is None:
        why = "not known: it comes with a model of the week, and none served when the customer was scored"
        return dict.fromkeys(_TITLES, why)
    try:
        figures: Any = ModelVersion.objects.champion(Horizon.WEEK).figures
    except ModelNotFound:
        figures = {}
    beside = figures.get("customers", {}) if isinstance(figures, dict) else {}
    return {
        name: f"not known: the model {found['lacking']}"
        if isinstance(found := beside.get(name), dict) and "lacking" in found
        else "not known: it comes with the next nightly scores"
        for name in _TITLES
    }
