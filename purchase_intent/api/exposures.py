"""`POST exposures/`: which arms a page's own script has shown, each counted once and none taken on trust."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from purchase_intent.api.bodies import AnyBody, AnyType
from purchase_intent.api.examples import TOO_LARGE, TOO_MANY, UNAVAILABLE, WRONG_TYPE, bad, forbidden, shown
from purchase_intent.api.keys import Browser, is_same_origin
from purchase_intent.api.throttles import address_of
from purchase_intent.api.views import Endpoint, documented
from purchase_intent.experiments.active import experiments
from purchase_intent.shortcuts import arms_of
from purchase_intent.tracking.attached import attach, attached, tracker_of
from purchase_intent.tracking.identity import keep_private
from purchase_intent.tracking.tracker import Tracker

__all__ = ["ExposuresView"]

MOST: Final = 50
"""Experiments in one request."""
_REMEDY: Final = 'send an object: {"exposures": {"an-experiment": "the arm that was shown"}}, with 50 entries at most'


class ExposuresSerializer(serializers.Serializer[Any]):
    """What a page's script has shown."""

    exposures = serializers.DictField(
        child=serializers.CharField(), help_text="The arm that was shown, by the experiment's key."
    )


class CountedSerializer(serializers.Serializer[Any]):
    """What became of it."""

    results = serializers.DictField(
        child=serializers.CharField(),
        help_text="By the experiment's key: `counted` (now or before), `not_taking_part`, `another_arm`, "
        "`unknown_experiment`, `no_consent`, `no_cookie`.",
    )


class OwnPages(BasePermission):
    """A page of this very site."""

    message = gettext_lazy("Only pages of this site tell of what they have shown.")

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 - the signature is the framework's
        """Whether a page of this site sends."""
        return request.auth is None and is_same_origin(request._request)  # noqa: SLF001 (documented by the framework)


EXPOSURES: Final[dict[str, Any]] = {
    "operation_id": "tell_exposures",
    "tags": ["experiments"],
    "request": {"application/json": ExposuresSerializer, "text/plain": ExposuresSerializer},
    "responses": {
        200: CountedSerializer,
        **bad("exposures", _REMEDY),
        **forbidden("Only pages of this site tell of what they have shown."),
        **TOO_LARGE,
        **WRONG_TYPE,
        **TOO_MANY,
        **UNAVAILABLE,
    },
    "examples": [
        OpenApiExample("an arm", value={"exposures": {"free-shipping-bar": "bar"}}, request_only=True),
        *shown("counted", {"results": {"free-shipping-bar": "counted"}}),
    ],
}


# What is answered as counted is committed by then.
@method_decorator(transaction.non_atomic_requests, name="dispatch")
class ExposuresView(Endpoint):
    """What a page's own script has shown."""

    authentication_classes = (Browser,)
    takes_keys = False
    rate = "intent-events"
    permission_classes = (OwnPages,)
    parser_classes = (AnyBody,)
    content_negotiation_class = AnyType
    serializer_class = ExposuresSerializer

    def sender_for(self, request: Request) -> str:
        """The address: whoever is logged in is not asked for."""
        return address_of(request)

    @documented(EXPOSURES)
    def post(self, request: Request) -> Response:
        """Count a visitor's exposures, each once however often it is sent.

        The visitor is told by the shop's own cookie, and the arm is drawn here once more: where a page has shown
        another one, nothing is counted.
        """
        arms = _read(request.data)
        asked = request._request  # noqa: SLF001 (documented by REST framework)
        if attached(asked) is None:
            attach(asked)
        tracker = tracker_of(asked)
        response = Response({"results": _counted(tracker, arms)})
        keep_private(response)
        return response


def _read(body: Any) -> dict[str, str]:
    """The arms by experiment. ValidationError for anything else."""
    try:
        sent = json.loads(body if isinstance(body, bytes) else b"")
    except (ValueError, RecursionError):
        raise ValidationError({"body": _REMEDY}) from None
    arms = sent.get("exposures") if isinstance(sent, Mapping) else None
    if not isinstance(arms, Mapping) or not 0 < len(arms) <= MOST:
        raise ValidationError({"exposures": _REMEDY})
    # Half a surrogate pair could not be answered, and no experiment has it in its key.
    if not all(isinstance(arm, str) and key.isprintable() for key, arm in arms.items()):
        raise ValidationError({"exposures": _REMEDY})
    return dict(arms)


def _counted(tracker: Tracker | None, arms: Mapping[str, str]) -> dict[str, str]:
    """What becomes of each; those that count are stored by then."""
    if tracker is None:
        return dict.fromkeys(arms, "no_consent")
    if not tracker.shop.cookieless and tracker.cookie is None:
        return dict.fromkeys(arms, "no_cookie")
    request, known = tracker.request, experiments()
    showing = arms_of(request, tracker)
    results = {}
    for key, arm in arms.items():
        if key not in known:
            results[key] = "unknown_experiment"
            continue
        results[key] = showing.told(known[key], arm)
    showing.write_now()
    return results
