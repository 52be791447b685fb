"""The editor's page: a draft is made or changed as a whole; of one that has begun only what the rules allow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from purchase_intent.admin.experiments.form import Editor
from purchase_intent.admin.experiments.plan import lasting, plan_words
from purchase_intent.admin.experiments.words_form import BegunForm
from purchase_intent.admin.lists import Desk
from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.definition import Definition
from purchase_intent.experiments.editing import change_experiment, latest_change, make_experiment
from purchase_intent.experiments.ranges import free_ranges, spelled, taken_ranges
from purchase_intent.experiments.stored import definition_of
from purchase_intent.models import ExclusionGroup, Experiment, ExperimentState

__all__ = ["edit"]


def edit(desk: Desk, request: HttpRequest, experiment: Experiment | None) -> HttpResponse:
    """The editor (GET), its plan or more rows, or the experiment saved (POST)."""
    if experiment is not None and experiment.state != ExperimentState.DRAFT:
        return _edit_begun(desk, request, experiment)
    if request.method != "POST":
        editor = Editor(experiment=experiment, definition=_stored(experiment))
        return _drawn(desk, request, experiment, editor)
    editor = Editor(request.POST, experiment=experiment, definition=_stored(experiment))
    for name in ("arms", "metrics"):
        if f"_more_{name}" in request.POST:
            editor.more(name)
            return _drawn(desk, request, experiment, editor)
    plan = None
    if editor.is_valid() and (definition := _lasting(editor)) is not None:
        if "_save" in request.POST and (answer := _saved(desk, request, experiment, editor, definition)) is not None:
            return answer
        plan = _planned(editor, definition)
    return _drawn(desk, request, experiment, editor, plan=plan)


def _stored(experiment: Experiment | None) -> Definition | None:
    try:
        return definition_of(experiment) if experiment is not None else None
    except ExperimentRefused:
        return None  # what is stored is no experiment any more: it is filled in anew


def _lasting(editor: Editor) -> Definition | None:
    """What the forms describe, with the visitors of the duration that was asked for."""
    definition, days = editor.definition, editor.words.cleaned_data.get("days")
    if definition is None or not days:
        return definition
    try:
        return lasting(definition, days, now=timezone.now())
    except ExperimentRefused as refused:
        editor.refuse(refused)
        return None


def _planned(editor: Editor, definition: Definition) -> dict[str, Any] | None:
    try:
        return plan_words(definition, now=timezone.now())
    except ExperimentRefused as refused:
        editor.refuse(refused)
        return None


def _saved(
    desk: Desk, request: HttpRequest, experiment: Experiment | None, editor: Editor, definition: Definition
) -> HttpResponse | None:
    """Save it, and lead to its page; None where it was refused, which is told beside the field."""
    who, now = str(request.user.get_username()), timezone.now()
    try:
        if experiment is None:
            experiment = make_experiment(definition, who=who, now=now)
            desk.log_addition(request, experiment, [{"added": {}}])
            said = f"{experiment.title} is a draft now: preview its arms, then start it."
        else:
            change_experiment(experiment, definition, who=who, now=now, seen=_seen(request))
            desk.log_change(request, experiment, "Changed while a draft.")
            said = f"{experiment.title} is saved."
    except ExperimentRefused as refused:
        editor.refuse(refused)
        return None
    desk.message_user(request, said, messages.SUCCESS)
    return HttpResponseRedirect(reverse("admin:purchase_intent_experiment_change", args=[experiment.pk]))


def _edit_begun(desk: Desk, request: HttpRequest, experiment: Experiment) -> HttpResponse:
    before = definition_of(experiment)
    initial = {
        "title": before.title,
        "hypothesis": before.hypothesis,
        "ships": before.design.ships,
        "rolls_back": before.design.rolls_back,
        "uplift": before.design.uplift,
    }
    form = BegunForm(request.POST or None, experiment=experiment, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        design = replace(before.design, **{name: given[name] for name in ("ships", "rolls_back", "uplift")})
        after = replace(before, title=given["title"], hypothesis=given["hypothesis"], design=design)
        try:
            who = str(request.user.get_username())
            change_experiment(experiment, after, who=who, now=timezone.now(), seen=_seen(request))
        except ExperimentRefused as refused:
            form.add_error(None, f"{refused.remedy[:1].upper()}{refused.remedy[1:]}.")
        else:
            desk.log_change(request, experiment, "Changed after it had begun: words, or what it does by itself.")
            desk.message_user(request, f"{experiment.title} is saved.", messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:purchase_intent_experiment_change", args=[experiment.pk]))
    context = {"subtitle": experiment.title, "form": form, "seen": latest_change(experiment)}
    return desk.drawn(request, "admin/purchase_intent/experiments/edit_begun.html", experiment, context)


def _drawn(
    desk: Desk,
    request: HttpRequest,
    experiment: Experiment | None,
    editor: Editor,
    *,
    plan: dict[str, Any] | None = None,
) -> HttpResponse:
    context = {
        "subtitle": experiment.title if experiment is not None else "A new experiment",
        "editor": editor,
        "experiment": experiment,
        "seen": _told_last(request, experiment),
        "plan": plan,
        "groups": _groups(),
        "is_sent": not {"_more_arms", "_more_metrics"} & {*request.POST},
    }
    return desk.drawn(request, "admin/purchase_intent/experiments/edit.html", experiment, context)


def _seen(request: HttpRequest) -> int | None:
    """The latest change that the form's author knew of, as the form sends it along."""
    sent = request.POST.get("seen", "")
    return int(sent) if sent.isascii() and sent.isdecimal() else None


def _told_last(request: HttpRequest, experiment: Experiment | None) -> int:
    """The latest change that the page tells of: what a preview began with stays, a refusal has told of the newest."""
    if experiment is None:
        return 0
    sent = None if "_save" in request.POST else _seen(request)
    return latest_change(experiment) if sent is None else sent


def _groups() -> list[tuple[str, str]]:
    """What is free of each exclusion group."""
    groups = list(ExclusionGroup.objects.all()[:100])
    taken = taken_ranges(groups)
    return [
        (each.title or each.key, ", ".join(spelled(*free) for free in free_ranges(taken[each.pk])) or "nothing")
        for each in groups
    ]
