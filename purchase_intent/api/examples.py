"""What the OpenAPI document says of each endpoint beyond its shapes: parameters, answers, examples."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from purchase_intent.api.problems import CONTENT_TYPE
from purchase_intent.api.serializers import (
    AnswerQuery,
    BatchSerializer,
    ExplanationQuery,
    ExplanationSerializer,
    ProblemSerializer,
    ScoreSerializer,
    SessionQuery,
    SessionSerializer,
    VerdictsSerializer,
)

__all__ = [
    "EVENTS",
    "EXPLANATION",
    "MISSING",
    "REFUSED",
    "SCORE",
    "SESSIONS",
    "TOO_LARGE",
    "TOO_MANY",
    "UNAVAILABLE",
    "WRONG_TYPE",
    "bad",
    "conflict",
    "forbidden",
    "missing",
    "shown",
    "unreadable",
]

KEY: Final = "5f1c0f6f0b7d4c3f9a53f0c4b8a1d2e3"
SESSION: Final = {
    "key": KEY,
    "site": "",
    "visitor": 4711,
    "stage": "cart",
    "score": 0.314,
    "band": "top_5",
    "last_at": "2026-03-01T12:04:00Z",
    "open": True,
}
ANSWER: Final = {
    "session": KEY,
    "site": "",
    "standing": "scored",
    "probability": 0.314,
    "band": "top_5",
    "bands": ["top_20", "top_5"],
    "stage": "cart",
    "model": 3,
    "recalibration": {
        "id": 12,
        "slope": 1.0,
        "intercept": -0.21,
        "since": "2026-02-27T02:30:00Z",
        "sessions": 4120,
    },
    "offer": True,
    "moment": "2026-03-01T12:04:00Z",
}
WHY: Final = ANSWER | {
    "log_odds": -0.78,
    "base": -3.9,
    "reasons": [
        {
            "text": "Came back to the basket twice in ten minutes",
            "effect": 2.1,
            "features": ["basket_visits", "since_last_basket"],
        }
    ],
    "contributions": [
        {
            "feature": "basket_visits",
            "meaning": "Visits to the basket page",
            "unit": "count",
            "value": 3.0,
            "effect": 1.6,
        }
    ],
}


def _problem(status: int, title: str, code: str, detail: str, field: str = "") -> OpenApiResponse:
    value: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}
    if field:
        value |= {"detail": f"{field}: {detail}", "errors": [{"field": field, "detail": detail}]}
    shown = OpenApiExample(code, value=value, media_type=CONTENT_TYPE, status_codes=[str(status)])
    return OpenApiResponse(ProblemSerializer, description=title, examples=[shown])


TOO_MANY: Final = {
    (429, CONTENT_TYPE): _problem(
        429, "Too Many Requests", "throttled", "Request was throttled. Expected available in 2 seconds."
    )
}
TOO_LARGE: Final = {
    (413, CONTENT_TYPE): _problem(
        413, "Request Entity Too Large", "too_large", "A batch has at most 65536 bytes: send it in parts."
    )
}
WRONG_TYPE: Final = {
    (415, CONTENT_TYPE): _problem(
        415, "Unsupported Media Type", "unsupported_media_type", "Send JSON, under any type but a form's."
    )
}
UNAVAILABLE: Final = {
    (503, CONTENT_TYPE): _problem(
        503,
        "Service Unavailable",
        "database_unavailable",
        "The database does not answer. Try again in a minute; the server's log says more.",
    )
}
REFUSED: Final = {
    (401, CONTENT_TYPE): _problem(
        401, "Unauthorized", "not_authenticated", "Authentication credentials were not provided."
    ),
    (403, CONTENT_TYPE): _problem(
        403,
        "Forbidden",
        "permission_denied",
        "Only staff with the permission purchase_intent.view_session may ask, or a server whose key has the scope "
        "scores: let an administrator grant it.",
    ),
    **UNAVAILABLE,
    **TOO_MANY,
}


def forbidden(detail: str) -> dict[Any, OpenApiResponse]:
    """The answer to who may not ask."""
    return {(403, CONTENT_TYPE): _problem(403, "Forbidden", "permission_denied", detail)}


def missing(code: str, detail: str) -> dict[Any, OpenApiResponse]:
    """The answer where the path names nothing."""
    return {(404, CONTENT_TYPE): _problem(404, "Not Found", code, detail)}


def conflict(code: str, detail: str) -> dict[Any, OpenApiResponse]:
    """The answer where what is asked for does not go with how far things have come."""
    return {(409, CONTENT_TYPE): _problem(409, "Conflict", code, detail)}


def unreadable() -> dict[Any, OpenApiResponse]:
    """The answer to a body that is no JSON by its type."""
    detail = "Unsupported media type “text/plain” in request."
    return {(415, CONTENT_TYPE): _problem(415, "Unsupported Media Type", "unsupported_media_type", detail)}


MISSING: Final = missing("session_not_found", "No session has this key: take one from the list of sessions.")


def bad(field: str, detail: str) -> dict[Any, OpenApiResponse]:
    """The answer to a parameter that is not fit."""
    return {(400, CONTENT_TYPE): _problem(400, "Bad Request", "invalid", detail, field)}


def shown(name: str, value: object) -> list[OpenApiExample]:
    """What an answer looks like."""
    return [OpenApiExample(name, value=value, response_only=True, status_codes=["200"])]


NO_BAND: Final = "“top_2” is none of them. Use one of: top_1, top_5, top_20."
NO_SITE: Final = "Sessions of several sites have this key: say which site."

SESSIONS: Final[dict[str, Any]] = {
    "operation_id": "list_sessions",
    "tags": ["sessions"],
    "parameters": [SessionQuery],
    "responses": {200: SessionSerializer(many=True), **bad("band", NO_BAND), **REFUSED},
    "examples": shown("a session", SESSION),
}
SCORE: Final[dict[str, Any]] = {
    "operation_id": "score_session",
    "tags": ["sessions"],
    "parameters": [AnswerQuery],
    "responses": {200: ScoreSerializer, **bad("site", NO_SITE), **MISSING, **REFUSED},
    "examples": shown("a score", ANSWER),
}
EXPLANATION: Final[dict[str, Any]] = {
    "operation_id": "explain_session",
    "tags": ["sessions"],
    "parameters": [ExplanationQuery],
    "responses": {200: ExplanationSerializer, **bad("site", NO_SITE), **MISSING, **REFUSED},
    "examples": shown("an explanation", WHY),
}

SENT: Final = {
    "sent_at": 1764000001000,
    "events": [
        {"event_id": "6f1", "name": "view", "occurred_at": 1764000000000, "page": "product", "product": "1001"},
        {"event_id": "6f2", "name": "purchase", "occurred_at": 1764000000500, "order": "A-1"},
    ],
}
TAKEN: Final = {
    "accepted": 1,
    "duplicate": 0,
    "refused": 1,
    "results": [
        {"index": 0, "event_id": "6f1", "status": "accepted"},
        {
            "index": 1,
            "event_id": "6f2",
            "status": "refused",
            "field": "name",
            "reason": "server_only",
            "detail": "tell it from the server: with track, or with a key",
        },
    ],
}
NO_SENDER: Final = "Only pages of this site may send without a key; a server needs one with the scope events."

EVENTS: Final[dict[str, Any]] = {
    "operation_id": "send_events",
    "tags": ["events"],
    "request": {"application/json": BatchSerializer, "text/plain": BatchSerializer},
    "responses": {
        200: VerdictsSerializer,
        **bad("events", "send a list of at least one event"),
        (401, CONTENT_TYPE): _problem(
            401, "Unauthorized", "authentication_failed", "This is no key in force: an administrator makes them."
        ),
        (403, CONTENT_TYPE): _problem(403, "Forbidden", "permission_denied", NO_SENDER),
        **TOO_LARGE,
        **WRONG_TYPE,
        **TOO_MANY,
        **UNAVAILABLE,
    },
    "examples": [
        OpenApiExample("a batch", value=SENT, request_only=True),
        OpenApiExample("a beacon", value=SENT, request_only=True, media_type="text/plain"),
        OpenApiExample("its verdicts", value=TAKEN, response_only=True, status_codes=["200"]),
    ],
}
