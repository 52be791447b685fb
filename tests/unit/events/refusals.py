"""What the tests of events share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from purchase_intent.events import Event, Reason
from purchase_intent.exceptions import EventRefused

LOG_ONLY = {Reason.BROKEN_LINE, Reason.DUPLICATE_EVENT_ID}


def tried(make: Callable[..., Event], *values: Any, **named: Any) -> Event | str:
    """The event, or the reason why there is none; any other error is one of ours."""
    try:
        return make(*values, **named)
    except EventRefused as refused:
        return refused.reason
