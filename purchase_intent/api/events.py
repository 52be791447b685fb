"""`POST events/`: batches from browsers and servers."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from purchase_intent.api import examples
from purchase_intent.api.bodies import AnyBody, AnyType
from purchase_intent.api.keys import KeyOrBrowser, MaySendEvents
from purchase_intent.api.problems import Unavailable
from purchase_intent.api.serializers import BatchSerializer
from purchase_intent.api.views import Endpoint, documented
from purchase_intent.exceptions import BatchRefused, IntentError
from purchase_intent.models import ApiKey
from purchase_intent.tracking.attached import attached
from purchase_intent.tracking.cookieless import hand_over
from purchase_intent.tracking.identity import forget, keep_private
from purchase_intent.tracking.intake import browser, server
from purchase_intent.tracking.intake.batch import Batch, Verdict, read_batch
from purchase_intent.tracking.tracker import Tracker

__all__ = ["EventsView"]


# What is answered as accepted is committed by then.
@method_decorator(transaction.non_atomic_requests, name="dispatch")
class EventsView(Endpoint):
    """What browsers and servers tell."""

    authentication_classes = (KeyOrBrowser,)
    permission_classes = (MaySendEvents,)
    parser_classes = (AnyBody,)
    content_negotiation_class = AnyType
    serializer_class = BatchSerializer

    @documented(examples.EVENTS)
    def post(self, request: Request) -> Response:
        """Record a batch of events, each judged alone, and each once however often it is sent.

        A browser's page needs no key: its visitor is told by the shop's own cookie, money is not believed, and nothing
        is kept without consent. A server sends the same with a key, and says whose each event is.
        """
        try:
            body: Any = request.data
            batch = read_batch(body if isinstance(body, bytes) else b"")
            if isinstance(request.auth, ApiKey):
                return answered(server.take(request.auth, batch, timezone.now()))
            return from_browser(request._request, batch)  # noqa: SLF001 (documented by REST framework)
        except BatchRefused as refused:
            raise ValidationError({refused.field: refused.remedy}) from refused


def from_browser(request: HttpRequest, batch: Batch) -> Response:
    """Take a browser's batch, and set its cookie."""
    tracker = attached(request) or Tracker(request, timezone.now())
    try:
        taken = browser.take(tracker, batch, tracker.moment)
    except (IntentError, DatabaseError):
        raise
    except Exception as error:
        tracker.fail(error)  # the edge to the shop's own code
        raise Unavailable(_("The shop's adapter failed: the server's log says how."), code="adapter_failed") from error
    response = answered(taken.verdicts)
    keep_private(response)
    if taken.forget:
        forget(response)
    elif taken.identity is not None:
        hand_over(response, request, tracker.shop, taken.identity, cookie=tracker.cookie, site=tracker.site)
    return response


def answered(verdicts: list[Verdict]) -> Response:
    """The verdicts and their counts."""
    counts = {"accepted": 0, "duplicate": 0, "refused": 0}
    for verdict in verdicts:
        counts[verdict.status] += verdict.count
    results = [told(verdict) for verdict in verdicts]
    return Response({**counts, "results": results})


def told(verdict: Verdict) -> dict[str, Any]:
    """One verdict as VerdictSerializer spells it."""
    found: dict[str, Any] = {"index": verdict.index, "event_id": verdict.event_id, "status": verdict.status}
    if verdict.count > 1:
        found["count"] = verdict.count
    if verdict.refusal is not None:
        found |= {
            "field": verdict.refusal.field,
            "reason": str(verdict.refusal.reason),
            "detail": verdict.refusal.remedy,
        }
    return found
