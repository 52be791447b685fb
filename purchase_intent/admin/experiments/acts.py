"""Start, ramp, stop, and look in between: each asks first, and is on record with who did it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from purchase_intent.admin.experiments.fields import ShareField, share_words
from purchase_intent.admin.experiments.plan import plan_words
from purchase_intent.admin.experiments.words import headline
from purchase_intent.admin.lists import Desk
from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.design import Design
from purchase_intent.experiments.editing import latest_change, ramp_experiment, start_experiment, stop_experiment
from purchase_intent.experiments.looking import latest, look_now
from purchase_intent.experiments.results import Result
from purchase_intent.experiments.stored import definition_of
from purchase_intent.models import Experiment, ExperimentState

__all__ = ["ACTS", "act"]

Do = Callable[[Experiment, dict[str, Any], str, datetime], str]


class _Nothing(forms.Form):
    """A yes is enough."""

    def __init__(self, *args: Any, experiment: Experiment, **options: Any) -> None:
        super().__init__(*args, **options)
        self.experiment = experiment


class _Ramp(_Nothing):
    traffic = ShareField(label="Traffic, % of visitors", help_text="It can only be raised: nobody changes arm.")

    def clean_traffic(self) -> float:
        """More than it is now, told in per cent as it is written."""
        traffic: float = self.cleaned_data["traffic"]
        if traffic <= self.experiment.traffic:
            now = share_words(self.experiment.traffic)
            raise forms.ValidationError(f"It is {now} now and can only be raised: to end the experiment, stop it.")
        return traffic


class _Stop(_Nothing):
    shipped = forms.ChoiceField(
        widget=forms.RadioSelect, label="From now on everybody is shown", error_messages={"required": "Choose an arm."}
    )
    why = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        label="Why",
        help_text="One sentence for whoever asks in a year.",
        error_messages={"required": "Say why in a sentence: it is kept with the decision."},
    )

    def __init__(self, *args: Any, experiment: Experiment, **options: Any) -> None:
        super().__init__(*args, experiment=experiment, **options)
        shipped: Any = self.fields["shipped"]
        shipped.choices = [
            (arm.key, f"{arm.title or arm.key}{' (the control)' if arm.key == experiment.control else ''}")
            for arm in experiment.arms.all()
        ]


def _start(experiment: Experiment, _given: dict[str, Any], who: str, now: datetime) -> str:
    start_experiment(experiment, who=who, now=now)
    return f"{experiment.title} runs: {share_words(experiment.traffic)} of the visitors it is for take part now."


def _ramp(experiment: Experiment, given: dict[str, Any], who: str, now: datetime) -> str:
    ramp_experiment(experiment, given["traffic"], who=who, now=now)
    return f"{share_words(experiment.traffic)} of the visitors take part from now on; nobody changed arm."


def _stop(experiment: Experiment, given: dict[str, Any], who: str, now: datetime) -> str:
    stop_experiment(experiment, shipped=given["shipped"], who=who, now=now, why=given["why"])
    titles = {arm.key: arm.title for arm in experiment.arms.all()}
    said = headline(experiment, None, titles)
    return f"{experiment.title} is {said[:1].lower()}{said[1:]}."


def _look(experiment: Experiment, _given: dict[str, Any], who: str, now: datetime) -> str:
    look_now(experiment, who=who, now=now)
    return "Looked at now, and kept on record: the rule for unplanned looks was applied."


class Act:
    """One act: in which state it can be done, its form, what does it, and how its page asks."""

    def __init__(self, name: str, state: ExperimentState, form: type[_Nothing], do: Do, verb: str) -> None:
        self.name, self.state, self.form, self.do, self.verb = name, state, form, do, verb

    def is_open(self, experiment: Experiment) -> bool:
        """Whether the state allows it; of all the traffic there is no more to be had."""
        return experiment.state == self.state and not (self.name == "ramp" and experiment.traffic >= 1)


ACTS: Final = {
    each.name: each
    for each in (
        Act("start", ExperimentState.DRAFT, _Nothing, _start, "Start it"),
        Act("ramp", ExperimentState.RUNNING, _Ramp, _ramp, "Raise the traffic"),
        Act("stop", ExperimentState.RUNNING, _Stop, _stop, "Stop it"),
        Act("look", ExperimentState.RUNNING, _Nothing, _look, "Look now"),
    )
}


def act(desk: Desk, request: HttpRequest, experiment: Experiment, name: str) -> HttpResponse:
    """Ask (GET), do it (POST); a refusal is told with its remedy, and nothing is done."""
    chosen = ACTS[name]
    page = reverse("admin:purchase_intent_experiment_change", args=[experiment.pk])
    if not chosen.is_open(experiment):
        said = f"{experiment.title} is {experiment.get_state_display()}: it cannot be done any more, or not yet."
        if experiment.state == chosen.state:
            said = f"{experiment.title} takes in {share_words(experiment.traffic)} of its visitors: there is no more."
        desk.message_user(request, said, messages.WARNING)
        return HttpResponseRedirect(page)
    form = chosen.form(request.POST or None, experiment=experiment, initial={"traffic": experiment.traffic})
    fault = _overtaken(request, experiment) if name == "start" else ""
    if request.method == "POST" and not fault and (form.is_valid() or not form.fields):
        try:
            given = form.cleaned_data if form.fields else {}
            said = chosen.do(experiment, given, str(request.user.get_username()), timezone.now())
        except ExperimentRefused as refused:
            fault = f"{refused.remedy[:1].upper()}{refused.remedy[1:]}."
        else:
            desk.log_change(request, experiment, said)
            desk.message_user(request, said, messages.SUCCESS)
            return HttpResponseRedirect(page)
    context = {
        "subtitle": experiment.title,
        "act": name,
        "verb": chosen.verb,
        "form": form,
        "fault": fault,
        "seen": latest_change(experiment),
        "traffic": share_words(experiment.traffic),
        "plan": _plan(experiment) if name == "start" else None,
        "bandit": Design.from_json(experiment.design).bandit is not None,
        "known": _known(experiment) if name == "stop" else "",
    }
    return desk.drawn(request, "admin/purchase_intent/experiments/act.html", experiment, context)


def _overtaken(request: HttpRequest, experiment: Experiment) -> str:
    """What to say to who starts a draft that another has changed since the page was read, or ""."""
    sent = request.POST.get("seen", "")
    if not (sent.isascii() and sent.isdecimal()) or latest_change(experiment) <= int(sent):
        return ""
    return "It was changed meanwhile, and is not started: below stands what it is now. Start it again to start that."


def _known(experiment: Experiment) -> str:
    """The verdict so far, for whoever is about to stop it."""
    look = latest(experiment)
    titles = {arm.key: arm.title for arm in experiment.arms.all() if arm.title}
    return headline(experiment, Result.from_json(look.result) if look is not None else None, titles)


def _plan(experiment: Experiment) -> dict[str, Any]:
    try:
        return plan_words(definition_of(experiment), now=timezone.now())
    except ExperimentRefused as refused:
        return {"headline": "It is not fit to be started", "missing": refused.message, "sentences": []}
