"""The work beside the pages, as Celery tasks; without Celery plain functions, for `manage.py` and cron.

Each may run twice, or be killed and run again: what is done is not done twice. `docs/operations.md` lists them. Nothing
here needs Django to have started when it is imported, so that settings can name `BEAT_SCHEDULE`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any, Final, ParamSpec, TypeVar

from django.utils import timezone

from purchase_intent.exceptions import TrainingBusy

try:
    import celery
    from celery.schedules import crontab
except ModuleNotFoundError:  # cron does the same work
    celery = crontab = None

__all__ = [
    "BEAT_SCHEDULE",
    "analyse_experiments",
    "build_features",
    "close_sessions",
    "drain",
    "fill_segments",
    "freeze_day",
    "learn_uplift",
    "make_partitions",
    "prune",
    "relearn_uplift",
    "score_partition",
    "score_sessions",
    "score_visitors",
    "train",
    "watch",
]

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

AHEAD: Final = timedelta(days=62)
"""Two months."""


def _task(**options: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Celery's `shared_task` under a name of the app's own; without Celery the function as it is."""

    def named(function: Callable[P, R]) -> Callable[P, R]:
        if celery is None:
            return function
        name = f"purchase_intent.{function.__name__}"
        made: Callable[P, R] = celery.shared_task(name=name, **options)(function)
        return made

    return named


# Acknowledged when done: one that is lost with its worker is delivered again, and goes on.
_again: Final = {"acks_late": True, "reject_on_worker_lost": True}


def _send(task: Any, *given: object) -> None:
    """Have a task done by a worker; without Celery do it."""
    task(*given) if celery is None else task.delay(*given)


@_task()
def train(horizon: str = "session", run: int | None = None, trials: int = 0, budget: float | None = None) -> str:
    """Train a model on the stored events, in a fresh process; the last line it said.

    `run` is the key of the training run on record that asked for it, None for the schedule; `trials` is the number of
    tuning trials for each member, `budget` the minutes they may take in all.

    One at a time: where another training is under way this one ends at once. Raises TrainingRefused where it failed.
    Acknowledged at once: a delivery after the end would train once more.
    """
    from purchase_intent.training.alone import train_in_fresh_process

    try:
        return train_in_fresh_process(horizon, run=run, trials=trials, budget=budget)
    except TrainingBusy as busy:
        logger.info("%s", busy.message)
        return busy.message


@_task()
def learn_uplift(experiment: str) -> str:
    """Learn who is moved by the treatments of an experiment, by its key, in a fresh process; the last line it said.

    Raises TrainingRefused where it failed. Acknowledged at once, as `train` is.
    """
    from purchase_intent.training.alone import in_fresh_process

    return in_fresh_process(["intent_uplift", experiment])


@_task()
def relearn_uplift() -> dict[str, str]:
    """Do so for each experiment that asks for it each week and is due, one after the other; what was said, by key.

    Where there is too little to learn from, or learning refuses, that is put on record. Acknowledged at once.
    """
    from purchase_intent.experiments.uplift.relearning import relearn_due

    return relearn_due(timezone.now())


@_task(**_again)
def watch() -> str:
    """Look after the champions for the day that is over, once, and begin a training where one is due; the verdicts."""
    from purchase_intent.watch import watching

    now, said = timezone.now(), []
    for horizon in watching.horizons_watched():
        report = watching.watch(now, horizon=horizon)
        if report.run is not None and report.made_at == now:
            train_now(report.run.pk, horizon=report.horizon)
        said.append(f"{report.day}, {report.get_horizon_display()}: {report.health}")
    return "; ".join(said)


def train_now(run: int, *, horizon: str = "session") -> None:
    """Have a training run on record begun, by its key: by a worker, or where tasks run in process, beside this one.

    No task of its own, and it returns at once.
    """
    if celery is not None and not celery.current_app.conf.task_always_eager:
        train.delay(horizon, run=run)  # type: ignore[attr-defined]
        return
    from purchase_intent.training.alone import train_beside

    Thread(target=train_beside, args=(horizon, run), name=f"purchase-intent-training-{run}", daemon=True).start()


@_task(**_again)
def score_sessions() -> int:
    """Score the open sessions that have gone on since their latest score; how many got one."""
    from purchase_intent.scoring import batch

    return batch.score_sessions(timezone.now())


@_task(**_again)
def score_visitors(partitions: int | None = None) -> int:
    """Send a task for each part of the recent visitors, as of this night; how many parts.

    Scores of the week whose seven days are over are judged first, and visitors without a script labelled.
    `partitions` is their number; left out, there is one for every 50,000 keys.
    """
    from purchase_intent.scoring import judging, nightly, scriptless

    night = nightly.night_of(timezone.now())
    scriptless.label_scriptless(timezone.now())
    judging.judge_weeks(night)
    found = nightly.parts(night, count=partitions)
    for part in found:
        _send(score_partition, night.isoformat(), part.first, part.last)
    return len(found)


