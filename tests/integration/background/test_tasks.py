"""The tasks as a shop meets them: with Celery or without, one training at a time, commands that do the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from celery.schedules import crontab
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from demo_shop.celery import app
from purchase_intent import tasks
from purchase_intent.events import EventName
from purchase_intent.exceptions import TrainingBusy, TrainingRefused
from purchase_intent.models import CatalogueDay, ModelVersion, Session, Visitor
from purchase_intent.training import alone as training
from tests.integration.background.conftest import Browse
from tests.integration.models.builders import minutes, visitor

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[3]
NAMES = sorted(set(tasks.__all__) - {"BEAT_SCHEDULE"})
LEARNING = {"train", "learn_uplift", "relearn_uplift"}
SENT = {"build_features", "learn_uplift", "score_partition"}
"""Tasks that another part or a person sends: beat has none of them."""
VIEW, PURCHASE = EventName.VIEW, EventName.PURCHASE


def fresh(code: str, **variables: str) -> str:
    """Run code in a fresh process; what it printed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}
    environment |= {"DJANGO_SETTINGS_MODULE": "demo_shop.settings"} | variables
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_celery_the_tasks_are_plain_functions() -> None:
    printed = fresh(
        "import sys, types, json\n"
        "class Blocked:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'celery': raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Blocked())\n"
        "from purchase_intent import tasks\n"
        "kinds = {name: isinstance(getattr(tasks, name), types.FunctionType) for name in tasks.__all__[1:]}\n"
        "times = {name: entry['schedule'] for name, entry in tasks.BEAT_SCHEDULE.items()}\n"
        "print(json.dumps([kinds, times]))"
    )
    kinds, times = json.loads(printed)
    assert kinds == dict.fromkeys(NAMES, True)
    assert times["purchase-intent-train"] == "0 4 * * 1"
    assert times["purchase-intent-train-week"] == "0 4 * * 2"
    assert times["purchase-intent-score-sessions"] == 60.0


def test_with_celery_each_is_registered_and_due() -> None:
    app.loader.import_default_modules()
    assert {f"purchase_intent.{name}" for name in NAMES} <= set(app.tasks)
    due = {entry["task"]: entry["schedule"] for entry in app.conf.beat_schedule.values()}
    assert sorted(due) == [f"purchase_intent.{name}" for name in NAMES if name not in SENT]
    assert due["purchase_intent.freeze_day"] == crontab(minute="10", hour="0")
    trained = {name: entry["schedule"] for name, entry in app.conf.beat_schedule.items() if "train" in name}
    assert trained["purchase-intent-train"] == crontab(minute="0", hour="4", day_of_week="1")
    assert trained["purchase-intent-train-week"] == crontab(minute="0", hour="4", day_of_week="2")
    assert app.conf.timezone == settings.PURCHASE_INTENT["TIME_ZONE"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_lost_with_its_worker_is_delivered_again_but_for_training(name: str) -> None:
    task = app.tasks[f"purchase_intent.{name}"]
    assert (bool(task.acks_late), bool(task.reject_on_worker_lost)) == (name not in LEARNING,) * 2


@pytest.mark.parametrize("name", NAMES)
def test_each_task_is_documented(name: str) -> None:
    assert f"| `{name}` |" in (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("url", "eager", "cache"),
    [
        pytest.param("", True, "django.core.cache.backends.locmem.LocMemCache", id="no broker"),
        pytest.param("redis://127.0.0.1:1/0", False, "django.core.cache.backends.redis.RedisCache", id="Redis"),
    ],
)
def test_the_demo_runs_with_a_broker_or_without(url: str, eager: bool, cache: str) -> None:
    printed = fresh(
        "import django, json; django.setup()\n"
        "from django.conf import settings; from celery import current_app as app\n"
        "print(json.dumps([app.conf.task_always_eager, app.conf.broker_url,"
        " settings.CACHES['default']['BACKEND']]))",
        REDIS_URL=url,
    )
    assert json.loads(printed) == [eager, url or None, cache]


def test_each_task_runs_in_process(browse: Browse) -> None:
    browse(visitor(), "ended", VIEW, PURCHASE)
    assert tasks.close_sessions() == {"bought": 1, "left": 0, "busy": 0, "judged": 0}
    assert tasks.close_sessions() == {"bought": 0, "left": 0, "busy": 0, "judged": 0}
    frozen = tasks.freeze_day()
    assert frozen[-1] == (timezone.localdate() - timedelta(days=1)).isoformat()
    assert tasks.freeze_day() == []
    assert tasks.score_sessions() == 0
    tasks.make_partitions()
    assert tasks.make_partitions() == []
    Visitor.objects.update(last_seen=timezone.now() - timedelta(days=2))
    assert (tasks.score_visitors(), tasks.score_visitors()) == (1, 0)
    assert tasks.prune() == {"events": 0, "scores": 0, "sessions": 0, "visitors": 0, "reports": 0, "bundles": 0}


class Told:
    """A process that has ended."""

    def __init__(self, returncode: int, stdout: str = "", stderr: str = "") -> None:
        self.returncode, self.stdout, self.stderr = returncode, stdout, stderr


def test_training_fails_with_the_last_line_of_the_fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(1, "    0.1 s  reading\n", "CommandError: too few buyers\n")
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: told)
    with pytest.raises(TrainingRefused, match=r"^too few buyers$"):
        tasks.train()


