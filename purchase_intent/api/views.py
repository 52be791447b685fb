"""The endpoints. All of them read; none of them writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.pagination import BasePagination
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from purchase_intent.api import examples
from purchase_intent.api.keys import Key
from purchase_intent.api.pages import SessionPages
from purchase_intent.api.permissions import MaySeeSessions
from purchase_intent.api.problems import problem_details
from purchase_intent.api.serializers import (
    STAGES,
    AnswerQuery,
    ExplanationQuery,
    ExplanationSerializer,
    Query,
    ScoreSerializer,
    SessionQuery,
    SessionSerializer,
)
from purchase_intent.api.throttles import Throttle, sender_of
from purchase_intent.features.schema import FEATURES
from purchase_intent.models import ApiKey, Recalibration, Session
from purchase_intent.scoring.answer import Intent
from purchase_intent.scoring.explanation import Explanation, explain
from purchase_intent.scoring.score import answer

__all__ = [
    "Endpoint",
    "ExplanationView",
    "Guarded",
    "NothingView",
    "ScoreView",
    "SessionsView",
    "documented",
    "named_session",
    "of_site",
    "parameters",
    "told_parts",
]

Method = TypeVar("Method", bound=Callable[..., Any])
Found = TypeVar("Found", bound=QuerySet[Any])


def documented(told: dict[str, Any]) -> Callable[[Method], Method]:
    """Describe a method to drf-spectacular, on its own schema class whatever the project's default is."""

    def described(method: Method) -> Method:
        setattr(method, "kwargs", {"schema": AutoSchema})  # noqa: B010 - functions have no such attribute to mypy
        return extend_schema(**told)(method)

    return described


class Guarded(APIView):
    """Who is asking, how often, and how errors are told: the same everywhere here.

    Who is asking is told by a key, or by the project's own authentication classes. The rest is set here and not in the
    project's REST_FRAMEWORK, which may say otherwise for its own endpoints.
    """

    permission_classes: Sequence[type[BasePermission]] = (MaySeeSessions,)
    throttle_classes: Sequence[type[BaseThrottle]] = (Throttle,)
    versioning_class = None
    takes_keys = True
    rate = "intent-scores"
    """Which of the rates of `throttles` holds."""

    def get_exception_handler(self) -> Callable[..., Response | None]:
        """Answer errors with problem details."""
        return problem_details

    def get_authenticators(self) -> list[BaseAuthentication]:
        """A key counts first: other classes would take it for a token of theirs."""
        found: list[BaseAuthentication] = super().get_authenticators()
        return [Key(), *found] if self.takes_keys else found

    def rate_for(self, request: Request) -> str:  # noqa: ARG002 - for those that ask whose request it is
        """The name of the rate that holds for a request."""
        return self.rate

    def sender_for(self, request: Request) -> str | None:
        """Whom the throttle counts; None for nobody."""
        return sender_of(request)


class Endpoint(Guarded, GenericAPIView[Session]):
    """What all endpoints share beyond that."""

    renderer_classes = (JSONRenderer,)
    filter_backends = ()
    pagination_class: type[BasePagination] | None = None
    schema = AutoSchema()
    queryset = Session.objects.all()
    largest = 0
    """Bytes of a body; 0 where that hangs on the sender."""


