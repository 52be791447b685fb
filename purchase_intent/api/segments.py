"""Segments over the API: made, tried, changed and retired; what each is worth, and who belongs to it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.db import router, transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from rest_framework.exceptions import NotFound
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from purchase_intent.api import segment_examples as examples
from purchase_intent.api.pages import MemberPages
from purchase_intent.api.permissions import MayKeepSegments
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
from purchase_intent.api.staff import ADDED, CHANGED, StaffEndpoint, note_in_admin, refusals
from purchase_intent.api.views import Endpoint, documented, named_session, of_site, parameters
from purchase_intent.models import Segment, SegmentMembership, SegmentReport, Session
from purchase_intent.scoring.score import answer, milliseconds
from purchase_intent.segments.editing import make_segment, save_rule, switch
from purchase_intent.segments.fields import FIELDS
from purchase_intent.segments.live import segments_of
from purchase_intent.segments.rules import Rule
from purchase_intent.segments.subject import Subject

__all__ = [
    "MembersView",
    "SegmentFieldsView",
    "SegmentPreviewView",
    "SegmentReportsView",
    "SegmentVersionsView",
    "SegmentView",
    "SegmentsView",
    "SessionSegmentsView",
]

MOST = 100
"""Versions, or reports, of one answer: the latest."""


class SegmentEndpoint(StaffEndpoint):
    """What these share."""

    permission_classes = (MayKeepSegments,)
    keeps = "segment"
    serializer_class = SegmentSerializer


class SegmentsView(SegmentEndpoint):
    """Every segment."""

    @documented(examples.SEGMENTS)
    def get(self, request: Request) -> Response:
        """List the segments by title, each with its conditions and what was measured of it last."""
        asked = parameters(SegmentQuery, request)
        segments = Segment.objects.select_related("current").order_by("title", "pk")
        if "active" in asked:
            segments = segments.filter(is_active=asked["active"] == "true")
        rows = list(segments)
        reports = {each.segment_id: each for each in _latest_reports()}
        return Response(SegmentSerializer(rows, many=True, context={"reports": reports}).data)

    @documented(examples.CREATE)
    def post(self, request: Request) -> Response:
        """Make a segment, whose members are told at once by a worker."""
        sent = self.sent(NewSegmentSerializer)
        with refusals():
            rule = Rule.from_json(sent.pop("rule"))
            made = make_segment(rule, who=self.who, now=timezone.now(), **sent)
        note_in_admin(request, made, ADDED, f"Made over the API with the conditions: {rule}.")
        _tell_members(made)
        return Response(_told(made), status=HTTPStatus.CREATED)


class SegmentView(SegmentEndpoint):
    """One segment."""

    @documented(examples.READ)
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """Read a segment: its conditions, and what was measured of it last."""
        return Response(_told(named_segment(key)))

    @documented(examples.CHANGE)
    def patch(self, request: Request, key: str) -> Response:
        """Change words or conditions of a segment, retire it or bring it back; what is left out stays.

        Other conditions are a new version: its members are told anew at once, by a worker.
        """
        segment, sent = named_segment(key), self.sent(SegmentChangeSerializer)
        with refusals():
            rule = Rule.from_json(sent["rule"]) if "rule" in sent else None
        words: dict[str, str] = {name: sent[name] for name in ("title", "about", "action") if name in sent}
        with transaction.atomic(using=router.db_for_write(Segment)):
            said = self._done(segment, rule, words, active=sent.get("active"))
            if said:
                note_in_admin(request, segment, CHANGED, f"{', '.join(said)}, over the API.")
        return Response(_told(named_segment(key)))

    def _done(self, segment: Segment, rule: Rule | None, words: dict[str, str], *, active: bool | None) -> list[str]:
        """Do it, and have the members told where that changes them; what was done, in words."""
        now, said = timezone.now(), []
        if words:
            Segment.objects.filter(pk=segment.pk).update(**words)
            said.append("Title, meaning or action")
        is_new = rule is not None and save_rule(segment, rule, who=self.who, now=now)
        if is_new:
            said.append(f"Conditions: {rule}")
        is_switched = active is not None and switch(segment, on=active, now=now)
        if is_switched:
            said.append(f"Switched {'on' if active else 'off'}")
        if segment.is_active and (is_new or is_switched):
            _tell_members(segment)
        return said


class SegmentPreviewView(SegmentEndpoint):
    """Conditions before they are saved."""

    needs = {"POST": ("add", "change")}  # noqa: RUF012 (the class's own, never written to)

    @documented(examples.PREVIEW)
    def post(self, request: Request) -> Response:  # noqa: ARG002 - the signature is the framework's
        """Try conditions on shoppers drawn from all, and say how many they hold of; nothing is saved."""
        from purchase_intent.segments.preview import preview  # reads of many are nothing that every page should load

        with refusals():
            rule = Rule.from_json(self.sent(PreviewQuery)["rule"])
        found = preview(rule, timezone.now())
        names = ("members", "tried", "everybody", "low", "high", "is_whole", "figures")
        told = {name: getattr(found, name) for name in names} | {"examples": [each.pk for each in found.examples]}
        return Response(SegmentPreviewSerializer(told).data)


class SegmentVersionsView(SegmentEndpoint):
    """How a segment's conditions came to be."""

    @documented(examples.VERSIONS)
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """List the versions of a segment's conditions, the latest first, with who saved each."""
        return Response(VersionSerializer(named_segment(key).versions.all()[:MOST], many=True).data)


