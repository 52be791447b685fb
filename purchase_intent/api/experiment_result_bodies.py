"""What the API says of an experiment's results: the shapes behind the OpenAPI document."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from purchase_intent.models import ExperimentChange, ExperimentLook, UpliftVersion

__all__ = [
    "ChangeSerializer",
    "ExperimentVerdictSerializer",
    "LookSerializer",
    "RecordSerializer",
    "ReplaySerializer",
    "ResultsSerializer",
    "UpliftSerializer",
    "WeightsSerializer",
]


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
    rule = serializers.ChoiceField(
        choices=("group-sequential", "always-valid"),
        allow_null=True,
        help_text="By which the primary metric was read; null where nothing was compared, and of a bandit.",
    )
    day = serializers.DateField(help_text="The last day that was seen the whole of.")
    taken_at = serializers.DateTimeField(help_text="When that was.")
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


class ReplaySerializer(serializers.Serializer[Any]):
    """A look decided again."""

    look = serializers.IntegerField()
    verdict = serializers.CharField(help_text="As it was given.")
    same = serializers.BooleanField(help_text="Whether deciding again gives the same to the last bit.")
    fault = serializers.CharField(help_text="What differs; empty where nothing does.")


class WeightsSerializer(serializers.Serializer[Any]):
    """Which weights stood from when on."""

    since = serializers.DateTimeField()
    weights = serializers.DictField(child=serializers.FloatField(), help_text="By arm; of a bandit they move.")


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
    learner = serializers.CharField(help_text="`two_model` or `x`; empty where nothing could be learnt.")
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
