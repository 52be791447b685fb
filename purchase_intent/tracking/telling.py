"""The edge between the shop's code and the tracker: what is told wrongly is logged with its remedy, never raised."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from django.http import HttpRequest

from purchase_intent.events import EventName
from purchase_intent.events.reasons import Reason
from purchase_intent.exceptions import EventRefused
from purchase_intent.tracking.attached import attached, tracker_of
from purchase_intent.tracking.consent import is_off
from purchase_intent.tracking.deeds import Line, order_deeds, spelled
from purchase_intent.tracking.refusals import note_refusal
from purchase_intent.tracking.tracker import Tracker

__all__ = ["logged_in", "logged_out", "shown_again", "tell", "tell_order"]

logger = logging.getLogger("purchase_intent.tracking")


def tell(request: HttpRequest, name: object, **given: object) -> None:
    """Have one event recorded with the request."""
    _edge(request, f"track({_short(name)})", lambda tracker: tracker.add_deed(spelled(name), **given))


def tell_order(
    request: HttpRequest, *, number: object, revenue: object, lines: Sequence[Line], currency: object
) -> None:
    """Have an order recorded with the request, and say which of its lines were refused."""
    call = f"track_order({_short(number)})"

    def add(tracker: Tracker) -> None:
        if currency and currency != tracker.shop.currency:
            raise EventRefused(
                field="currency",
                reason=Reason.BAD_REVENUE,
                remedy=f"give amounts in the shop's currency, which its adapter says is {tracker.shop.currency!r}",
            )
        events, refusals = order_deeds(tracker.source, number=number, revenue=revenue, lines=lines)
        for refusal in {refusal.message: refusal for refusal in refusals}.values():
            _refused(f"A line of {call}", refusal)
        tracker.add(events)

    _edge(request, call, add)


def shown_again(request: HttpRequest) -> None:
    """Have no page view made of this page."""

    def pass_over(tracker: Tracker) -> None:
        tracker.is_page_view = False

    _edge(request, "shown_again", pass_over)


def logged_in(request: HttpRequest | None, **_: Any) -> None:
    """Receive Django's `user_logged_in`: a login of this request."""
    if attached(request) is not None:
        tell(request, "login")  # type: ignore[arg-type]


def logged_out(request: HttpRequest | None, **_: Any) -> None:
    """Receive Django's `user_logged_out`: a logout of this request, and somebody new from then on."""
    if attached(request) is not None:
        _edge(request, "a logout", lambda tracker: tracker.leave())  # type: ignore[arg-type]


def _edge(request: HttpRequest, call: str, add: Callable[[Tracker], None]) -> None:
    tracker = attached(request)
    if tracker is None:
        if not is_off():
            _say_once("track was called without a tracked request: list purchase_intent.middleware.TrackingMiddleware.")
    elif tracker.is_closed:
        _say_once("track was called after the response was made: call it in the view.")
    elif tracker_of(request) is not None:
        try:
            add(tracker)
        except EventRefused as refusal:
            _refused(call, refusal)
        except Exception as error:  # noqa: BLE001 - the edge to the shop's code: telling must not break a page
            tracker.fail(error)


def _refused(call: str, refusal: EventRefused) -> None:
    logger.warning("%s is not recorded: %s", call, refusal.message)
    note_refusal(str(refusal.reason), refusal.field)


@lru_cache(maxsize=8)
def _say_once(message: str) -> None:
    logger.warning(message)


def _short(value: object) -> str:
    """What to know a call by: a name or a number; of anything else the type, since its own words may fail."""
    if isinstance(value, EventName):
        return repr(value.label)
    if isinstance(value, str):
        return repr(value[:60])
    if value is None or (type(value) is int and abs(value) < 2**64):
        return repr(value)
    return type(value).__name__
