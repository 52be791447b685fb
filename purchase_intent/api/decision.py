"""`GET decision/`: what a page out of a cache may show this very visitor. Bands and offers, never the score."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Final

from django.db import transaction
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from purchase_intent.api.bodies import AnyType
from purchase_intent.api.examples import TOO_MANY, UNAVAILABLE, bad, forbidden
from purchase_intent.api.keys import Browser, says_it_is_elsewhere
from purchase_intent.api.plain import PlainEndpoint
from purchase_intent.api.problems import AtTheEdge
from purchase_intent.api.serializers import StageField
from purchase_intent.api.views import documented
from purchase_intent.metrics import SCORE_SECONDS
from purchase_intent.scoring.answer import UNKNOWN, Intent, Standing
from purchase_intent.segments.placeholders import LONGEST, MOST, read_conditions
from purchase_intent.segments.subject import Subject
from purchase_intent.tracking.attached import attached
from purchase_intent.tracking.foreseen import Foreseen
from purchase_intent.tracking.sinks.answering import answer_as_it_stands
from purchase_intent.tracking.tracker import Tracker

__all__ = ["DecisionView", "IsOwnPage", "is_followed"]

_ASKED: Final = "if"
_ELSEWHERE: Final = _(
    "Only pages of this site may ask what they may show: the answer is for the visitor's own browser."
)


class DecisionSerializer(serializers.Serializer[Any]):
    """What a page may show a visitor."""

    standing = serializers.ChoiceField(
        choices=[standing.value for standing in Standing], help_text="Where the answer comes from; `unknown`: no visit."
    )
    band = serializers.CharField(help_text="The narrowest band of the visit; empty for none.")
    bands = serializers.ListField(child=serializers.CharField(), help_text="Every band of it.")
    stage = StageField(help_text="How far the visit has come.")
    offer = serializers.BooleanField(
        allow_null=True, help_text="Whether the shop's offer is for this visit; null where there is no rule for it."
    )
    holds = serializers.ListField(
        child=serializers.CharField(), help_text="Those of the conditions asked for that hold, as they were given."
    )


_PARAMETER: Final = OpenApiParameter(
    _ASKED,
    type=str,
    many=True,
    required=False,
    description=f"A condition of the page, as in `data-intent-if`: a band, `offer`, or a signed one; {MOST} at most.",
)
_FOUND: Final = {
    "standing": "scored",
    "band": "top_5",
    "bands": ["top_20", "top_5"],
    "stage": "cart",
    "offer": True,
    "holds": ["top_20"],
}
DECISION: Final[dict[str, Any]] = {
    "operation_id": "decide",
    "tags": ["decision"],
    "parameters": [_PARAMETER],
    "responses": {
        200: DecisionSerializer,
        **bad(_ASKED, f"ask for at most {MOST} conditions at once"),
        **forbidden(str(_ELSEWHERE)),
        **TOO_MANY,
        **UNAVAILABLE,
    },
    "examples": [OpenApiExample("a decision", value=_FOUND, response_only=True, status_codes=["200"])],
}


class IsOwnPage(BasePermission):
    """A page of this very site, as far as the browser says."""

    message = _ELSEWHERE

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 - the signature is the framework's
        """Whether nothing says that it is another site's."""
        return not says_it_is_elsewhere(request._request)  # noqa: SLF001 (documented by REST framework)


@method_decorator(transaction.non_atomic_requests, name="dispatch")
class DecisionView(PlainEndpoint):
    """The live decision on one's own visit."""

    authentication_classes = (Browser,)
    takes_keys = False
    permission_classes = (IsOwnPage,)
    content_negotiation_class = AnyType
    serializer_class = DecisionSerializer
    rate = "intent-decision"
    allow = "GET, HEAD, OPTIONS"
    beside: ClassVar[Mapping[str, str]] = {"Cache-Control": "no-store, private", "Vary": "Cookie"}

    @classmethod
    def plainly(cls, request: HttpRequest) -> dict[str, Any] | None:
        """The decision, where the visitor's own page asks for it."""
        if request.method != "GET" or says_it_is_elsewhere(request):
            return None
        tracker = _tracker(request)
        cls.let_through(lambda: _sender(tracker))
        return _found(tracker, request.GET)

    @cached_property
    def tracker(self) -> Tracker:
        """Whose visit it is."""
        return _tracker(self.request._request)  # noqa: SLF001 (documented by REST framework)

    def sender_for(self, request: Request) -> str | None:  # noqa: ARG002 - it is the view's own
        """The visitor of the shop's cookie."""
        return _sender(self.tracker)

    @documented(DECISION)
    def get(self, request: Request) -> Response:
        """Say what a page may show the visitor whose cookie comes along: band, stage, offer, and which conditions hold.

        As of the visit's latest event, with consent only; the probability is not told. Without a visit everything is
        empty. Nothing is recorded by asking, and no cache may keep the answer.
        """
        return Response(_found(self.tracker, request.query_params), headers=dict(self.beside))


def _tracker(request: HttpRequest) -> Tracker:
    return attached(request) or Tracker(request, timezone.now())


def _sender(tracker: Tracker) -> str | None:
    """Whom the throttle counts: the visitor of the cookie; who has none is asked nothing of the database for."""
    with AtTheEdge(tracker.fail):
        return f"visitor {tracker.identity.visitor}" if is_followed(tracker) else None


def _found(tracker: Tracker, given: QueryDict) -> dict[str, Any]:
    asked = _conditions(given)
    with AtTheEdge(tracker.fail), SCORE_SECONDS.timing():
        return _decided(tracker, asked)


def _conditions(given: QueryDict) -> list[str]:
    """The conditions asked for. ValidationError names the parameter and the remedy."""
    for name in given:
        if name != _ASKED:
            raise ValidationError({name: _("Not a parameter. Use one of: if.")})
    asked = given.getlist(_ASKED)
    if len(asked) > MOST:
        raise ValidationError({_ASKED: _("Ask for at most %(most)d conditions at once.") % {"most": MOST}})
    return [each for each in dict.fromkeys(asked) if len(each) <= LONGEST]


def is_followed(tracker: Tracker) -> bool:
    """Whether there may be a visit of this browser's at all; costs no query."""
    return tracker.may_record and (tracker.shop.cookieless or tracker.cookie is not None)


def _decided(tracker: Tracker, asked: list[str]) -> dict[str, Any]:
    if not is_followed(tracker):
        return _told(UNKNOWN, [])
    conditions = read_conditions(asked)
    is_looked_at = any(condition.segments for condition in conditions)
    intent, visit = answer_as_it_stands(tracker.journey, at=tracker.moment, is_looked_at=is_looked_at)
    if intent.standing is Standing.UNKNOWN:
        return _told(UNKNOWN, [])
    subject = _subject(visit, intent) if visit is not None else None
    return _told(intent, [condition.text for condition in conditions if condition.holds(intent, subject)])


def _subject(visit: Foreseen, intent: Intent) -> Subject:
    visitor = visit.session.visitor if visit.session is not None else None
    return Subject(visit.state, visit.past, visit.state.last, intent=lambda: intent, visitor=visitor)


def _told(intent: Intent, holds: list[str]) -> dict[str, Any]:
    return {
        "standing": intent.standing.value,
        "band": intent.band,
        "bands": sorted(intent.bands),
        "stage": intent.stage.name.lower(),
        "offer": intent.offer,
        "holds": holds,
    }
