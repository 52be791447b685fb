"""What the API takes and says of segments: the shapes behind the OpenAPI document."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from purchase_intent.api.serializers import Body, Query
from purchase_intent.models import Segment, SegmentMembership, SegmentReport, SegmentVersion
from purchase_intent.models.segment import LONGEST_KEY
from purchase_intent.segments.fields import Field
from purchase_intent.segments.rules import ALL, ANY, operators_of

__all__ = [
    "FieldSerializer",
    "MemberQuery",
    "MemberSerializer",
    "NewSegmentSerializer",
    "PreviewQuery",
    "ReportSerializer",
    "SegmentChangeSerializer",
    "SegmentPreviewSerializer",
    "SegmentQuery",
    "SegmentSerializer",
    "SessionSegmentsSerializer",
    "VersionSerializer",
]


class ConditionSerializer(Body):
    """One condition."""

    field = serializers.CharField(max_length=64, help_text="As the list of fields names it.")
    operator = serializers.CharField(max_length=8, help_text="One of those that the field allows.")
    value = serializers.JSONField(help_text="A number, a text such as `80%`, `30 days` or a name, or a list of names.")


class RuleSerializer(Body):
    """Conditions of which all have to hold, or any."""

    match = serializers.ChoiceField(choices=(ALL, ANY))
    conditions = ConditionSerializer(many=True, help_text="1 to 20.")


class SegmentChangeSerializer(Body):
    """What is changed of a segment; what is left out stays. Other conditions are a new version."""

    title = serializers.CharField(max_length=100, required=False)
    about = serializers.CharField(required=False, allow_blank=True, max_length=500, help_text="Whom it means.")
    action = serializers.CharField(required=False, allow_blank=True, max_length=500, help_text="What to do about them.")
    rule = RuleSerializer(required=False)
    active = serializers.BooleanField(
        required=False, help_text="False retires it: its memberships end, and no page finds it any more."
    )


class NewSegmentSerializer(Body):
    """A segment that is to be made."""

    key = serializers.CharField(max_length=LONGEST_KEY, help_text="By which templates and this API name it; for good.")
    title = serializers.CharField(max_length=100)
    about = serializers.CharField(required=False, allow_blank=True, default="", max_length=500)
    action = serializers.CharField(required=False, allow_blank=True, default="", max_length=500)
    rule = RuleSerializer()


class PreviewQuery(Body):
    """Conditions to be tried."""

    rule = RuleSerializer()


class SegmentPreviewSerializer(serializers.Serializer[Any]):
    """What conditions come to."""

    members = serializers.IntegerField(help_text="So many of the `tried` belong to it.")
    tried = serializers.IntegerField(help_text="Shoppers drawn from all of them, 2,000 at most.")
    everybody = serializers.IntegerField(help_text="Shoppers of the last 90 days.")
    low = serializers.IntegerField(help_text="At least so many of everybody, likely (95%).")
    high = serializers.IntegerField(help_text="At most so many of everybody, likely (95%).")
    whole = serializers.BooleanField(
        source="is_whole", help_text="Whether everybody was tried: then it is no estimate."
    )
    figures = serializers.JSONField(help_text="As of a segment that was measured.")
    examples = serializers.ListField(
        child=serializers.IntegerField(), help_text="Some members, by the visitor's number in the admin."
    )


class VersionSerializer(serializers.ModelSerializer[SegmentVersion]):
    """The conditions of a segment as somebody saved them."""

    version = serializers.IntegerField(source="number")
    rule = serializers.JSONField(help_text="`match` and `conditions`.")

    class Meta:
        model = SegmentVersion
        fields = ("version", "rule", "made_at", "who")


class FieldSerializer(serializers.Serializer[Any]):
    """What a condition can be about."""

    field = serializers.CharField(source="name")
    label = serializers.CharField(help_text="In words.")  # type: ignore[assignment]  # a field of that name
    unit = serializers.CharField(help_text="`share` takes `80%`, `s` a time such as `30 days`.")
    group = serializers.CharField()
    kind = serializers.CharField(source="kind.value", help_text="`number`, `rank`, `yes/no`, `name` or `key`.")
    operators = serializers.SerializerMethodField()
    choices = serializers.SerializerMethodField(help_text="Its names, in their order; empty where any value will do.")

    def get_operators(self, field: Field) -> list[str]:
        """Those that fit."""
        return list(operators_of(field))

    def get_choices(self, field: Field) -> list[str]:
        """The names."""
        return list(field.choices)


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
    left_at = serializers.DateTimeField(allow_null=True, help_text="Null of a member.")
    why = serializers.CharField(
        help_text="Why it ended: `rule`, `edit`, `off`, `away`; empty of a member.", allow_blank=True
    )

    class Meta:
        model = SegmentMembership
        fields = ("visitor", "customer", "version", "entered_at", "left_at", "why")


class ReportSerializer(serializers.ModelSerializer[SegmentReport]):
    """What was measured of a segment when its members were told."""

    measured_at = serializers.DateTimeField(source="moment")
    version = serializers.IntegerField(source="version.number", help_text="Of its conditions.")
    figures = serializers.JSONField(help_text="Each with its 95% interval.")

    class Meta:
        model = SegmentReport
        fields = ("measured_at", "version", "size", "looked_at", "figures")


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
    open = serializers.ChoiceField(
        choices=("true", "false"),
        required=False,
        help_text="`false`: who has left, and why; members unless told.",
    )
