"""Shoppers folded as the shop folds them, and segments to judge them by."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from purchase_intent.events import EventName
from purchase_intent.features.past import tell
from purchase_intent.features.state import PAST_LAYOUT, Past
from purchase_intent.models import Order, Segment, Session, Visitor
from purchase_intent.segments.editing import make_segment
from purchase_intent.segments.rules import Rule
from tests.integration.desk.things import visitor, walk

__all__ = ["CART", "CHECKOUT", "MONDAY", "PURCHASE", "SUNDAY", "VIEW", "Make", "rule_of", "segment_of", "shopper"]

MONDAY = datetime(2026, 3, 2, 3, 40, tzinfo=UTC)
"""When the members are told: the night after the shoppers' Sunday."""
SUNDAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
VIEW, CART, CHECKOUT, PURCHASE = EventName.VIEW, EventName.CART, EventName.CHECKOUT, EventName.PURCHASE

Make = Callable[..., Segment]


def rule_of(*conditions: tuple[str, str, Any], match: str = "all") -> Rule:
    """A rule of conditions given as field, operator and value."""
    rows = [{"field": field, "operator": operator, "value": value} for field, operator, value in conditions]
    return Rule.from_json({"match": match, "conditions": rows})


def shopper(
    name: str, *visits: tuple[EventName, ...], begin: datetime = SUNDAY, revenue: str = "19.50", **fields: Any
) -> Visitor:
    """A visitor with a visit a day, the latest at `begin`; a visit that bought has an order."""
    owner = visitor(name, first_seen=begin - timedelta(days=len(visits)), last_seen=begin, **fields)
    told = Past()
    for place, names in enumerate(visits):
        at = begin - timedelta(days=len(visits) - 1 - place)
        session = walk(owner, f"{name}-{place}", names, begin=at, closed_at=at + timedelta(hours=1), outcome="left")
        Session.objects.filter(pk=session.pk).update(past=PAST_LAYOUT.dumps(told))
        tell(told, session.read_state())
        if PURCHASE in names:
            Session.objects.filter(pk=session.pk).update(outcome="bought")
            Order.objects.create(
                number=f"{name}-{place}", visitor=owner, session=session, revenue=Decimal(revenue), placed_at=at
            )
    return owner


def segment_of(key: str, *conditions: tuple[str, str, Any], match: str = "all") -> Segment:
    """A segment of conditions given as field, operator and value."""
    title = key.replace("-", " ").capitalize()
    return make_segment(rule_of(*conditions, match=match), who="test", now=SUNDAY, key=key, title=title)
