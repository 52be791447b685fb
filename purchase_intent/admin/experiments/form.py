"""The editor of an experiment that has not begun: words, arms, metrics, whom it is for, how it is judged. No script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from django import forms
from django.forms.formsets import BaseFormSet, formset_factory

from purchase_intent.admin.experiments.parts import ArmForm, MetricForm
from purchase_intent.admin.experiments.words_form import WordsForm
from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.definition import ArmSpec, Definition, GroupRange, MetricSpec
from purchase_intent.experiments.design import Design
from purchase_intent.models import Experiment

__all__ = ["Editor"]

MOST_ARMS: Final = 200
MOST_METRICS: Final = 20
_FIELDS: Final = {"group": "group_start", "design": "lift", "units": "units"}
"""Where a refusal is shown whose field has another name in the form."""
Row = TypeVar("Row", bound=forms.Form)


class Editor:
    """All forms together; `definition` is what they describe, once `is_valid` has said yes."""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        experiment: Experiment | None = None,
        definition: Definition | None = None,
    ) -> None:
        self.definition: Definition | None = None
        self._design = definition.design if definition is not None else Design()
        arms = [_arm_initial(each) for each in definition.arms] if definition is not None else list(_NEW_ARMS)
        metrics = [_metric_initial(each) for each in definition.metrics] if definition is not None else [_NEW_METRIC]
        self.words = WordsForm(data, experiment=experiment, initial=_initial(definition))
        # Of what was sent nothing counts as unchanged: a row that is as it was shown first is a row all the same.
        self.arms = _rows(ArmForm, MOST_ARMS)(data, prefix="a", initial=arms if data is None else None)
        self.metrics = _rows(MetricForm, MOST_METRICS)(data, prefix="m", initial=metrics if data is None else None)
        self.faults: list[str] = []
        self.key = experiment.key if experiment is not None else ""

    def is_valid(self) -> bool:
        """Whether they describe an experiment; every fault is told beside the field that it is of."""
        forms_stand = all([self.words.is_valid(), self.arms.is_valid(), self.metrics.is_valid()])
        for rows in (self.arms, self.metrics):
            self.faults += [str(each) for each in rows.non_form_errors()]
        if not forms_stand:
            return False
        try:
            metrics = self._metrics()
            self.definition = self._described(metrics) if metrics is not None else None
        except ExperimentRefused as refused:
            self.refuse(refused)
        return self.definition is not None

    def refuse(self, refused: ExperimentRefused) -> None:
        """Tell a refusal beside its field, or above the form where it has none."""
        field = _FIELDS.get(refused.field, refused.field)
        message = _sentence(refused.remedy)
        self.definition = None
        if field in self.words.fields:
            self.words.add_error(field, message)
        elif refused.field == "seen":
            self.faults.append(message)
        elif refused.field in ("arms", "weights"):
            self.faults.append(f"Arms: {message}")
        else:
            self.faults.append(f"{refused.field.capitalize()}: {message}")

    def more(self, name: str) -> None:
        """Show what was sent with two more empty rows of `arms` or `metrics`."""
        old: BaseFormSet[Any] = getattr(self, name)
        kept = [_sent(form) for form in old.forms]
        rows = type(old)(prefix=old.prefix, initial=[each for each in kept if any(each.values())])
        rows.extra = 2
        setattr(self, name, rows)

    @property
    def is_refused(self) -> bool:
        """Whether something that was sent is marked as not fit."""
        rows = [*self.arms.forms, *self.metrics.forms] if self.arms.is_bound else []
        return bool(self.faults or self.words.errors or any(form.errors for form in rows if form.is_bound))

    @property
    def weight_sum(self) -> str:
        """What the weights that were sent add up to, in per cent, or "" where they cannot be read."""
        if not self.arms.is_bound or not self.arms.is_valid():
            return ""
        given = [form.cleaned_data["weight"] for form in self._filled(self.arms)]
        return f"{round(sum(each or 0.0 for each in given) * 100, 6):g}%" if any(given) else ""

    def _described(self, metrics: tuple[MetricSpec, ...]) -> Definition:
        words = self.words.cleaned_data
        group = words.get("group")
        return Definition(
            key=self.key or words["key"],
            title=words["title"],
            hypothesis=words["hypothesis"],
            arms=self._arms(),
            metrics=metrics,
            traffic=words["traffic"],
            segment=words["segment"].key if words["segment"] is not None else "",
            group=GroupRange(group.key, words["group_start"], words["group_end"]) if group is not None else None,
            holdout=words["holdout"].key if words["holdout"] is not None else "",
            design=self.words.design(self._design),
        )

    def _arms(self) -> tuple[ArmSpec, ...]:
        """The arms as they stand; where no weight was given at all, equal shares."""
        rows = [form.cleaned_data for form in self._filled(self.arms)]
        equal = all(each["weight"] is None for each in rows)
        total = sum(each["weight"] or 0.0 for each in rows)
        if len(rows) > 1 and not equal and abs(total - 1) > 1e-9:
            raise ExperimentRefused(
                field="weights",
                reason="weights",
                remedy=f"the weights add up to {round(total * 100, 6):g}%: change them so that they make 100%, or "
                "leave all of them empty for equal shares",
            )
        share = 1 / len(rows) if rows else 0.0
        return tuple(ArmSpec(each["key"], share if equal else each["weight"] or 0.0, each["title"]) for each in rows)

    def _metrics(self) -> tuple[MetricSpec, ...] | None:
        """The metrics; None where one was refused, which is told in its row."""
        found = []
        for form in self._filled(self.metrics):
            try:
                found.append(form.spec())
            except ExperimentRefused as refused:
                form.add_error(refused.reason if refused.reason in form.fields else None, _sentence(refused.remedy))
        return tuple(found) if all(form.is_valid() for form in self.metrics.forms) else None

    @staticmethod
    def _filled(rows: BaseFormSet[Row]) -> list[Row]:
        return [form for form in rows.forms if not form.is_blank]  # type: ignore[attr-defined]


_NEW_ARMS: Final = (
    {"key": "control", "title": "As it is now", "weight": 0.5},
    {"key": "treatment", "title": "", "weight": 0.5},
)
_NEW_METRIC: Final = {"kind": "conversion", "role": "primary", "window_days": 7}


def _rows(form: type[Row], most: int) -> type[BaseFormSet[Row]]:
    made: type[BaseFormSet[Row]] = formset_factory(form, extra=1, max_num=most, absolute_max=most + 4)
    return made


def _initial(definition: Definition | None) -> dict[str, Any]:
    design = definition.design if definition is not None else Design()
    found: dict[str, Any] = {
        "traffic": 1.0,
        "lift": design.lift,
        "power": design.power,
        "looks": design.looks,
        "units": design.units,
        "adjusted": design.adjusted,
        "ships": design.ships,
        "rolls_back": design.rolls_back,
        "uplift": design.uplift,
        "bandit": design.bandit,
    }
    if definition is None:
        return found
    group = definition.group
    return found | {
        "title": definition.title,
        "hypothesis": definition.hypothesis,
        "traffic": definition.traffic,
        "segment": definition.segment,
        "holdout": definition.holdout,
        "group": group.key if group is not None else "",
        "group_start": group.start if group is not None else None,
        "group_end": group.end if group is not None else None,
    }


def _arm_initial(arm: ArmSpec) -> dict[str, Any]:
    return {"key": arm.key, "title": arm.title, "weight": arm.weight}


def _metric_initial(metric: MetricSpec) -> dict[str, Any]:
    return {
        "kind": metric.kind,
        "event": metric.event,
        "role": metric.role,
        "margin": metric.margin,
        "window_days": metric.window_days,
    }


def _sent(form: forms.Form) -> dict[str, Any]:
    return {name: form[name].value() for name in form.fields if form[name].value() not in (None, "")}


def _sentence(message: str) -> str:
    return f"{message[:1].upper()}{message[1:]}."