class SessionsView(Endpoint, ListAPIView[Session]):
    """Sessions of shoppers, the latest first."""

    serializer_class = SessionSerializer
    pagination_class = SessionPages

    @documented(examples.SESSIONS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List sessions of shoppers, the latest first. Bots and the shop's own people are left out."""
        return self.list(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Session]:
        """The sessions that the parameters ask for, without their packed states."""
        asked = parameters(SessionQuery, self.request)
        found = of_site(Session.objects.of_people().defer("state", "past"), self.request)
        if "band" in asked:
            found = found.filter(band=asked["band"])
        if "stage" in asked:
            found = found.filter(stage=STAGES[asked["stage"]])
        if "open" in asked:
            found = found.filter(closed_at__isnull=asked["open"] == "true")
        return found


class ScoreView(Endpoint):
    """The score of one session."""

    serializer_class = ScoreSerializer

    @documented(examples.SCORE)
    def get(self, request: Request, key: str) -> Response:
        """Score a session as of its latest event, by today's champion or, without one, by the cold-start rules."""
        session = named_session(key, parameters(AnswerQuery, request), request)
        intent = answer(session.read_state(), session.read_past(), at=session.last_at)
        return Response(ScoreSerializer(told(session, intent)).data)


class ExplanationView(Endpoint):
    """The score of one session, taken apart."""

    serializer_class = ExplanationSerializer

    @documented(examples.EXPLANATION)
    def get(self, request: Request, key: str) -> Response:
        """Say why a session has its score: the causes in words, and every feature's share of the log-odds."""
        asked = parameters(ExplanationQuery, request)
        session = named_session(key, asked, request)
        explanation = explain(session, at=session.last_at, most=asked["reasons"])
        return Response(ExplanationSerializer(told_why(session, explanation)).data)


class NothingView(Guarded):
    """Whatever else is asked for under the API's own path."""

    authentication_classes = ()
    permission_classes = ()
    takes_keys = False
    renderer_classes = (JSONRenderer,)
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Say that there is nothing, whichever method is tried."""
        super().initial(request, *args, **kwargs)
        raise NotFound(_("Nothing is under this path: see the OpenAPI document."), code="endpoint_not_found")


def parameters(query: type[Query], request: Request) -> dict[str, Any]:
    """The request's parameters; ValidationError, naming field and remedy, where one is unknown or out of range."""
    given = query(data=request.query_params.dict())
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def of_site(found: Found, request: Request, *, by: str = "site") -> Found:
    """What a key may read: the rows of its own site; staff read all. `by` leads to the site from a row."""
    return found.filter(**{by: request.auth.site}) if isinstance(request.auth, ApiKey) else found


def named_session(key: str, asked: dict[str, Any], request: Request) -> Session:
    """The session of a key. NotFound where there is none, ValidationError where sites share the key."""
    # No text in the database holds a zero byte, and PostgreSQL takes none in a question.
    found = of_site(Session.objects.filter(key=key) if "\x00" not in key else Session.objects.none(), request)
    if "site" in asked:
        found = found.filter(site=asked["site"])
    sessions = list(found[:2])
    if not sessions:
        raise NotFound(_("No session has this key: take one from the list of sessions."), code="session_not_found")
    if len(sessions) > 1:
        raise ValidationError({"site": _("Sessions of several sites have this key: say which site.")})
    return sessions[0]


def told(session: Session, intent: Intent) -> dict[str, Any]:
    """An answer as ScoreSerializer spells it."""
    return {
        "session": session.key,
        "site": session.site,
        "standing": intent.standing.value,
        "probability": intent.probability,
        "band": intent.band,
        "bands": sorted(intent.bands),
        "stage": intent.stage,
        "model": intent.model,
        "recalibration": _correction(intent),
        "offer": intent.offer,
        "moment": session.last_at,
    }


def _correction(intent: Intent) -> Recalibration | None:
    if intent.recalibration is None:
        return None
    return Recalibration.objects.filter(pk=intent.recalibration).first()


def told_why(session: Session, explanation: Explanation) -> dict[str, Any]:
    """An explanation as ExplanationSerializer spells it."""
    return told(session, explanation.intent) | told_parts(explanation)


def told_parts(explanation: Explanation) -> dict[str, Any]:
    """The arithmetic of an explanation."""
    effects, values = explanation.effects, explanation.values
    ranked = sorted((item for item in FEATURES if item.name in effects), key=lambda item: -abs(effects[item.name]))
    return {
        "log_odds": explanation.log_odds,
        "base": explanation.base,
        "reasons": explanation.reasons,
        "contributions": [
            {
                "feature": item.name,
                "meaning": item.meaning,
                "unit": item.unit,
                "value": values[item.name],
                "effect": effects[item.name],
            }
            for item in ranked
        ],
    }
