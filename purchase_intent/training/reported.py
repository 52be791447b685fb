"""A training's report: written as it begins and as it ends, however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.db import DatabaseError
from django.utils import timezone

from purchase_intent.exceptions import IntentError, TrainingBusy
from purchase_intent.models import ModelVersion, RunState, TrainingRun, Why

__all__ = ["Registered", "asked", "ended_without_a_word", "reported"]


@dataclass(slots=True)
class Registered:
    """What came of a training, for its report."""

    version: ModelVersion | None = None


def asked(horizon: str, *, why: Why, reason: str = "") -> TrainingRun:
    """Put on record that a training was asked for."""
    run: TrainingRun = TrainingRun.objects.create(horizon=horizon, why=why, reason=reason)
    return run


@contextmanager
def reported(horizon: str, *, run: int | None = None) -> Iterator[Registered]:
    """Keep the report of the training done inside: the run on record under a key, or a new one that a person asked for.

    Says what the training raised, and raises it on. One that is killed leaves a run under way, which whoever began the
    process marks, or else the next watch.
    """
    found = TrainingRun.objects.of(horizon).filter(pk=run).first() if run is not None else None
    report = found or asked(horizon, why=Why.REQUEST, reason="Begun by intent_train.")
    report.begin(timezone.now())
    done = Registered()
    try:
        yield done
    except BaseException as error:
        with suppress(DatabaseError):  # what failed may be the database; the error itself goes on
            cause = error.__cause__ if isinstance(error.__cause__, TrainingBusy) else error
            report.end(_state(cause), _last_line(cause), now=timezone.now())
        raise
    said = f"Registered {done.version}. {done.version.verdict}" if done.version is not None else "Registered nothing."
    report.end(RunState.REGISTERED, said, now=timezone.now(), version=done.version)


def ended_without_a_word(run: TrainingRun, said: str, *, busy: bool = False) -> None:
    """End the report of a process that is gone, where it has not done so itself."""
    run.refresh_from_db()
    if run.state in (RunState.ASKED, RunState.RUNNING):
        run.end(RunState.BUSY if busy else RunState.FAILED, said, now=timezone.now())


def _state(error: BaseException) -> RunState:
    if isinstance(error, TrainingBusy):
        return RunState.BUSY
    return RunState.REFUSED if isinstance(error, IntentError) else RunState.FAILED


def _last_line(error: BaseException) -> str:
    if isinstance(error, IntentError):
        return error.message
    if isinstance(error, SystemExit | KeyboardInterrupt):
        return "Ended from outside before it was done."
    return f"{type(error).__name__}: {error}"
