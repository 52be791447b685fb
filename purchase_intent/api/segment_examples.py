"""What the OpenAPI document says of the segments' endpoints: parameters, answers, examples."""

from __future__ import annotations

from typing import Any, Final

from purchase_intent.api.describing import described, only_staff
from purchase_intent.api.examples import MISSING, REFUSED, bad, conflict, missing, shown, unreadable
from purchase_intent.api.segment_bodies import (
    FieldSerializer,
    MemberQuery,
    MemberSerializer,
    NewSegmentSerializer,
    PreviewQuery,
    ReportSerializer,
    SegmentChangeSerializer,
    SegmentPreviewSerializer,
    SegmentQuery,
    SegmentSerializer,
    SessionSegmentsSerializer,
    VersionSerializer,
)
from purchase_intent.api.serializers import AnswerQuery

__all__ = ["MEMBERS", "NO_SEGMENT", "OF_SESSION", "SEGMENTS"]

NO_SEGMENT: Final = "No segment has this key: take one from the list of segments."

_INTERVAL: Final = {"value": 0.051, "low": 0.042, "high": 0.061, "of": 1271.0}
_SEGMENT: Final = {
    "key": "high-value",
    "title": "High value",
    "about": "The top band of the model.",
    "action": "Take what stands in the way.",
    "active": True,
    "version": 1,
    "rule": {"match": "all", "conditions": [{"field": "band", "operator": ">=", "value": "top_1"}]},
    "measured_at": "2026-03-01T03:40:00Z",
    "size": 78,
    "looked_at": 12477,
    "figures": {"conversion": _INTERVAL},
}
_MEMBER: Final = {
    "visitor": 4711,
    "customer": "ada",
    "version": 1,
    "entered_at": "2026-03-01T03:40:00Z",
    "left_at": None,
    "why": "",
}
_OF_SESSION: Final = {
    "session": "5f1c0f6f0b7d4c3f9a53f0c4b8a1d2e3",
    "segments": ["evening-browsers", "new-visitors"],
    "moment": "2026-03-01T12:04:00Z",
}
_NOT_ACTIVE: Final = "“yes” is not a valid choice."
_NO_SIZE: Final = "Ensure this value is less than or equal to 200."

_NOT_FOUND: Final = missing("segment_not_found", NO_SEGMENT)
_RULE: Final = {"match": "all", "conditions": [{"field": "band", "operator": ">=", "value": "top_1"}]}
_UNFIT: Final = bad("rule", "condition 1, field: there is no field “bnd”: the nearest is band")
_SENDING: Final = unreadable()
_NEW: Final = {
    "key": "high-value",
    "title": "High value",
    "about": "The top band of the model.",
    "action": "Take what stands in the way.",
    "rule": _RULE,
}

SEGMENTS: Final[dict[str, Any]] = {
    "operation_id": "list_segments",
    "tags": ["segments"],
    "parameters": [SegmentQuery],
    "responses": {200: SegmentSerializer(many=True), **bad("active", _NOT_ACTIVE), **REFUSED},
    "examples": shown("a segment", _SEGMENT),
}
MEMBERS: Final[dict[str, Any]] = {
    "operation_id": "list_members",
    "tags": ["segments"],
    "parameters": [MemberQuery],
    "responses": {
        200: MemberSerializer(many=True),
        **bad("page_size", _NO_SIZE),
        **_NOT_FOUND,
        **REFUSED,
    },
    "examples": shown("a member", _MEMBER),
}
OF_SESSION: Final[dict[str, Any]] = {
    "operation_id": "segments_of_session",
    "tags": ["segments"],
    "parameters": [AnswerQuery],
    "responses": {
        200: SessionSegmentsSerializer,
        **bad("site", "Sessions of several sites have this key: say which site."),
        **MISSING,
        **REFUSED,
    },
    "examples": shown("its segments", _OF_SESSION),
}
CREATE: Final = described(
    "create_segment",
    SegmentSerializer,
    _SEGMENT | {"measured_at": None, "size": None, "looked_at": None, "figures": {}},
    {
        **_UNFIT,
        **only_staff("add_segment"),
        **_SENDING,
        **conflict("segment_refused", "key: another segment is called high-value: its key is taken for good"),
    },
    tag="segments",
    status=201,
    request=NewSegmentSerializer,
    example=_NEW,
)
READ: Final = described("read_segment", SegmentSerializer, _SEGMENT, {**REFUSED, **_NOT_FOUND}, tag="segments")
CHANGE: Final = described(
    "change_segment",
    SegmentSerializer,
    _SEGMENT | {"version": 2},
    {**_UNFIT, **only_staff("change_segment"), **_NOT_FOUND, **_SENDING},
    tag="segments",
    request=SegmentChangeSerializer,
    example={"rule": _RULE, "action": "Take what stands in the way."},
)
PREVIEW: Final = described(
    "preview_segment",
    SegmentPreviewSerializer,
    {
        "members": 13,
        "tried": 2_000,
        "everybody": 12_477,
        "low": 47,
        "high": 139,
        "whole": False,
        "figures": {"conversion": _INTERVAL},
        "examples": [4711],
    },
    {**_UNFIT, **only_staff("add_segment", "change_segment"), **_SENDING},
    tag="segments",
    request=PreviewQuery,
    example={"rule": _RULE},
)
REPORTS: Final = described(
    "list_segment_reports",
    ReportSerializer(many=True),
    {
        "measured_at": "2026-03-01T03:40:00Z",
        "version": 2,
        "size": 78,
        "looked_at": 12_477,
        "figures": {"conversion": _INTERVAL},
    },
    {**REFUSED, **_NOT_FOUND},
    tag="segments",
)
VERSIONS: Final = described(
    "list_segment_versions",
    VersionSerializer(many=True),
    {"version": 2, "rule": _RULE, "made_at": "2026-03-01T09:00:00Z", "who": "ada"},
    {**REFUSED, **_NOT_FOUND},
    tag="segments",
)
FIELDS: Final = described(
    "list_segment_fields",
    FieldSerializer(many=True),
    {
        "field": "stage",
        "label": "How far it has come",
        "unit": "stage",
        "group": "this visit",
        "kind": "rank",
        "operators": [">=", "=", "in"],
        "choices": ["browsing", "product", "cart"],
    },
    REFUSED,
    tag="segments",
)
