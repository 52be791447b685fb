"""What the OpenAPI document says of `predict/` and `predict/batch/`: their shapes and examples."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from purchase_intent.api.examples import REFUSED, TOO_LARGE, WRONG_TYPE, bad
from purchase_intent.api.serializers import (
    BatchSerializer,
    ReasonSerializer,
    StageField,
    ToldEventSerializer,
    VerdictSerializer,
)
from purchase_intent.scoring.answer import Standing
from purchase_intent.tracking.intake.questions import MOST_REASONS, MOST_SESSIONS

__all__ = ["BATCH", "PREDICT", "PredictionSerializer", "PredictionsSerializer"]


class QuestionSerializer(BatchSerializer):
    """One shopper's events, in the payload of `events/`, and how many reasons are wanted."""

    reasons = serializers.IntegerField(
        required=False, default=0, min_value=0, max_value=MOST_REASONS, help_text="How many causes to put into words."
    )


class SessionQuestionSerializer(serializers.Serializer[Any]):
    """One of many visits."""

    key = serializers.CharField(required=False, allow_null=True, max_length=500, help_text="The sender's own.")
    events = ToldEventSerializer(many=True)


class QuestionsSerializer(serializers.Serializer[Any]):
    """Many shoppers' events."""

    sessions = SessionQuestionSerializer(many=True, help_text=f"{MOST_SESSIONS} at most, 10000 events in all.")
    sent_at = serializers.IntegerField(required=False, help_text="The sender's clock when it sends.")


class PredictionSerializer(serializers.Serializer[Any]):
    """The score of a visit as of its latest event, and what became of the events."""

    standing = serializers.ChoiceField(
        choices=[standing.value for standing in Standing],
        help_text="Where the answer comes from, or why there is none: `unknown` where no event was fit.",
    )
    probability = serializers.FloatField(
        allow_null=True, min_value=0, max_value=1, help_text="That this visit still buys; null without a number."
    )
    band = serializers.CharField(help_text="The narrowest band the probability reaches; empty for none.")
    bands = serializers.ListField(child=serializers.CharField(), help_text="Every band it reaches.")
    stage = StageField(help_text="How far the visit has come.")
    model = serializers.IntegerField(allow_null=True, help_text="The model version's number; null for rules.")
    offer = serializers.BooleanField(
        allow_null=True, help_text="Whether the shop's offer is for this score; null where it stored no rule for it."
    )
    moment = serializers.DateTimeField(allow_null=True, help_text="Of the latest event, by the server's clock.")
    reasons = ReasonSerializer(many=True, help_text="As many causes as were asked for, the strongest first.")
    accepted = serializers.IntegerField(help_text="Events that were folded.")
    duplicate = serializers.IntegerField(help_text="Events whose id had come before.")
    refused = serializers.IntegerField(help_text="Events that are not fit.")
    results = VerdictSerializer(many=True, help_text="Why, for each event that was refused.")


class SessionPredictionSerializer(PredictionSerializer):
    """The score of one of many visits."""

    index = serializers.IntegerField(help_text="Its place in the request, from 0.")
    key = serializers.CharField(allow_null=True, help_text="As it was sent.")


class PredictionsSerializer(serializers.Serializer[Any]):
    """The scores of many visits, in the order sent."""

    sessions = SessionPredictionSerializer(many=True)


_EVENTS: Final = [
    {"event_id": "6f1", "name": "view", "occurred_at": 1764000000000, "product": "1001", "price": 19.5},
    {"event_id": "6f2", "name": "cart", "occurred_at": 1764000040000, "product": "1001", "quantity": 2},
]
_ANSWER: Final = {
    "standing": "scored",
    "probability": 0.314,
    "band": "top_5",
    "bands": ["top_20", "top_5"],
    "stage": "cart",
    "model": 3,
    "offer": True,
    "moment": "2025-11-24T16:00:40Z",
    "reasons": [{"text": "Has put something into the basket", "effect": 2.2, "features": ["stage"]}],
    "accepted": 2,
    "duplicate": 0,
    "refused": 0,
    "results": [],
}


def _shown(title: str, asked: object, answered: object) -> list[OpenApiExample]:
    return [
        OpenApiExample(title, value=asked, request_only=True),
        OpenApiExample("the answer", value=answered, response_only=True, status_codes=["200"]),
    ]


def _answers(shape: type[serializers.Serializer[Any]], field: str, detail: str) -> dict[Any, Any]:
    return {
        200: OpenApiResponse(shape),
        **bad(field, detail),
        **REFUSED,
        **TOO_LARGE,
        **WRONG_TYPE,
    }


PREDICT: Final[dict[str, Any]] = {
    "operation_id": "predict",
    "tags": ["predict"],
    "request": {"application/json": QuestionSerializer},
    "responses": _answers(PredictionSerializer, "reasons", f"give a whole number from 0 to {MOST_REASONS}"),
    "examples": _shown("a visit", {"sent_at": 1764000041000, "events": _EVENTS, "reasons": 1}, _ANSWER),
}
BATCH: Final[dict[str, Any]] = {
    "operation_id": "predict_batch",
    "tags": ["predict"],
    "request": {"application/json": QuestionsSerializer},
    "responses": _answers(PredictionsSerializer, "sessions", "send a list of at least one session"),
    "examples": _shown(
        "two visits",
        {
            "sent_at": 1764000041000,
            "sessions": [{"key": "a", "events": _EVENTS}, {"key": "b", "events": _EVENTS[:1]}],
        },
        {"sessions": [{"index": 0, "key": "a"} | _ANSWER | {"reasons": []}]},
    ),
}
