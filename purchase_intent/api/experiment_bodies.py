"""What the API takes and says of experiments: the shapes behind the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from rest_framework import serializers

from purchase_intent.api.experiment_result_bodies import ExperimentVerdictSerializer
from purchase_intent.api.serializers import Body
from purchase_intent.experiments.definition import ArmSpec, Definition, GroupRange, MetricSpec
from purchase_intent.experiments.design import Design
from purchase_intent.experiments.stored import definition_of
from purchase_intent.models import Experiment, MetricKind, MetricRole

__all__ = [
    "DefinitionSerializer",
    "ExperimentSerializer",
    "ProposalSerializer",
    "RampSerializer",
    "StopSerializer",
    "definition_from",
]

_LONGEST = 64


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
    uplift = serializers.BooleanField(required=False, help_text="Whether who is moved by it is learnt anew every week.")
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
    latest_verdict = ExperimentVerdictSerializer(allow_null=True, help_text="Of the latest day; null before the first.")

    def to_representation(self, instance: Experiment) -> dict[str, Any]:
        """The definition as it can be sent back, and the rest; the context holds verdicts by key of the row."""
        told = asdict(definition_of(instance))
        moment = serializers.DateTimeField(allow_null=True)
        return told | {
            "state": instance.state,
            "shipped": instance.shipped,
            "started_at": instance.started_at and moment.to_representation(instance.started_at),
            "stopped_at": instance.stopped_at and moment.to_representation(instance.stopped_at),
            "plan": instance.plan,
            "latest_verdict": self.context["verdicts"].get(instance.pk),
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


class FoundInSerializer(serializers.Serializer[Any]):
    """What so many days find."""

    days = serializers.IntegerField()
    units = serializers.FloatField(help_text="Visitors in all arms by then.")
    lift = serializers.FloatField(allow_null=True, help_text="The smallest relative change found; null for none.")


class ProposalSerializer(serializers.Serializer[Any]):
    """What is known before a start."""

    units = serializers.IntegerField(
        source="sizing.units", allow_null=True, help_text="Visitors needed at most, over all arms."
    )
    expected_units = serializers.IntegerField(
        source="sizing.expected_units", allow_null=True, help_text="On average, if the lift is true."
    )
    fixed_units = serializers.IntegerField(
        source="sizing.fixed_units", allow_null=True, help_text="What a test with one look at its end takes."
    )
    weeks = serializers.IntegerField(source="sizing.weeks", allow_null=True, help_text="To get them, in whole weeks.")
    baseline = serializers.FloatField(
        allow_null=True, help_text="The primary metric's figure of the last 28 days, of those whom it is for."
    )
    reduction = serializers.FloatField(help_text="The share of the noise that the chance to buy takes out, 0 to 1.")
    assumed = serializers.ListField(child=serializers.CharField(), help_text="What all of it rests on, in sentences.")
    per_day = serializers.FloatField(help_text="Visitors a day who would be exposed.")
    window_days = serializers.IntegerField(help_text="So much later the last outcome is in.")
    missing = serializers.CharField(help_text="Why there is no size; empty where there is one.")
    found_in = FoundInSerializer(many=True, help_text="What is found by how long it runs; empty without a size.")


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