class SegmentReportsView(SegmentEndpoint):
    """What a segment was worth, time after time."""

    @documented(examples.REPORTS)
    def get(self, request: Request, key: str) -> Response:  # noqa: ARG002 - the signature is the framework's
        """List what was measured of a segment each time its members were told, the latest first."""
        rows = SegmentReport.objects.filter(segment=named_segment(key)).select_related("version")
        return Response(ReportSerializer(rows.order_by("-moment", "-pk")[:MOST], many=True).data)


class SegmentFieldsView(SegmentEndpoint):
    """What conditions can be about."""

    @documented(examples.FIELDS)
    def get(self, request: Request) -> Response:  # noqa: ARG002 - the signature is the framework's
        """List everything that a condition can be about, with the operators and names that fit."""
        return Response(FieldSerializer(list(FIELDS.values()), many=True).data)


class MembersView(Endpoint, ListAPIView[Any]):
    """Who belongs to a segment."""

    serializer_class = MemberSerializer  # type: ignore[assignment]  # the others answer of sessions
    pagination_class = MemberPages

    @documented(examples.MEMBERS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List who belongs to a segment, as they were last told, or who has left it; who entered last comes first."""
        return self.list(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Any]:
        """The open memberships of the segment in the path, or those that have ended."""
        asked = parameters(MemberQuery, self.request)
        found = SegmentMembership.objects.filter(
            segment=named_segment(self.kwargs["key"]), left_at__isnull=asked.get("open") != "false"
        )
        members = of_site(found, self.request, by="visitor__site")
        return members.select_related("visitor", "version").defer("visitor__past")


class SessionSegmentsView(Endpoint):
    """To which segments a session belongs."""

    serializer_class = SessionSegmentsSerializer

    @documented(examples.OF_SESSION)
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


def named_segment(key: str) -> Segment:
    """The segment of a key. NotFound where there is none."""
    found: Segment | None = Segment.objects.select_related("current").filter(key=key).first()
    if found is None:
        raise NotFound(examples.NO_SEGMENT, code="segment_not_found")
    return found


def _told(segment: Segment) -> Any:
    report = SegmentReport.objects.filter(segment=segment).order_by("-moment").first()
    return SegmentSerializer(segment, context={"reports": {segment.pk: report} if report is not None else {}}).data


def _tell_members(segment: Segment) -> None:
    from purchase_intent.tasks import fill_now  # Celery is nothing that every page should load

    fill_now(segment.key)