@_task(**_again)
def score_partition(night: str, first: int, last: int) -> int:
    """Score the recent visitors with keys from `first` to `last` as of a night (an ISO 8601 moment); how many got one.

    Sent by `score_visitors`.
    """
    from purchase_intent.scoring import nightly

    return nightly.score_visitors(datetime.fromisoformat(night), part=nightly.Part(first, last))


@_task(**_again)
def fill_segments(keys: list[str] | None = None) -> dict[str, int]:
    """Tell the members of every segment anew, or of those with these keys, and measure them; how many each has."""
    from purchase_intent.segments import filling

    return dict(filling.fill_segments(timezone.now(), keys=keys).sizes)


def fill_now(key: str) -> None:
    """Have one segment's members told once what was saved is committed: by a worker, without Celery beside this one.

    No task of its own. It returns at once, but where Celery runs tasks in process.
    """
    from django.db import transaction

    if celery is not None:
        is_here = celery.current_app.conf.task_always_eager
        send: Callable[[list[str]], object] = fill_segments if is_here else fill_segments.delay  # type: ignore[attr-defined]
        transaction.on_commit(lambda: send([key]))
        return
    from purchase_intent.segments.filling import fill_beside

    beside = Thread(target=fill_beside, args=(key,), name=f"purchase-intent-{key}", daemon=True)
    transaction.on_commit(beside.start)


@_task(**_again)
def analyse_experiments() -> dict[str, str]:
    """Look at every experiment as of last midnight, once a day, and end those that were let to; verdicts by key."""
    from purchase_intent.experiments import looking

    return looking.analyse_all(timezone.now())


@_task(**_again)
def build_features(folder: str, number: int) -> int:
    """Build the cases of one part of a log that `intent_features` has cut; how many.

    The folder is one that every worker sees. Sent by `intent_features --workers`.
    """
    from purchase_intent.training import partitions

    return partitions.build_features(Path(folder), number)


@_task(**_again)
def close_sessions() -> dict[str, int]:
    """Close the sessions that have ended and judge the scores that waited for it; how many of each."""
    from purchase_intent.experiments.exposing import attach_visitors
    from purchase_intent.scoring import closing

    attach_visitors()
    return asdict(closing.close_sessions(timezone.now()))


@_task(**_again)
def freeze_day() -> list[str]:
    """Freeze yesterday's catalogue day, and those missed before it; which."""
    from purchase_intent.scoring import freezing

    return [day.isoformat() for day in freezing.freeze_days_due(timezone.now())]


@_task(**_again)
def make_partitions() -> list[str]:
    """Make the months of events up to two ahead that are missing; their tables."""
    from purchase_intent.models import partitions

    now = timezone.now()
    return partitions.make_partitions(now, now + AHEAD)


@_task(**_again)
def drain() -> dict[str, int]:
    """Record the events that wait in the stream or in the spool; what became of them.

    One process at a time does so: where another is at it, this one ends at once.
    """
    from purchase_intent.tracking.sinks import draining

    return asdict(draining.drain())


@_task(**_again)
def prune() -> dict[str, int]:
    """Delete what is older than the shop keeps; how many rows of each kind."""
    from purchase_intent.scoring import pruning

    return asdict(pruning.prune(timezone.now()))


def _at(cron: str) -> object:
    """A time of the week, on the clock of Celery's `timezone`; without Celery the cron expression itself."""
    minute, hour, _, _, weekday = cron.split()
    return cron if crontab is None else crontab(minute=minute, hour=hour, day_of_week=weekday)


_AT: Final = {
    "freeze_day": "10 0 * * *",
    "make_partitions": "20 0 * * *",
    "watch": "30 2 * * *",
    "score_visitors": "10 3 * * *",
    "fill_segments": "40 3 * * *",
    "analyse_experiments": "50 3 * * *",
    "train": "0 4 * * 1",
    "relearn_uplift": "0 5 * * *",
    "prune": "30 5 * * *",
}
BEAT_SCHEDULE: Final[dict[str, dict[str, object]]] = {
    "purchase-intent-score-sessions": {"task": "purchase_intent.score_sessions", "schedule": 60.0},
    "purchase-intent-close-sessions": {"task": "purchase_intent.close_sessions", "schedule": 300.0},
    "purchase-intent-drain": {"task": "purchase_intent.drain", "schedule": 1.0, "options": {"expires": 1.0}},
    "purchase-intent-train-week": {"task": "purchase_intent.train", "args": ("week",), "schedule": _at("0 4 * * 2")},
    **{
        f"purchase-intent-{name.replace('_', '-')}": {"task": f"purchase_intent.{name}", "schedule": _at(cron)}
        for name, cron in _AT.items()
    },
}
"""For `app.conf.beat_schedule`; set Celery's `timezone` to the shop's."""
