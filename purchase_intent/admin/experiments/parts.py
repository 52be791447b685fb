"""Rows of the editor: one arm, one metric."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from purchase_intent.admin.experiments.fields import KeyField, ShareField
from purchase_intent.events import EventName
from purchase_intent.experiments.definition import MetricSpec
from purchase_intent.models import MetricKind, MetricRole

__all__ = ["ArmForm", "MetricForm"]

_KINDS: Final = [("", "- no metric -"), *((each.value, each.label) for each in MetricKind)]
_EVENTS: Final = [("", "- none -"), *((each.label, each.label.replace("_", " ")) for each in EventName)]


class ArmForm(forms.Form):
    """One arm; a row without a key is left out."""

    key = KeyField(required=False, label="Key")
    title = forms.CharField(required=False, max_length=100, label="What visitors see")
    weight = ShareField(required=False, label="Weight, %")

    @property
    def is_blank(self) -> bool:
        """Whether nothing was filled in."""
        return not any(self.cleaned_data.get(name) for name in ("key", "title", "weight"))

    def clean(self) -> dict[str, Any]:
        """A row with anything in it has a key."""
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if not found.get("key") and "key" not in self.errors and (found.get("title") or found.get("weight")):
            self.add_error("key", "Give it a key, such as bar: templates compare with it.")
        return found


class MetricForm(forms.Form):
    """One metric; a row without a kind is left out."""

    kind = forms.ChoiceField(choices=_KINDS, required=False, label="What is counted")
    event = forms.ChoiceField(choices=_EVENTS, required=False, label="Event")
    role = forms.ChoiceField(choices=MetricRole.choices, required=False, initial=MetricRole.SECONDARY, label="Role")
    margin = ShareField(required=False, least_open=True, most_open=True, label="Tolerated loss, %")
    window_days = forms.IntegerField(
        required=False, min_value=1, max_value=90, initial=7, label="Days", widget=forms.TextInput
    )

    @property
    def is_blank(self) -> bool:
        """Whether no metric was chosen: role and days always stand there."""
        return not any(self.cleaned_data.get(name) for name in ("kind", "event", "margin"))

    def clean(self) -> dict[str, Any]:
        """A row with an event or a margin has a kind."""
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if not found.get("kind") and "kind" not in self.errors and (found.get("event") or found.get("margin")):
            self.add_error("kind", "Choose what is counted.")
        is_guardrail = found.get("role") == MetricRole.GUARDRAIL
        if found.get("kind") and "margin" not in self.errors and is_guardrail != (found.get("margin") is not None):
            self.add_error(
                "margin",
                "Say how much may be lost at most, in per cent of what it is, such as 2."
                if is_guardrail
                else "Only a guardrail tolerates a loss: leave this empty, or choose that role.",
            )
        return found

    def spec(self) -> MetricSpec:
        """The metric. ExperimentRefused, whose reason is the field at fault, where it is none."""
        found = self.cleaned_data
        return MetricSpec(
            kind=found["kind"],
            event=found["event"],
            role=found["role"] or MetricRole.SECONDARY,
            margin=found["margin"],
            window_days=found["window_days"] or 7,
        )
