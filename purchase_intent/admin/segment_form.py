"""The editor of a segment: its words, and its conditions as rows of field, operator and value. It needs no script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.core.validators import RegexValidator
from django.forms.formsets import BaseFormSet, formset_factory

from purchase_intent.models import Segment
from purchase_intent.models.segment import LONGEST_KEY
from purchase_intent.segments.fields import FIELDS, GROUPS
from purchase_intent.segments.rules import ALL, ANY, MOST_CONDITIONS, OPERATORS, Rule, conditions_of
from purchase_intent.segments.values import spelled

__all__ = ["BLANK", "Editor"]

BLANK: Final = 2
"""Empty rows below the conditions."""
_PREFIX: Final = "c"


def _units() -> list[Any]:
    grouped = [
        (group, [(field.name, _named(field.name)) for field in FIELDS.values() if field.group == group])
        for group in GROUPS
    ]
    return [("", "- no condition -"), *grouped]


def _named(name: str) -> str:
    field = FIELDS[name]
    unit = {"s": "time", "h": "hour", "day": "0 to 6", "key": "text"}.get(field.unit, field.unit)
    return f"{field.label} ({unit})"


class WordsForm(forms.Form):
    """Name, meaning and recommended action."""

    title = forms.CharField(max_length=100, help_text="As the desk shows it.")
    key = forms.CharField(
        max_length=LONGEST_KEY,
        validators=[
            RegexValidator(
                r"^[a-z0-9]+(-[a-z0-9]+)*$",
                "Use small letters, digits and single hyphens, such as gift-hunters.",
            )
        ],
        help_text="By which templates and the API name it, such as gift-hunters. It stays for good.",
    )
    about = forms.CharField(
        required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2}), label="Whom it means"
    )
    action = forms.CharField(
        required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2}), label="Recommended action"
    )
    match = forms.ChoiceField(
        choices=((ALL, "all of the conditions hold"), (ANY, "any of the conditions holds")),
        initial=ALL,
        widget=forms.RadioSelect,
        label="A shopper belongs to it where",
        error_messages={"invalid_choice": "Choose all or any."},
    )

    def __init__(self, *args: Any, segment: Segment | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        if segment is not None:
            del self.fields["key"]

    def clean_key(self) -> str:
        """A key that no other segment has."""
        key: str = self.cleaned_data["key"]
        if Segment.objects.filter(key=key).exists():
            raise forms.ValidationError("Another segment has this key: take another one.")
        return key


class ConditionForm(forms.Form):
    """One row. What is wrong with it is told by the rule, not by the row."""

    field = forms.CharField(required=False, widget=forms.Select(choices=_units()))
    operator = forms.CharField(required=False, widget=forms.Select(choices=[*OPERATORS.items()]))
    value = forms.CharField(
        required=False,
        max_length=2_000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    @property
    def row(self) -> dict[str, str]:
        """Field, operator and value as they were sent."""
        return {name: self.cleaned_data.get(name, "") for name in ("field", "operator", "value")}

    @property
    def is_blank(self) -> bool:
        """Whether nothing was filled in: an operator always stands there."""
        return not self.row["field"] and not self.row["value"]


class Editor:
    """Both forms together; `rule` is what they describe, once `is_valid` has said yes.

    Words are asked for only where the form `is_final`: a preview needs none.
    """

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        segment: Segment | None = None,
        rule: Rule | None = None,
        is_final: bool = False,
    ) -> None:
        self.rule = rule
        self.match = ALL if rule is None else rule.match
        words = {"match": self.match}
        if data is not None:
            self.match = str(data.get("match", ""))
            words = {name: str(data.get(name, "")) for name in WordsForm.base_fields}
        elif segment is not None:
            words |= {"title": segment.title, "about": segment.about, "action": segment.action}
        self.is_final = is_final
        self.words = WordsForm(data if is_final else None, segment=segment, initial=words)
        rows = [_initial(each.field.name, each.operator, each.value) for each in (rule.conditions if rule else ())]
        rows_of: type[BaseFormSet[ConditionForm]] = formset_factory(
            ConditionForm, extra=BLANK, max_num=MOST_CONDITIONS, absolute_max=MOST_CONDITIONS + 2 * BLANK
        )
        self.rows = rows_of(data, prefix=_PREFIX, initial=rows)
        self.faults: list[str] = []

    def is_valid(self) -> bool:
        """Whether both forms stand and describe a rule; every fault is told beside the field that it is of."""
        stands = not self.is_final or self.words.is_valid()
        if not self.rows.is_valid():
            self.faults += [str(each) for each in self.rows.non_form_errors()]
            return False
        filled = [form for form in self.rows.forms if not form.is_blank]
        conditions, faults = conditions_of([form.row for form in filled], match=self.match)
        for fault in faults:
            if fault.place is None:
                self.faults.append(_sentence(fault.message))
            else:
                filled[fault.place].add_error(fault.part, _sentence(fault.message))
        self.rule = Rule(self.match, conditions) if not faults else None
        return stands and not faults

    def add_rows(self) -> None:
        """Show what was sent with twice as many empty rows."""
        sent = [form.row for form in self.rows.forms if not form.is_blank] if self.rows.is_valid() else []
        self.rows = type(self.rows)(prefix=_PREFIX, initial=sent)
        self.rows.extra = 2 * BLANK


def _initial(name: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": name, "operator": operator, "value": spelled(FIELDS[name], value)}


def _sentence(message: str) -> str:
    return f"{message[:1].upper()}{message[1:]}."
