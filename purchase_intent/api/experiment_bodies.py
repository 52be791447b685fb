"""What the API takes and says of experiments: the shapes behind the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from purchase_intent.experiments.definition import ArmSpec, Definition, GroupRange, MetricSpec
from purchase_intent.experiments.design import Design
from purchase_intent.experiments.stored import definition_of
from purchase_intent.models import Experiment, ExperimentChange, ExperimentLook, MetricKind, MetricRole, UpliftVersion

__all__ = [
    "ChangeSerializer",
    "DefinitionSerializer",
    "ExperimentSerializer",
    "ExperimentVerdictSerializer",
    "LookSerializer",
    "ProposalSerializer",
    "RampSerializer",
    "RecordSerializer",
    "ResultsSerializer",
    "StopSerializer",
    "UpliftSerializer",
    "definition_from",
]

_LONGEST = 64


class Body(serializers.Serializer[Any]):
    """What is sent: a name that is not known is refused, so that a slip of the pen is not passed over."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse what is none of the fields."""
        if isinstance(data, Mapping) and (unknown := sorted(set(data) - set(self.fields))):
            remedy = _("Not a field. Use one of: %(names)s.") % {"names": ", ".join(self.fields)}
            raise serializers.ValidationError({str(name): [remedy] for name in unknown})
        return super().to_internal_value(data)


class ArmSerializer(Body):
    """An arm."""

    key = serializers.CharField(max_length=_LONGEST, help_text="By which pages name it.")
    weight = serializers.FloatField(min_value=0, max_value=1, help_text="Its share of those who are taken in.")
    title = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")


class MetricSerializer(Body):
    """A metric."""

    kind = serializers.ChoiceField(choices=MetricKind.values)
    role = serializers.ChoiceField(choices=MetricRole.values, default=MetricRole.SECONDARY.value)
    event = serializers.CharField(
        max_length=32, required=False, allow_blank=True, default="", help_text="Which event the kind `event` counts."
    )
    margin = serializers.FloatField(
        required=False, allow_null=True, default=None, help_text="Of a guardrail: the relative loss that is tolerated."
    )
    window_days = serializers.IntegerField(required=False, default=7, help_text="Days after exposure, 1 to 90.")


class GroupSerializer(Body):
    """A range of an exclusion group."""

    key = serializers.SlugField(max_length=_LONGEST)
    start = serializers.FloatField(min_value=0, max_value=1)
    end = serializers.FloatField(min_value=0, max_value=1)


class DesignSerializer(Body):
    """How it is sized, watched and ended."""

    lift = serializers.FloatField(required=False, help_text="The smallest relative change worth finding.")
    power = serializers.FloatField(required=False, help_text="The chance to find it.")
    alpha = serializers.FloatField(required=False, help_text="The error of the whole, however often it is looked at.")
    looks = serializers.IntegerField(required=False, help_text="Planned looks; 0: the always-valid rule alone.")
    units = serializers.IntegerField(
        required=False, allow_null=True, help_text="Visitors planned; null: from the shop's own data."
    )
    adjusted = serializers.BooleanField(required=False, help_text="Whether the intent score takes noise out (CUPED).")
    quantile = serializers.FloatField(required=False, help_text="Where revenue is winsorised.")
    ships = serializers.BooleanField(required=False, help_text="Whether a winner is shipped by itself.")
    rolls_back = serializers.BooleanField(required=False, help_text="Whether a loser is rolled back by itself.")
    bandit = serializers.FloatField(
        required=False, allow_null=True, help_text="Of a bandit: the least share of every arm; null: the weights stand."
    )


class DefinitionSerializer(Body):
    """An experiment as it is decided on; the first arm is the control."""

    key = serializers.CharField(max_length=_LONGEST, help_text="For good: it is the salt of the draw.")
    title = serializers.CharField(max_length=100)
    hypothesis = serializers.CharField(required=False, allow_blank=True, default="", max_length=5_000)
    arms = ArmSerializer(many=True, help_text="Two or more; the weights sum to 1.")
    metrics = MetricSerializer(many=True, help_text="Exactly one of them primary.")
    traffic = serializers.FloatField(required=False, default=1.0, help_text="The share of visitors taken in.")
    segment = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=_LONGEST, help_text="The key of the one it is for."
    )
    group = GroupSerializer(required=False, allow_null=True, default=None)
    holdout = serializers.CharField(required=False, allow_blank=True, default="", max_length=_LONGEST)
    design = DesignSerializer(required=False)


class ExperimentSerializer(DefinitionSerializer):
    """An experiment with how far it has come."""

    state = serializers.ChoiceField(choices=("draft", "running", "stopped"))
    shipped = serializers.CharField(help_text="Shown to all once stopped; empty for the control.")
    started_at = serializers.DateTimeField(allow_null=True)
    stopped_at = serializers.DateTimeField(allow_null=True)
    plan = serializers.JSONField(help_text="What the start froze: visitors, looks, error, and the figures behind.")

    def to_representation(self, instance: Experiment) -> dict[str, Any]:
        """The definition as it can be sent back, and the rest."""
        told = asdict(definition_of(instance))
        moment = serializers.DateTimeField(allow_null=True)
        return told | {
            "state": instance.state,
            "shipped": instance.shipped,
            "started_at": instance.started_at and moment.to_representation(instance.started_at),
            "stopped_at": instance.stopped_at and moment.to_representation(instance.stopped_at),
            "plan": instance.plan,
        }