def test_uplift_is_learnt_in_a_fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[list[str]] = []

    def run(command: list[str], **options: object) -> Told:
        told.append(command[1:])
        return Told(0, "    1.0 s  folding\nUplift model 3: Serves\n")

    monkeypatch.setattr(subprocess, "run", run)
    assert tasks.learn_uplift("vip-offer") == "Uplift model 3: Serves"
    assert told == [["-m", "django", "intent_uplift", "vip-offer"]]


def test_the_weekly_training_may_tune(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[list[str]] = []

    def run(command: list[str], **options: object) -> Told:
        told.append(command[command.index("--run") + 2 :])
        return Told(0, "Registered\n")

    monkeypatch.setattr(subprocess, "run", run)
    assert tasks.train(trials=50, budget=45) == tasks.train() == "Registered"
    assert told == [["--trials", "50", "--budget", "45"], []]


@pytest.mark.parametrize(
    ("told", "error", "words"),
    [
        pytest.param(
            Told(75, stderr="CommandError: another training\n"), TrainingBusy, "^another training$", id="busy"
        ),
        pytest.param(Told(-9), TrainingRefused, "^exit code -9$", id="killed without a word"),
    ],
)
def test_how_the_fresh_process_ended_is_told(
    told: Told, error: type[Exception], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: told)
    with pytest.raises(error, match=words):
        training.train_in_fresh_process()


def test_the_last_line_of_a_training_that_went_well_is_the_answer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told = Told(0, "    0.1 s  reading\n\n", "Registered as model 7, champion.\n")
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: told)
    with caplog.at_level("INFO"):
        assert training.train_in_fresh_process() == "Registered as model 7, champion."
    assert [record.getMessage() for record in caplog.records] == [
        "intent_train:     0.1 s  reading",
        "intent_train: Registered as model 7, champion.",
    ]


def test_a_database_without_a_known_lock_trains_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "no lock is known for oracle: train with intent_train, without --alone"
    with monkeypatch.context() as patch:
        patch.setattr(connection, "vendor", "oracle")
        with pytest.raises(TrainingRefused, match=said), training.alone():
            pass


def test_training_in_a_fresh_process_is_given_up_in_time() -> None:
    with pytest.raises(TrainingRefused, match="took longer than 0 seconds"):
        training.train_in_fresh_process(longest=0.01)


def test_another_horizon_is_refused() -> None:
    with pytest.raises(TrainingRefused, match="horizon: 'month' is unknown; give one of session, week"):
        tasks.train("month")


def test_one_training_at_a_time() -> None:
    with training.alone():
        with pytest.raises(TrainingBusy, match="another training is under way"), training.alone():
            pass
        with pytest.raises(CommandError, match="another training is under way") as refused:
            call_command("intent_train", "--alone", stdout=StringIO())
        assert refused.value.returncode == training.BUSY
    with training.alone():
        assert not ModelVersion.objects.exists()


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_the_commands_say_what_they_did(browse: Browse) -> None:
    now = timezone.now()
    owner = visitor(last_seen=now - timedelta(days=2))
    browse(owner, "ended", VIEW, PURCHASE)
    browse(owner, "left", VIEW, begin=minutes(9))
    browse(visitor("v2", first_seen=now, last_seen=now), "open", VIEW, begin=now - timedelta(minutes=3))
    assert "Scored 1 open sessions." in run("intent_score")
    assert "Scored 1 visitors." in run("intent_score", "--visitors")
    assert "Closed 2 sessions, 1 of which bought; judged 0 scores." in run("intent_close")
    assert "Froze 28 catalogue days" in run("intent_freeze")
    assert "Froze 0 catalogue days; made 0 months of events." in run("intent_freeze")
    assert CatalogueDay.objects.count() > 0
    assert "Deleted what is older than 395 days: 0 events" in run("intent_prune")
    assert Session.objects.count() == 3


def test_intent_close_prints_scores_against_outcomes(browse: Browse, version: ModelVersion, asked: list[Any]) -> None:
    from purchase_intent.models import Score

    session = browse(visitor(), "ended", VIEW, PURCHASE)
    Score.objects.create(session=session, model=version, moment=session.started_at, probability=0.3)
    assert "session scores from 0.20 to 0.40: 1, mean 0.300, came true 1.000" in run("intent_close")
