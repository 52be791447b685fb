"""Customers over the API: what is said of each at night, and why."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from purchase_intent.api.examples import REFUSED, bad, missing, shown
from purchase_intent.api.pages import VisitorPages
from purchase_intent.api.permissions import MaySeeCustomers
from purchase_intent.api.serializers import (
    ContributionSerializer,
    Query,
    ReasonSerializer,
)
from purchase_intent.api.views import Endpoint, documented, of_site, parameters, told_parts
from purchase_intent.models import Horizon, ModelVersion, Visitor
from purchase_intent.scoring.answer import Standing
from purchase_intent.scoring.explanation import explain_next_visit
from purchase_intent.scoring.rules import CUTOFFS

__all__ = ["VisitorExplanationView", "VisitorView", "VisitorsView"]

_NOBODY: Final = "No visitor has this number: take one from the list of visitors."


class HorizonField(serializers.ChoiceField):
    """Of which question a score is the answer."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=tuple(Horizon.values), **options)


class VisitorSerializer(serializers.ModelSerializer[Visitor]):
    """A visitor with what was said of it at night."""

    visitor = serializers.IntegerField(source="pk", help_text="The visitor's number in the admin.")
    customer = serializers.CharField(help_text="The shop's own key; empty for nobody known.")
    score = serializers.FloatField(allow_null=True, min_value=0, max_value=1, help_text="Probability of a purchase.")
    horizon = serializers.SerializerMethodField(
        help_text="`week`: of a purchase within seven days; `session`: in the next visit; null without a score."
    )
    churn = serializers.FloatField(allow_null=True, help_text="Probability of no visit within 30 days.")
    revenue_28d = serializers.FloatField(allow_null=True, help_text="Expected, in the shop's currency.")
    value_12m = serializers.FloatField(allow_null=True, help_text="Expected revenue, in the shop's currency.")

    class Meta:
        model = Visitor
        fields = (
            *("visitor", "site", "customer", "known", "score", "band", "horizon"),
            *("churn", "revenue_28d", "value_12m", "scored_at", "first_seen", "last_seen"),
        )

    def get_horizon(self, visitor: Visitor) -> str | None:
        """Of which question the score is the answer."""
        if visitor.score is None:
            return None
        return Horizon.SESSION.value if visitor.score_days is None else Horizon.WEEK.value


class VisitorExplanationSerializer(serializers.Serializer[Any]):
    """What would be said of a visitor who came now, with its arithmetic."""

    visitor = serializers.IntegerField(help_text="The visitor's number in the admin.")
    site = serializers.CharField(help_text="Which of several sites; empty where there is one.")
    horizon = HorizonField(help_text="Of which question this is the answer.")
    standing = serializers.ChoiceField(choices=[standing.value for standing in Standing])
    probability = serializers.FloatField(allow_null=True, min_value=0, max_value=1)
    band = serializers.CharField(help_text="The narrowest band the probability reaches; empty for none.")
    model = serializers.IntegerField(allow_null=True, help_text="The model version's number; null for rules.")
    moment = serializers.DateTimeField(help_text="The moment the answer is about.")
    log_odds = serializers.FloatField(allow_null=True, help_text="ln(p / (1 - p)).")
    base = serializers.FloatField(allow_null=True, help_text="What it starts from, before anything is known.")
    reasons = ReasonSerializer(many=True, help_text="The strongest causes in words, the strongest first.")
    contributions = ContributionSerializer(many=True, help_text="By feature, the strongest first.")


class VisitorQuery(Query):
    """Filters of the list."""

    band = serializers.ChoiceField(
        choices=tuple(CUTOFFS), required=False, help_text="Only visitors whose narrowest band this is."
    )
    horizon = HorizonField(required=False, help_text="Only visitors with a score that answers this question.")
    active_since = serializers.DateTimeField(required=False, help_text="Only visitors seen then or later.")
    customer = serializers.CharField(
        required=False, max_length=500, help_text="Only the one with this key of the shop."
    )
    site = serializers.CharField(required=False, allow_blank=True, max_length=64, help_text="Only those of one site.")
    page_size = serializers.IntegerField(
        required=False, min_value=1, max_value=200, help_text="Visitors a page, 50 unless told."
    )
    cursor = serializers.CharField(required=False, help_text="Where to go on: from `next` or `previous`.")


class NoQuery(Query):
    """No parameter at all."""


class ReasonsQuery(Query):
    """How much to say of a visitor."""

    reasons = serializers.IntegerField(
        required=False, default=5, min_value=0, max_value=20, help_text="How many causes to put into words."
    )


