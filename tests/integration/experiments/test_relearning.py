"""Uplift learnt anew by schedule: what is due, what is refused and kept, and what serves meanwhile."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from purchase_intent import tasks
from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.definition import ArmSpec
from purchase_intent.experiments.editing import change_experiment, stop_experiment
from purchase_intent.experiments.stored import definition_of
from purchase_intent.experiments.uplift import relearning
from purchase_intent.experiments.uplift.relearning import due_experiments, money_before
from purchase_intent.learning.uplift import Money
from purchase_intent.models import Experiment, UpliftStatus, UpliftVersion
from purchase_intent.training import alone
from tests.integration.experiments.town import BEGIN, METRICS, open_town, running, shoppers

pytestmark = pytest.mark.django_db

NOW = BEGIN + timedelta(days=20)
THREE = (ArmSpec("off", 0.4), ArmSpec("on", 0.4), ArmSpec("gift", 0.2))


def asking(key: str = "bar", **fields: Any) -> Experiment:
    return running(key, metrics=METRICS[:1], design={"uplift": True}, **fields)


def tried(experiment: Experiment, at: datetime, *, status: str = "refused", arm: str = "on") -> UpliftVersion:
    bundle = "there.zip" if status == "serving" else ""
    facts: dict[str, Any] = {"units": 9, "outcomes": 3, "schema_hash": "-", "verdict": "As it was.", "learner": "x"}
    made: UpliftVersion = UpliftVersion.objects.create(
        experiment=experiment, created_at=at, known_at=at, treatment=arm, status=status, bundle=bundle, **facts
    )
    return made


@pytest.mark.parametrize(
    ("age", "stopped", "is_due"),
    [
        pytest.param(None, None, True, id="never tried"),
        pytest.param(timedelta(days=3), None, False, id="tried this week"),
        pytest.param(timedelta(days=6, hours=23), None, True, id="a week ago, to the hour that a night begins"),
        pytest.param(timedelta(days=3), timedelta(days=1), True, id="stopped since"),
        pytest.param(timedelta(days=30), timedelta(days=40), False, id="tried after its end"),
    ],
)
def test_it_is_due_each_week_and_once_after_the_end(
    age: timedelta | None, stopped: timedelta | None, is_due: bool
) -> None:
    running("other")  # does not ask for it
    experiment = asking(begin=NOW - timedelta(days=90))
    if age is not None:
        tried(experiment, NOW - age)
    if stopped is not None:
        stop_experiment(experiment, who="ada", now=NOW - stopped)
    assert [each.key for each in due_experiments(NOW)] == ["bar"] * is_due


def test_it_may_be_asked_for_while_it_runs() -> None:
    experiment = running(metrics=METRICS[:1])
    assert due_experiments(NOW) == []
    before = definition_of(experiment)
    after = replace(before, design=replace(before.design, uplift=True))
    change_experiment(experiment, after, who="ada", now=NOW)
    assert [each.key for each in due_experiments(NOW)] == ["bar"]


def test_what_nobody_can_be_moved_to_cannot_be_asked_for() -> None:
    abandoned = replace(METRICS[4], role="primary", margin=None)
    with pytest.raises(ExperimentRefused, match="uplift needs orders or an event as the primary metric"):
        running(metrics=(abandoned,), design={"uplift": True})
    assert not Experiment.objects.exists()


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, str], list[list[str]]]:
    """Has a fresh process end with a code and a last line; what was run."""

    def ending(code: int, said: str) -> list[list[str]]:
        told: list[list[str]] = []

        def run(command: list[str], **options: object) -> Any:
            told.append(command[3:])
            return subprocess.CompletedProcess(command, code, said, "")

        monkeypatch.setattr(subprocess, "run", run)
        return told

    return ending


def test_too_few_are_told_apart_before_anything_is_folded_and_the_old_model_serves_on(
    monkeypatch: pytest.MonkeyPatch, processes: Callable[[int, str], list[list[str]]]
) -> None:
    told = processes(0, "")
    experiment = asking(arms=THREE)
    serving = tried(experiment, BEGIN, status="serving")
    open_town(experiment, shoppers(40, days=4))
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    assert tasks.relearn_uplift() == {}
    assert told == []
    kept = UpliftVersion.objects.filter(learner="").order_by("treatment")
    assert [(each.treatment, each.status, each.created_at) for each in kept] == [
        ("gift", UpliftStatus.REFUSED, NOW),
        ("on", UpliftStatus.REFUSED, NOW),
    ]
    short = "Not learnt: too little to learn effects from: control: 20 units, 500 needed; "
    assert [each.verdict for each in kept] == [
        f"{short}gift: 0 units, 500 needed.",
        f"{short}on: 20 units, 500 needed.",
    ]
    assert list(UpliftVersion.objects.serving()) == [serving]
    assert tasks.relearn_uplift() == {}  # what was tried is not due
    assert UpliftVersion.objects.count() == 3


@pytest.mark.parametrize(
    ("code", "said", "kept"),
    [
        pytest.param(0, "Uplift model 3: Serves", [], id="learnt"),
        pytest.param(75, "another training is under way", [], id="busy"),
        pytest.param(-9, "", ["Not learnt: exit code -9."], id="killed"),
    ],
)
def test_each_that_is_due_is_learnt_in_a_fresh_process_and_a_silent_end_is_kept(
    monkeypatch: pytest.MonkeyPatch,
    processes: Callable[[int, str], list[list[str]]],
    code: int,
    said: str,
    kept: list[str],
) -> None:
    told = processes(code, said)
    monkeypatch.setattr(relearning, "LEAST", {"units": 20})
    for key in ("bar", "next"):
        open_town(asking(key), shoppers(40, days=4), prefix=key)
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    assert tasks.relearn_uplift() == dict.fromkeys(("bar", "next"), said or "exit code -9")
    assert told == [["intent_uplift", key, "--scheduled"] for key in ("bar", "next")]
    assert [each.verdict for each in UpliftVersion.objects.all()] == kept * 2


def test_the_command_keeps_what_it_refuses_where_it_is_scheduled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asking(arms=THREE)
    monkeypatch.setattr(alone, "alone", nullcontext)
    why = "nobody's window of 3 days is over yet: let it run on"
    with pytest.raises(CommandError, match=f"^experiment bar: {why}$"):
        call_command("intent_uplift", "bar", "--scheduled", verbosity=0)
    kept = {each.treatment: each.verdict for each in UpliftVersion.objects.filter(learner="")}
    assert kept == dict.fromkeys(("on", "gift"), f"Not learnt: {why}.")
    UpliftVersion.objects.all().delete()
    call_command("intent_uplift", "--due", verbosity=0)
    assert "bar: too little to learn from yet.\n1 experiments were due." in capsys.readouterr().out
    assert UpliftVersion.objects.count() == 2
    for words, said in (([], "Name an experiment"), (["bar", "--arm", "off"], "“off” is none of its treatments: on")):
        with pytest.raises(CommandError, match=said):
            call_command("intent_uplift", *words, verbosity=0)


def test_it_is_learnt_with_the_costs_of_the_model_that_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = asking()
    assert money_before(experiment, "on") is None
    version = tried(experiment, BEGIN, status="serving")
    version.figures = {"money": {"margin": 20.0, "cost": 2.0, "contact": 0.1}}
    version.save()
    assert money_before(experiment, "gift") is None
    told: list[dict[str, Any]] = []

    def learn(key: str, **how: Any) -> UpliftVersion:
        told.append({"key": key, **how})
        return version

    monkeypatch.setattr("purchase_intent.experiments.uplift.training.learn", learn)
    monkeypatch.setattr(alone, "alone", nullcontext)
    call_command("intent_uplift", "bar", "--scheduled", verbosity=0)
    (how,) = told
    assert (how["key"], how["treatment"], how["force"]) == ("bar", "on", False)
    assert how["money"] == Money(margin=20.0, cost=2.0, contact=0.1)