class RampSerializer(Body):
    """How many are taken in from now on."""

    traffic = serializers.FloatField(min_value=0, max_value=1, help_text="The share; it may only grow.")


class StopSerializer(Body):
    """How it ends."""

    ship = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=_LONGEST, help_text="An arm; empty: the control."
    )
    why = serializers.CharField(required=False, allow_blank=True, default="", max_length=1_000)


class ProposalSerializer(serializers.Serializer[Any]):
    """What is known before a start."""

    units = serializers.IntegerField(allow_null=True, help_text="Visitors needed at most, over all arms.")
    expected_units = serializers.IntegerField(allow_null=True, help_text="On average, if the lift is true.")
    weeks = serializers.IntegerField(allow_null=True, help_text="To get them, in whole weeks.")
    baseline = serializers.FloatField(allow_null=True, help_text="The primary metric's figure of the last 28 days.")
    per_day = serializers.FloatField(help_text="Visitors a day who would be exposed.")
    window_days = serializers.IntegerField(help_text="So much later the last outcome is in.")
    missing = serializers.CharField(help_text="Why there is no size; empty where there is one.")


class ResultsSerializer(serializers.Serializer[Any]):
    """Daily results, in order of day."""

    key = serializers.CharField()
    results = serializers.ListField(
        child=serializers.JSONField(),
        help_text="One a day: people by arm, each metric's figures with intervals, sample ratio, segments, verdict.",
    )


class ConclusionSerializer(serializers.Serializer[Any]):
    """What an earlier planned look came to."""

    day = serializers.DateField()
    verdict = serializers.ChoiceField(choices=("ROLL BACK", "SHIP"))
    arm = serializers.CharField(help_text="The one to ship; empty for none.")
    rolled_back = serializers.ListField(child=serializers.CharField(), help_text="Those that were worse.")


class ExperimentVerdictSerializer(serializers.Serializer[Any]):
    """The latest daily verdict, in words."""

    key = serializers.CharField()
    verdict = serializers.ChoiceField(choices=("INVALID", "ROLL BACK", "SHIP", "HOLD"))
    day = serializers.DateField(help_text="The last day that was seen the whole of.")
    share = serializers.FloatField(help_text="Of the planned visitors.")
    planned = serializers.BooleanField(help_text="Whether it was one of the planned looks.")
    arm = serializers.CharField(help_text="The one to ship; empty for none.")
    rolled_back = serializers.ListField(child=serializers.CharField(), help_text="Those that are worse.")
    reasons = serializers.ListField(child=serializers.CharField())
    missing = serializers.ListField(child=serializers.CharField(), help_text="What an open one lacks.")
    expected = serializers.DateField(allow_null=True, help_text="By when it may be decided.")
    stands = ConclusionSerializer(
        allow_null=True, help_text="Of a HOLD between planned looks: what the latest of those came to, which stands."
    )


class LookSerializer(serializers.ModelSerializer[ExperimentLook]):
    """A look on record."""

    look = serializers.IntegerField(source="pk")
    kind = serializers.CharField(help_text="`daily`: the task's; `asked`: somebody's in between.")
    intact = serializers.BooleanField(source="is_intact", help_text="Whether the record is the one that was written.")

    class Meta:
        model = ExperimentLook
        fields = ("look", "at", "taken_at", "day", "who", "kind", "planned", "share", "verdict", "arm", "intact")


class RecordSerializer(LookSerializer):
    """A look with all that it can be replayed from."""

    record = serializers.JSONField(help_text="Plan, sums, earlier looks, decision, and the versions that made it.")
    result = serializers.JSONField(help_text="What is shown of it.")

    class Meta(LookSerializer.Meta):
        fields = (*LookSerializer.Meta.fields, "before", "digest", "record", "result")  # type: ignore[assignment]


class ChangeSerializer(serializers.ModelSerializer[ExperimentChange]):
    """What was done, and by whom."""

    facts = serializers.JSONField()

    class Meta:
        model = ExperimentChange
        fields = ("at", "who", "what", "facts")


class UpliftSerializer(serializers.ModelSerializer[UpliftVersion]):
    """A model of uplift on record."""

    model = serializers.IntegerField(source="pk")
    status = serializers.CharField(
        help_text="`serving`: it answers; `archived`: it did; `refused`: no better than chance."
    )
    outcome = serializers.CharField(help_text="What it says is gained.")
    units = serializers.IntegerField(help_text="Visitors it was learnt from; `outcomes` of them had the outcome.")
    figures = serializers.JSONField(
        help_text="Qini and AUUC with 95% intervals under `rankings`, the four groups as measured, the profit."
    )

    class Meta:
        model = UpliftVersion
        fields = (
            "model",
            "status",
            "created_at",
            "known_at",
            "treatment",
            "outcome",
            "learner",
            "units",
            "outcomes",
            "forced",
            "verdict",
            "figures",
        )


def definition_from(sent: Mapping[str, Any]) -> Definition:
    """A definition of what was sent and validated; ExperimentRefused where it makes no experiment."""
    group = sent["group"]
    known = {field.name for field in fields(Design)}
    return Definition(
        key=sent["key"],
        title=sent["title"],
        hypothesis=sent["hypothesis"],
        arms=tuple(ArmSpec(**arm) for arm in sent["arms"]),
        metrics=tuple(MetricSpec(**metric) for metric in sent["metrics"]),
        traffic=sent["traffic"],
        segment=sent["segment"],
        group=None if group is None else GroupRange(**group),
        holdout=sent["holdout"],
        design=Design(**{name: value for name, value in sent.get("design", {}).items() if name in known}),
    )
