"""The editor's fields that an experiment has once: its words, whom it is for, how it is sized and judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from django import forms

from purchase_intent.admin.experiments.fields import KeyField, ShareField
from purchase_intent.experiments.design import Design
from purchase_intent.models import ExclusionGroup, Experiment, Holdout, Segment

__all__ = ["BEGUN", "PARTS", "BegunForm", "WordsForm"]

PARTS: Final = {
    "name": ("title", "key", "hypothesis"),
    "whom": ("traffic", "segment", "holdout", "group", "group_start", "group_end"),
    "size": ("lift", "power", "looks", "units", "days", "adjusted"),
    "automatic": ("ships", "rolls_back", "uplift", "bandit"),
}
"""Which fields stand together on the page."""
BEGUN: Final = ("title", "hypothesis", "ships", "rolls_back", "uplift")
"""What may be changed of one that has begun."""


class WordsForm(forms.Form):
    """Everything but arms and metrics."""

    title = forms.CharField(max_length=100, help_text="As the desk shows it, such as “Free shipping bar”.")
    key = KeyField(help_text="By which templates name it, such as free-shipping-bar. It stays for good.")
    hypothesis = forms.CharField(
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What you expect and why: “With the bar more baskets become orders, because …”",
    )
    traffic = ShareField(
        label="Traffic, % of visitors",
        help_text="How many take part. It can be raised while it runs, never lowered: begin with 10 where in doubt.",
    )
    segment = forms.ModelChoiceField(
        Segment.objects.active(), required=False, to_field_name="key", empty_label="everybody", label="Whom it is for"
    )
    holdout = forms.ModelChoiceField(
        Holdout.objects.all(),
        required=False,
        to_field_name="key",
        empty_label="none",
        help_text="Visitors whom no experiment that names it takes in.",
    )
    group = forms.ModelChoiceField(
        ExclusionGroup.objects.all(),
        required=False,
        to_field_name="key",
        empty_label="none",
        label="Exclusion group",
        help_text="Experiments of one group never share a visitor.",
    )
    group_start = ShareField(required=False, label="Its range from, %")
    group_end = ShareField(required=False, label="Its range to, %")
    lift = ShareField(
        least_open=True,
        label="Smallest change worth finding, %",
        help_text="Relative: 5 finds 3.0% that become 3.15%. Half of it takes four times the visitors.",
    )
    power = ShareField(
        least_open=True, most_open=True, label="Power, %", help_text="How surely a change of that size is found."
    )
    looks = forms.IntegerField(
        min_value=0,
        max_value=90,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        label="Planned looks",
        help_text="Daily looks of the plan. 0: none is planned, which costs more visitors.",
    )
    units = forms.IntegerField(
        required=False,
        min_value=1,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        label="Visitors in all",
        help_text="Empty: as many as the change asks for, worked out when it starts.",
    )
    days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=365,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        label="Or a duration, days",
        help_text="As many visitors as come in so many days, by the shop's own last 28 days.",
    )
    adjusted = forms.BooleanField(
        required=False,
        label="Use the chance to buy before the exposure",
        help_text="It makes intervals narrower (CUPED), and changes no figure on average.",
    )
    ships = forms.BooleanField(
        required=False,
        label="Stop and ship the winner by itself",
        help_text="Only under the sequential rule, at the first look after midnight that comes to SHIP; where a "
        "planned look has come to it and that stands, at the next one.",
    )
    rolls_back = forms.BooleanField(
        required=False,
        label="Stop and go back to the control by itself",
        help_text="The same, of the verdict ROLL BACK.",
    )
    uplift = forms.BooleanField(
        required=False,
        label="Learn every week who is moved by it",
        help_text="For offers that are to go to those alone who buy because of them.",
    )

    bandit = ShareField(
        required=False,
        least_open=True,
        label="Move the weights to what sells: least share of every arm, %",
        help_text="Empty: the weights stand. With 10 each night gives more visitors to what sells best (a bandit).",
    )

    def __init__(self, *args: Any, experiment: Experiment | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        if experiment is not None:
            del self.fields["key"]
            named = Segment.objects.filter(pk=experiment.segment_id or 0)
            self.fields["segment"].queryset = Segment.objects.active() | named  # type: ignore[attr-defined]

    def clean_key(self) -> str:
        """A key that no other experiment has."""
        key: str = self.cleaned_data["key"]
        if Experiment.objects.filter(key=key).exists():
            raise forms.ValidationError("Another experiment has this key, for good: take another one.")
        return key

    def clean(self) -> dict[str, Any]:
        """A group comes with a range, and a range with a group."""
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if found.get("units") and found.get("days"):
            self.add_error("days", "Give the number of visitors or the days, not both.")
        start, end, group = found.get("group_start"), found.get("group_end"), found.get("group")
        if group is None and "group" not in self.errors and (start is not None or end is not None):
            self.add_error("group", "Choose the group that the range is of, or leave the range empty.")
        if group is not None:
            for name, value in (("group_start", start), ("group_end", end)):
                if value is None and name not in self.errors:
                    self.add_error(name, "Say which range of the group it gets: the free ones stand below.")
            if start is not None and end is not None and start >= end:
                self.add_error("group_end", "The range ends above where it begins.")
        return found

    def design(self, before: Design) -> Design:
        """How it is sized, watched and ended; what the form does not ask stays as before."""
        names = ("lift", "power", "looks", "units", "adjusted", "ships", "rolls_back", "uplift", "bandit")
        return replace(before, **{name: self.cleaned_data[name] for name in names})

    @property
    def name_fields(self) -> list[forms.BoundField]:
        """What is tried, and why."""
        return self._part("name")

    @property
    def whom_fields(self) -> list[forms.BoundField]:
        """Whom it is for."""
        return self._part("whom")

    @property
    def size_fields(self) -> list[forms.BoundField]:
        """How long it runs."""
        return self._part("size")

    @property
    def automatic_fields(self) -> list[forms.BoundField]:
        """What it does by itself."""
        return self._part("automatic")

    def _part(self, name: str) -> list[forms.BoundField]:
        return [self[field] for field in PARTS[name] if field in self.fields]


class BegunForm(WordsForm):
    """What may still be changed of an experiment that has begun."""

    def __init__(self, *args: Any, experiment: Experiment, **options: Any) -> None:
        super().__init__(*args, experiment=experiment, **options)
        for name in [*self.fields]:
            if name not in BEGUN:
                del self.fields[name]
