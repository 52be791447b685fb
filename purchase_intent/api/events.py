"""`POST events/`: batches from browsers and servers."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.decorators import method_decorator
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from purchase_intent.api import examples
from purchase_intent.api.bodies import AnyBody, AnyType
from purchase_intent.api.keys import Key, MaySendEvents
from purchase_intent.api.problems import AtTheEdge
from purchase_intent.api.serializers import BatchSerializer
from purchase_intent.api.throttles import address_of, sender_of
from purchase_intent.api.views import Endpoint, documented
from purchase_intent.exceptions import BatchRefused
from purchase_intent.models import ApiKey
from purchase_intent.tracking.attached import attached
from purchase_intent.tracking.cookieless import hand_over
from purchase_intent.tracking.identity import forget, keep_private
from purchase_intent.tracking.intake import browser, server
from purchase_intent.tracking.intake.batch import Batch, Verdict, read_batch
from purchase_intent.tracking.tracker import Tracker

__all__ = ["EventsView", "told"]


# What is answered as accepted is committed by then.
@method_decorator(transaction.non_atomic_requests, name="dispatch")
class EventsView(Endpoint):
    """What browsers and servers tell."""

    permission_classes = (MaySendEvents,)
    parser_classes = (AnyBody,)
    content_negotiation_class = AnyType
    serializer_class = BatchSerializer

    def get_authenticators(self) -> list[BaseAuthentication]:
        """A key, or nobody is asked who they are, and no CSRF token is."""
        return [Key(is_alone=True)]

    def rate_for(self, request: Request) -> str:
        """A server sends for many."""
        return "intent-server" if isinstance(request.auth, ApiKey) else "intent-events"

    def sender_for(self, request: Request) -> str:
        """The key, or the address: whoever is logged in is not asked for."""
        return sender_of(request) if isinstance(request.auth, ApiKey) else address_of(request)

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
    with AtTheEdge(tracker.fail):
        taken = browser.take(tracker, batch, tracker.moment)
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
