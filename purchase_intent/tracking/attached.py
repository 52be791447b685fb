"""The tracker that a request carries: given by the middleware, found by whoever tells, scores or shows."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest
from django.utils import timezone

from purchase_intent.tracking.pages import is_unseen
from purchase_intent.tracking.tracker import Tracker

__all__ = ["attach", "attached", "tracker_of"]

_ATTRIBUTE: Final = "_purchase_intent_tracker"


def attach(request: HttpRequest) -> Tracker | None:
    """Give a request its tracker; None where it has one already, because the middleware is listed twice."""
    if attached(request) is not None:
        return None
    tracker = Tracker(request, timezone.now())
    setattr(request, _ATTRIBUTE, tracker)
    return tracker


def attached(request: object) -> Tracker | None:
    """The request's tracker, whether it may record or not; None without the middleware."""
    found = getattr(request, _ATTRIBUTE, None)
    return found if isinstance(found, Tracker) else None


def tracker_of(request: HttpRequest) -> Tracker | None:
    """The request's tracker; None where nothing may be recorded: no middleware, no consent, a page loaded ahead."""
    tracker = attached(request)
    if tracker is None or is_unseen(request):
        return None
    try:
        return tracker if tracker.may_record else None
    except Exception as error:  # noqa: BLE001 - the edge to the shop's own code
        tracker.fail(error)
        return None
