"""Training runs leave a report however they end; refusals are counted without a row each."""

from __future__ import annotations

import subprocess
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from purchase_intent import tasks
from purchase_intent.exceptions import TrainingBusy, TrainingRefused
from purchase_intent.models import Refusal, RunState, TrainingRun, Why
from purchase_intent.tracking import refusals
from purchase_intent.tracking.refusals import note_refusal
from purchase_intent.training.alone import BUSY, alone
from purchase_intent.training.reported import reported
from tests.integration.desk.things import version
from tests.integration.watch.conftest import NOW

pytestmark = pytest.mark.django_db


class Told:
    """A process that has ended."""

    def __init__(self, returncode: int, stdout: str = "", stderr: str = "") -> None:
        self.returncode, self.stdout, self.stderr = returncode, stdout, stderr


def test_a_training_that_registers_says_so() -> None:
    with reported("session") as done:
        assert TrainingRun.objects.get().state == RunState.RUNNING
        done.version = version()
    run = TrainingRun.objects.get()
    assert (run.state, run.version, run.why) == (RunState.REGISTERED, done.version, Why.REQUEST)
    assert run.said == f"Registered {done.version}. Passed the checks."
    assert run.started_at is not None
    assert run.ended_at is not None


@pytest.mark.parametrize(
    ("error", "state", "said"),
    [
        pytest.param(TrainingRefused("too few buyers"), RunState.REFUSED, "too few buyers", id="refused"),
        pytest.param(TrainingBusy("another one"), RunState.BUSY, "another one", id="busy"),
        pytest.param(ValueError("a fault"), RunState.FAILED, "ValueError: a fault", id="fault"),
        pytest.param(SystemExit(143), RunState.FAILED, "Ended from outside before it was done.", id="ended"),
    ],
)
def test_a_training_that_ends_otherwise_says_why(error: BaseException, state: RunState, said: str) -> None:
    asked = TrainingRun.objects.create(why=Why.DRIFT, reason="drifted", day=NOW.date())
    with pytest.raises(type(error)), reported("session", run=asked.pk):
        raise error
    run = TrainingRun.objects.get()
    assert (run.pk, run.state, run.said, run.why, run.reason) == (asked.pk, state, said, Why.DRIFT, "drifted")


def test_the_command_reports_what_was_refused(bundle_folder: object) -> None:
    with pytest.raises(CommandError, match="no event is stored yet"):
        call_command("intent_train", stdout=StringIO())
    run = TrainingRun.objects.get()
    assert (run.state, run.reason) == (RunState.REFUSED, "Begun by intent_train.")
    assert run.said.startswith("no event is stored yet")


@pytest.mark.django_db(transaction=True)
def test_the_command_reports_that_another_was_under_way() -> None:
    with alone(), pytest.raises(CommandError, match="another training is under way"):
        call_command("intent_train", "--alone", stdout=StringIO())
    assert TrainingRun.objects.get().state == RunState.BUSY


@pytest.mark.parametrize(
    ("code", "state", "raised"),
    [
        pytest.param(-9, RunState.FAILED, TrainingRefused, id="killed"),
        pytest.param(BUSY, RunState.BUSY, TrainingBusy, id="busy"),
    ],
)
def test_a_process_that_is_gone_without_a_word_is_reported(
    monkeypatch: pytest.MonkeyPatch, code: int, state: RunState, raised: type[Exception]
) -> None:
    from purchase_intent.training.alone import train_in_fresh_process

    commands: list[list[str]] = []

    def run(command: list[str], **kwargs: Any) -> Told:
        commands.append(command)
        return Told(code, "fitting catboost\n")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(raised, match="fitting catboost"):
        train_in_fresh_process()
    report = TrainingRun.objects.get()
    assert (report.state, report.said, report.why) == (state, "fitting catboost", Why.SCHEDULE)
    assert commands[0][-2:] == ["--run", str(report.pk)]


def test_a_report_that_the_process_wrote_itself_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = TrainingRun.objects.create(why=Why.REQUEST)

    def run(command: list[str], **kwargs: Any) -> Told:
        asked.end(RunState.REGISTERED, "Registered.", now=NOW)
        return Told(0, "Registered as model 1.\n")

    monkeypatch.setattr(subprocess, "run", run)
    assert tasks.train(run=asked.pk) == "Registered as model 1."
    report = TrainingRun.objects.get()
    assert (report.state, report.said) == (RunState.REGISTERED, "Registered.")


def test_refusals_of_a_burst_are_one_row_each_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    now = [100.0]
    monkeypatch.setattr(refusals, "clock", lambda: now[0])
    refusals.forget_refusals()

    def tell(reason: str, field: str, times: int = 1) -> None:
        for _ in range(times):
            with django_capture_on_commit_callbacks(execute=True):
                note_refusal(reason, field)

    tell("bad_price", "price", times=5)
    tell("bad_quantity", "quantity")
    assert list(Refusal.objects.order_by("pk").values_list("reason", "count")) == [
        ("bad_price", 1),
        ("bad_quantity", 1),
    ]
    now[0] += 10
    tell("bad_price", "price")
    assert [row.count for row in Refusal.objects.filter(reason="bad_price").order_by("pk")] == [1, 5]
    refusals.forget_refusals()


def test_a_refusal_that_was_rolled_back_never_was(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=False) as waiting:
        note_refusal("bad_price", "price")
    assert len(waiting) == 1
    assert not Refusal.objects.exists()