_SHOWN: Final = {
    "visitor": 4711,
    "site": "",
    "customer": "ada",
    "known": True,
    "score": 0.184,
    "band": "top_5",
    "horizon": "week",
    "churn": 0.31,
    "revenue_28d": 21.4,
    "value_12m": 188.0,
    "scored_at": "2026-03-01T02:00:00Z",
    "first_seen": "2025-11-02T18:21:07Z",
    "last_seen": "2026-02-28T20:14:55Z",
}
_WHY: Final = {
    "visitor": 4711,
    "site": "",
    "horizon": "week",
    "standing": "scored",
    "probability": 0.184,
    "band": "top_5",
    "model": 5,
    "moment": "2026-03-01T12:00:00Z",
    "log_odds": -1.49,
    "base": -3.2,
    "reasons": [{"text": "Bought 9 days ago", "effect": 0.9, "features": ["since_past_purchase"]}],
    "contributions": [
        {
            "feature": "since_past_purchase",
            "meaning": "Since the latest purchase of an earlier visit",
            "unit": "s",
            "value": 777600.0,
            "effect": 0.9,
        }
    ],
}
VISITORS: Final[dict[str, Any]] = {
    "operation_id": "list_visitors",
    "tags": ["visitors"],
    "parameters": [VisitorQuery],
    "responses": {
        200: VisitorSerializer(many=True),
        **bad("band", "“top_2” is not a valid choice."),
        **REFUSED,
    },
    "examples": shown("a visitor", _SHOWN),
}
VISITOR: Final[dict[str, Any]] = {
    "operation_id": "visitor",
    "tags": ["visitors"],
    "responses": {
        200: VisitorSerializer,
        **bad("site", "Not a parameter."),
        **missing("visitor_not_found", _NOBODY),
        **REFUSED,
    },
    "examples": shown("a visitor", _SHOWN),
}
EXPLANATION: Final[dict[str, Any]] = {
    "operation_id": "explain_visitor",
    "tags": ["visitors"],
    "parameters": [ReasonsQuery],
    "responses": {
        200: VisitorExplanationSerializer,
        **bad("reasons", "Ensure this value is less than or equal to 20."),
        **missing("visitor_not_found", _NOBODY),
        **REFUSED,
    },
    "examples": shown("an explanation", _WHY),
}


class _Visitors(Endpoint):
    permission_classes = (MaySeeCustomers,)
    queryset = Visitor.objects.all()  # type: ignore[assignment]  # the others answer of sessions
    serializer_class = VisitorSerializer  # type: ignore[assignment]


class VisitorsView(_Visitors, ListAPIView[Any]):
    """Visitors of the shop, who was seen last first."""

    pagination_class = VisitorPages

    @documented(VISITORS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List visitors with their latest scores, who was seen last first. Bots and the shop's people are left out."""
        return self.list(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Any]:
        """The visitors that the parameters ask for, without their packed pasts."""
        asked = parameters(VisitorQuery, self.request)
        found = of_site(Visitor.objects.people().defer("past"), self.request)
        if "horizon" in asked:
            found = found.filter(score__isnull=False, score_days__isnull=asked["horizon"] == Horizon.SESSION)
        if "active_since" in asked:
            found = found.filter(last_seen__gte=asked["active_since"])
        return found.filter(**{name: asked[name] for name in ("band", "customer", "site") if name in asked})


class VisitorView(_Visitors):
    """One visitor."""

    @documented(VISITOR)
    def get(self, request: Request, number: int) -> Response:
        """Tell what was said of a visitor at night."""
        parameters(NoQuery, request)
        return Response(VisitorSerializer(_numbered(number, request)).data)


class VisitorExplanationView(_Visitors):
    """What is said of a visitor, taken apart."""

    serializer_class = VisitorExplanationSerializer  # type: ignore[assignment]

    @documented(EXPLANATION)
    def get(self, request: Request, number: int) -> Response:
        """Say why a visitor is as likely to buy as it is: as of now, as if a visit began on the home page.

        By the model that also speaks at night. With new events since, the probability is another than the stored one.
        """
        asked = parameters(ReasonsQuery, request)
        visitor, now = _numbered(number, request), timezone.now()
        explanation = explain_next_visit(visitor, at=now, most=asked["reasons"])
        intent = explanation.intent
        told = {
            "visitor": visitor.pk,
            "site": visitor.site,
            "horizon": _horizon_of(intent.model),
            "standing": intent.standing.value,
            "probability": intent.probability,
            "band": intent.band,
            "model": intent.model,
            "moment": now,
        }
        return Response(VisitorExplanationSerializer(told | told_parts(explanation)).data)


def _numbered(number: int, request: Request) -> Visitor:
    found = of_site(Visitor.objects.filter(pk=number), request).first()
    if found is None:
        raise NotFound(_("No visitor has this number: take one from the list of visitors."), code="visitor_not_found")
    return found


def _horizon_of(model: int | None) -> str:
    """Of which question a model's answer is; rules speak of the next visit."""
    found = ModelVersion.objects.filter(pk=model).values_list("horizon", flat=True) if model is not None else ()
    return next((str(each) for each in found), Horizon.SESSION.value)
