"""`POST predict/` and `predict/batch/`: events in, a score out. Nothing of them is kept, nobody's record is read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.decorators import method_decorator
from rest_framework import ISO_8601
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request, is_form_media_type
from rest_framework.response import Response
from rest_framework.serializers import DateTimeField
from rest_framework.settings import api_settings

from purchase_intent.api import predictions
from purchase_intent.api.bodies import AnyBody, AnyType, read_body
from purchase_intent.api.events import told as told_verdict
from purchase_intent.api.keys import key_of
from purchase_intent.api.permissions import MayPredict
from purchase_intent.api.plain import PlainEndpoint
from purchase_intent.api.throttles import sender_of_key
from purchase_intent.api.views import documented
from purchase_intent.exceptions import BatchRefused
from purchase_intent.metrics import PREDICTED, SCORE_SECONDS
from purchase_intent.models import Session
from purchase_intent.scoring.answer import UNKNOWN, Intent
from purchase_intent.scoring.score import answer, answers
from purchase_intent.tracking.intake.asking import Asked, asked
from purchase_intent.tracking.intake.batch import SERVER
from purchase_intent.tracking.intake.questions import LARGEST, read_question, read_questions

__all__ = ["PredictBatchView", "PredictView"]

_field: Final = DateTimeField()
_UTC: Final = "+00:00"


class _Asking(PlainEndpoint):
    """What both share: any sender with a key or of the staff, who brings along what is to be scored."""

    permission_classes = (MayPredict,)
    parser_classes = (AnyBody,)
    content_negotiation_class = AnyType
    allow = "POST, OPTIONS"

    @classmethod
    def plainly(cls, request: HttpRequest) -> dict[str, Any] | None:
        """The answer, where a server with a key asks; staff are known by the project's own classes."""
        if request.method != "POST" or is_form_media_type(request.META.get("CONTENT_TYPE", "")):
            return None
        key = key_of(request)
        if key is None or not key.may(MayPredict.scope) or not _is_fresh(request):
            return None
        cls.let_through(lambda: sender_of_key(key))
        return cls.answered(read_body(request, request.META, cls.largest))

    @classmethod
    def answered(cls, body: bytes) -> dict[str, Any]:
        """What to answer. ValidationError names the field and the remedy."""
        raise NotImplementedError


@method_decorator(transaction.non_atomic_requests, name="dispatch")
class PredictView(_Asking):
    """The score of one shopper's events."""

    rate = "intent-predict"
    largest = SERVER.size
    serializer_class = predictions.PredictionSerializer

    @documented(predictions.PREDICT)
    def post(self, request: Request) -> Response:
        """Score a visit by its events, which the request brings along in the payload of `events/`.

        The events are judged one by one; those that are fit go through the same fold as a tracked visit's and are
        forgotten. Earlier visits among them count as the shopper's past.
        """
        return Response(self.answered(_body(request)))

    @classmethod
    def answered(cls, body: bytes) -> dict[str, Any]:
        """The score of the visit. ValidationError names the field and the remedy."""
        try:
            question, reasons = read_question(body)
            (found,) = asked([question], timezone.now())
        except BatchRefused as refused:
            raise ValidationError({refused.field: refused.remedy}) from refused
        PREDICTED.add()
        return _told(found, _answer(found, reasons))


@method_decorator(transaction.non_atomic_requests, name="dispatch")
class PredictBatchView(_Asking):
    """The scores of many shoppers' events."""

    rate = "intent-batch"
    largest = LARGEST
    serializer_class = predictions.PredictionsSerializer

    @documented(predictions.BATCH)
    def post(self, request: Request) -> Response:
        """Score many visits at once, each by its own events, by calls of the learners on one matrix."""
        return Response(self.answered(_body(request)))

    @classmethod
    def answered(cls, body: bytes) -> dict[str, Any]:
        """The scores in the order sent. ValidationError names the field and the remedy."""
        try:
            keys, questions = read_questions(body)
            found = asked(questions, timezone.now())
        except BatchRefused as refused:
            raise ValidationError({refused.field: refused.remedy}) from refused
        PREDICTED.add(len(found))
        told = [
            {"index": place, "key": key} | _told(each, intent)
            for place, (key, each, intent) in enumerate(zip(keys, found, _answers(found), strict=True))
        ]
        return {"sessions": told}


def _is_fresh(request: HttpRequest) -> bool:
    """Whether there is a body that nobody has read yet."""
    length = str(request.META.get("CONTENT_LENGTH") or "")
    return length.isdigit() and int(length) > 0 and not getattr(request, "_read_started", True)


def _body(request: Request) -> bytes:
    body: Any = request.data
    return body if isinstance(body, bytes) else b""


def _answer(found: Asked, reasons: int) -> Intent:
    if found.at is None:
        return UNKNOWN
    # Not stored: it only names device, channel and country to whoever puts the causes into words.
    session = Session(**found.origin) if reasons else None
    with SCORE_SECONDS.timing():
        return answer(found.state, found.past, at=found.at, reasons=reasons, session=session, is_kept=False)


def _answers(found: Sequence[Asked]) -> list[Intent]:
    known = [each for each in found if each.at is not None]
    moments = [each.at for each in known if each.at is not None]
    given = iter(answers([(each.state, each.past) for each in known], at=moments))
    return [UNKNOWN if each.at is None else next(given) for each in found]


def _moment(at: datetime) -> Any:
    """A moment as REST framework's field spells it, which looks up each time how: mostly this way."""
    if not settings.USE_TZ or api_settings.DATETIME_FORMAT != ISO_8601:
        return _field.to_representation(at)
    text = timezone.localtime(at).isoformat()
    return text[: -len(_UTC)] + "Z" if text.endswith(_UTC) else text


def _told(found: Asked, intent: Intent) -> dict[str, Any]:
    """An answer as PredictionSerializer spells it."""
    return {
        "standing": intent.standing.value,
        "probability": intent.probability,
        "band": intent.band,
        "bands": sorted(intent.bands),
        "stage": intent.stage.name.lower(),
        "model": intent.model,
        "offer": intent.offer,
        "moment": _moment(found.at) if found.at is not None else None,
        "reasons": [
            {"text": each.text, "effect": each.effect, "features": list(each.features)} for each in intent.reasons
        ],
        "accepted": found.accepted,
        "duplicate": found.duplicate,
        "refused": sum(verdict.count for verdict in found.refused),
        "results": [told_verdict(verdict) for verdict in found.refused],
    }
