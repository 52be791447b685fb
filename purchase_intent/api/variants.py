"""`GET variants/`: the arms of the visitor whose cookie comes along, for front ends that are not made by templates."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from purchase_intent.api.bodies import AnyType
from purchase_intent.api.decision import IsOwnPage, is_followed
from purchase_intent.api.examples import TOO_MANY, UNAVAILABLE, bad, forbidden
from purchase_intent.api.keys import Browser
from purchase_intent.api.problems import AtTheEdge
from purchase_intent.api.views import Endpoint, documented
from purchase_intent.experiments.active import experiments
from purchase_intent.experiments.showing import FORCE, forced_arm
from purchase_intent.shortcuts import arms_of
from purchase_intent.tracking.attached import attach, attached
from purchase_intent.tracking.tracker import Tracker

__all__ = ["VariantsView"]

_ASKED: Final = "experiment"
_MOST: Final = 50


class VariantsSerializer(serializers.Serializer[Any]):
    """Arms by experiment."""

    variants = serializers.DictField(
        child=serializers.CharField(),
        help_text="By the experiment's key: the arm to show; the default one to whom it leaves alone.",
    )


VARIANTS: Final[dict[str, Any]] = {
    "operation_id": "read_variants",
    "tags": ["experiments"],
    "parameters": [
        OpenApiParameter(
            _ASKED,
            type=str,
            many=True,
            required=False,
            description=f"The key of an experiment, {_MOST} at most; all that run or were stopped without it.",
        ),
        OpenApiParameter(
            FORCE,
            type=str,
            required=False,
            description="For the shop's own people alone: `KEY:ARM` previews an arm, also before the start.",
        ),
    ],
    "responses": {
        200: VariantsSerializer,
        **bad(_ASKED, f"Ask for at most {_MOST} experiments at once."),
        **forbidden(str(IsOwnPage.message)),
        **TOO_MANY,
        **UNAVAILABLE,
    },
    "examples": [
        OpenApiExample(
            "arms", value={"variants": {"free-shipping-bar": "bar"}}, response_only=True, status_codes=["200"]
        )
    ],
}


@method_decorator(transaction.non_atomic_requests, name="dispatch")
class VariantsView(Endpoint):
    """The arms of one's own visit."""

    authentication_classes = (Browser,)
    takes_keys = False
    permission_classes = (IsOwnPage,)
    content_negotiation_class = AnyType
    serializer_class = VariantsSerializer
    rate = "intent-decision"

    @cached_property
    def tracker(self) -> Tracker:
        """Whose visit it is."""
        request = self.request._request  # noqa: SLF001 (documented by REST framework)
        if attached(request) is None:
            attach(request)
        return attached(request) or Tracker(request, timezone.now())

    def sender_for(self, request: Request) -> str | None:  # noqa: ARG002 - it is the view's own
        """The visitor of the shop's cookie; who has none is asked nothing of the database for."""
        with AtTheEdge(self.tracker.fail):
            return f"visitor {self.tracker.identity.visitor}" if is_followed(self.tracker) else None

    @documented(VARIANTS)
    def get(self, request: Request) -> Response:
        """Say which arms to show the visitor whose cookie comes along. Nobody is counted by asking.

        What was shown is told by `POST exposures/`, and counts once. An experiment that is not known is left out.
        """
        wanted = _wanted(request)
        with AtTheEdge(self.tracker.fail):
            found = _arms(self.tracker, wanted)
        response = Response({"variants": found})
        response["Cache-Control"] = "no-store, private"
        response["Vary"] = "Cookie"
        return response


def _wanted(request: Request) -> set[str] | None:
    """The keys asked for, None for all. ValidationError names the parameter and the remedy."""
    given = request.query_params
    for name in given:
        if name not in (_ASKED, FORCE):
            raise ValidationError({name: _("Not a parameter. Use one of: experiment, intent_arm.")})
    keys = set(given.getlist(_ASKED))
    if len(keys) > _MOST:
        raise ValidationError({_ASKED: _("Ask for at most %(most)d experiments at once.") % {"most": _MOST}})
    return keys or None


def _arms(tracker: Tracker, wanted: set[str] | None) -> dict[str, str]:
    known = {key: each for key, each in experiments().items() if wanted is None or key in wanted}
    if not is_followed(tracker) or tracker.has_left:
        return {key: forced_arm(tracker, each) or each.default for key, each in known.items()}
    request = tracker.request
    showing = arms_of(request, tracker)
    return {key: showing.foreseen(each).arm for key, each in known.items()}
