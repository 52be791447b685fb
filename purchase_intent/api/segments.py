"""Segments over the API: what each is worth, who belongs to it, and to which of them a session belongs."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from purchase_intent.api.examples import MISSING, REFUSED, bad, missing, shown
from purchase_intent.api.pages import MemberPages
from purchase_intent.api.serializers import AnswerQuery, Query
from purchase_intent.api.views import Endpoint, documented, named_session, of_site, parameters
from purchase_intent.models import Segment, SegmentMembership, SegmentReport, Session
from purchase_intent.scoring.score import answer, milliseconds
from purchase_intent.segments.live import segments_of
from purchase_intent.segments.subject import Subject

__all__ = ["MembersView", "SegmentsView", "SessionSegmentsView"]


class SegmentSerializer(serializers.Serializer[Any]):
    """A segment as it was last measured."""

    key = serializers.CharField(help_text="By which templates and this API name it.")
    title = serializers.CharField()
    about = serializers.CharField(help_text="Whom it means.")
    action = serializers.CharField(help_text="What to do about them.")
    active = serializers.BooleanField(source="is_active", help_text="Whether it is switched on.")
    version = serializers.IntegerField(source="current.number", allow_null=True, help_text="Of its conditions.")
    rule = serializers.JSONField(
        source="current.rule",
        allow_null=True,
        help_text="`match` (all, any) and `conditions`: field, operator, value.",
    )
    measured_at = serializers.SerializerMethodField(help_text="Null where nobody has been told yet.")
    size = serializers.SerializerMethodField(help_text="Shoppers of the last 90 days in it.")
    looked_at = serializers.SerializerMethodField(help_text="Of so many.")
    figures = serializers.SerializerMethodField(
        help_text="Conversion, average order, share of the revenue and traits, each with its 95% interval."
    )

    def get_measured_at(self, segment: Segment) -> str | None:
        """When it was measured."""
        report = self._report(segment)
        return None if report is None else serializers.DateTimeField().to_representation(report.moment)

    def get_size(self, segment: Segment) -> int | None:
        """How many belong to it."""
        report = self._report(segment)
        return None if report is None else report.size

    def get_looked_at(self, segment: Segment) -> int | None:
        """How many were looked at."""
        report = self._report(segment)
        return None if report is None else report.looked_at

    def get_figures(self, segment: Segment) -> dict[str, Any]:
        """What was measured."""
        report = self._report(segment)
        return {} if report is None else dict(report.figures)

    def _report(self, segment: Segment) -> SegmentReport | None:
        found: SegmentReport | None = self.context["reports"].get(segment.pk)
        return found


class MemberSerializer(serializers.ModelSerializer[SegmentMembership]):
    """A visitor in a segment."""

    visitor = serializers.IntegerField(source="visitor_id", help_text="The visitor's number in the admin.")
    customer = serializers.CharField(source="visitor.customer", help_text="The shop's own key; empty for nobody known.")
    version = serializers.IntegerField(source="version.number", help_text="Of the conditions it entered by.")
    entered_at = serializers.DateTimeField()

    class Meta:
        model = SegmentMembership
        fields = ("visitor", "customer", "version", "entered_at")


class SessionSegmentsSerializer(serializers.Serializer[Any]):
    """The segments of one visit."""

    session = serializers.CharField(help_text="The session's key.")
    segments = serializers.ListField(child=serializers.CharField(), help_text="Keys, in alphabetical order.")
    moment = serializers.DateTimeField(help_text="The moment the answer is about.")


class SegmentQuery(Query):
    """Filters of the list."""

    active = serializers.ChoiceField(
        choices=("true", "false"), required=False, help_text="Only those that are switched on, or only the others."
    )


class MemberQuery(Query):
    """Pages of the list."""

    page_size = serializers.IntegerField(
        required=False, min_value=1, max_value=200, help_text="Members a page, 50 unless told."
    )
    cursor = serializers.CharField(required=False, help_text="Where to go on: from `next` or `previous`.")


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
_MEMBER: Final = {"visitor": 4711, "customer": "ada", "version": 1, "entered_at": "2026-03-01T03:40:00Z"}
_OF_SESSION: Final = {
    "session": "5f1c0f6f0b7d4c3f9a53f0c4b8a1d2e3",
    "segments": ["evening-browsers", "new-visitors"],
    "moment": "2026-03-01T12:04:00Z",
}
_NOT_ACTIVE: Final = "“yes” is not a valid choice."
_NO_SIZE: Final = "Ensure this value is less than or equal to 200."

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
        **missing("segment_not_found", "No segment has this key: take one from the list of segments."),
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


class SegmentsView(Endpoint):
    """Every segment."""

    serializer_class = SegmentSerializer

    @documented(SEGMENTS)
    def get(self, request: Request) -> Response:
        """List the segments by title, each with its conditions and what was measured of it last."""
        asked = parameters(SegmentQuery, request)
        segments = Segment.objects.select_related("current").order_by("title", "pk")
        if "active" in asked:
            segments = segments.filter(is_active=asked["active"] == "true")
        rows = list(segments)
        reports = {each.segment_id: each for each in _latest_reports()}
        return Response(SegmentSerializer(rows, many=True, context={"reports": reports}).data)


class MembersView(Endpoint, ListAPIView[Any]):
    """Who belongs to a segment."""

    serializer_class = MemberSerializer  # type: ignore[assignment]  # the others answer of sessions
    pagination_class = MemberPages

    @documented(MEMBERS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List who belongs to a segment, as they were last told; who entered last comes first."""
        return self.list(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Any]:
        """The open memberships of the segment in the path."""
        parameters(MemberQuery, self.request)
        segment = Segment.objects.filter(key=self.kwargs["key"]).first()
        if segment is None:
            raise NotFound(_("No segment has this key: take one from the list of segments."), code="segment_not_found")
        members = of_site(SegmentMembership.objects.open().filter(segment=segment), self.request, by="visitor__site")
        return members.select_related("visitor", "version").defer("visitor__past")


class SessionSegmentsView(Endpoint):
    """To which segments a session belongs."""

    serializer_class = SessionSegmentsSerializer

    @documented(OF_SESSION)
    def get(self, request: Request, key: str) -> Response:
        """Name the segments of a session as of its latest event, by the conditions that are in force now."""
        session = named_session(key, parameters(AnswerQuery, request), request)
        found = {"session": session.key, "segments": _of(session), "moment": session.last_at}
        return Response(SessionSegmentsSerializer(found).data)


def _of(session: Session) -> tuple[str, ...]:
    state, past, at = session.read_state(), session.read_past(), session.last_at
    subject = Subject(state, past, milliseconds(at), intent=lambda: answer(state, past, at=at), visitor=session.visitor)
    return segments_of(subject) if state.events else ()


def _latest_reports() -> QuerySet[SegmentReport]:
    newest = SegmentReport.objects.filter(segment=OuterRef("pk")).order_by("-moment").values("pk")[:1]
    return SegmentReport.objects.filter(pk__in=Segment.objects.order_by().values(latest=Subquery(newest)))
