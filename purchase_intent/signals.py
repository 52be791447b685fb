"""What the app tells the shop, after the fact and after the commit.

Each is sent with `send_robust`: a receiver that fails is logged and changes nothing for the shopper.

- `session_started`: `session` (a `Session`); the first event of a visit was recorded
- `events_recorded`: `session`, `events` (those added, as `purchase_intent.events.Event`, in order)
- `visitor_known`: `visitor` (a `Visitor`), `session`; an anonymous visitor has logged in
- `order_recorded`: `order` (an `Order`), `session`; once an order
- `session_closed`: `session`, whose `outcome` is now known
- `model_promoted`: `version` (a `ModelVersion`), which serves its horizon from now on
- `drift_found`: `report` (a `WatchReport`): live traffic has moved away from what the champion learnt
- `experiment_decided`: `experiment`, `look` (an `ExperimentLook`); a day's verdict is none that was given last
- `experiment_stopped`: `experiment`, `who`; everybody is shown the same from now on
"""

from __future__ import annotations

from django.dispatch import Signal

__all__ = [
    "drift_found",
    "events_recorded",
    "experiment_decided",
    "experiment_stopped",
    "model_promoted",
    "order_recorded",
    "session_closed",
    "session_started",
    "visitor_known",
]

session_started = Signal()
events_recorded = Signal()
visitor_known = Signal()
order_recorded = Signal()
session_closed = Signal()
model_promoted = Signal()
drift_found = Signal()
experiment_decided = Signal()
experiment_stopped = Signal()
