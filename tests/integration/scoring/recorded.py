"""Sessions recorded as the shop records them, for tests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from purchase_intent.events import Event, EventName, Page
from purchase_intent.models import Session
from purchase_intent.tracking.recorder import Journey, Sender
from tests.integration.models.builders import NOON

__all__ = ["BOUGHT", "Act", "recorded"]

Act = tuple[float, EventName, dict[str, Any]]
MUGS = {"product": "mug", "price": 12.5, "quantity": 2}

BOUGHT: tuple[Act, ...] = (
    (0, EventName.PAGE_VIEW, {"page": Page.HOME}),
    (10, EventName.VIEW, {"product": "mug", "price": 12.5}),
    (40, EventName.CART, MUGS | {"page": Page.PRODUCT}),
    (60, EventName.VIEW_CART, {}),
    (90, EventName.CHECKOUT, MUGS),
    (150, EventName.PURCHASE, MUGS | {"order": "A-1", "revenue": 25.0}),
)
"""From the home page to two mugs, by the second."""


def recorded(*acts: Act, visitor: str = "v", session: str = "s") -> Session:
    """The session after `acts`, each at its second after NOON."""
    events = [
        Event(
            event_id=f"{session}{number}",
            name=name,
            occurred_at=NOON + timedelta(seconds=second),
            visitor=visitor,
            **fields,
        )
        for number, (second, name, fields) in enumerate(acts)
    ]
    done = Journey(Sender(visitor=visitor, session=session)).record(events)
    assert done.added == len(acts)
    found: Session = Session.objects.get(key=done.session)
    return found
