"""What a sink is: a place that takes a request's events, and says when it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from purchase_intent.events import Event
from purchase_intent.scoring.answer import Intent
from purchase_intent.tracking.recorder import Journey, Recorded
from purchase_intent.tracking.sinks.breaker import Breaker

__all__ = ["Sink"]


class Sink(Protocol):
    """One place for events; the next one is asked where this one fails."""

    name: str
    breaker: Breaker
    faults: tuple[type[Exception], ...]
    """What it raises where it cannot be reached or takes no more: another sink may do. Anything else is a mistake."""

    def write(self, journey: Journey, events: Sequence[Event], *, score: Intent | None, seconds: float) -> Recorded:
        """Take the events: written through when this returns, which is in `seconds` or little more."""
        ...
