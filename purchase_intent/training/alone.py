"""Training in a process of its own, and one such training at a time.

Learners must never be called in a process that forks, and a worker's children may have no children of
`multiprocessing`: a fresh interpreter is neither's concern. The lock is held by the training process itself and goes
with it however it ends: on PostgreSQL an advisory lock of its database session, on SQLite a lock on a file beside the
database's.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connections, router

from purchase_intent.exceptions import TrainingBusy, TrainingRefused
from purchase_intent.models import Horizon, ModelVersion, TrainingRun, Why
from purchase_intent.training.reported import asked, ended_without_a_word

__all__ = ["BUSY", "LONGEST", "alone", "in_fresh_process", "train_beside", "train_in_fresh_process"]

logger = logging.getLogger(__name__)

BUSY: Final = 75
"""Exit code of a training that found another one under way."""
LONGEST: Final = 6 * 3600.0
"""Seconds after which a training is given up."""
LOCK: Final = "purchase_intent.training"


def train_in_fresh_process(
    horizon: str = Horizon.SESSION,
    *,
    run: int | None = None,
    trials: int = 0,
    budget: float | None = None,
    longest: float = LONGEST,
) -> str:
    """Run `intent_train` on the stored events, with `trials` for each member in `budget` minutes; its last line.

    The report is that of the run on record under the key `run`, or of a new one that the schedule asked for. Raises
    TrainingBusy where another training is under way, TrainingRefused with the last line of what it said where it
    failed, or took longer than `longest` seconds.
    """
    if horizon not in Horizon.values:
        raise TrainingRefused(f"horizon: {horizon!r} is unknown; give one of {', '.join(Horizon.values)}")
    known = TrainingRun.objects.of(horizon).filter(pk=run).first() if run is not None else None
    report = known or asked(horizon, why=Why.SCHEDULE, reason="Due by the schedule.")
    try:
        last = _trained(report, _tuning(trials, budget), longest)
    except (TrainingBusy, TrainingRefused) as ended:
        ended_without_a_word(report, ended.message, busy=isinstance(ended, TrainingBusy))
        raise
    ended_without_a_word(report, last)
    return last


def train_beside(horizon: str, run: int) -> None:
    """Wait for a training in a process of its own, in a thread; what it says is on record."""
    try:
        train_in_fresh_process(horizon, run=run)
    except (TrainingBusy, TrainingRefused) as ended:
        logger.info("%s", ended.message)
    finally:
        connections.close_all()


def _trained(report: TrainingRun, tuning: Sequence[str], longest: float) -> str:
    command = ["intent_train", "--alone", "--horizon", report.horizon, "--run", str(report.pk), *tuning]
    return in_fresh_process(command, longest=longest)


def in_fresh_process(command: Sequence[str], *, longest: float = LONGEST) -> str:
    """Run a command of ours in a new interpreter; the last line it said, while the log has them all.

    Raises TrainingBusy where it found another training under way, TrainingRefused with its last line where it failed,
    or took longer than `longest` seconds.
    """
    words = [sys.executable, "-m", "django", *command]
    try:
        done = subprocess.run(  # noqa: S603 (our own interpreter and words)
            words, env=_environment(), capture_output=True, text=True, timeout=longest, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise TrainingRefused(f"training took longer than {longest:.0f} seconds and was given up") from late
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    for line in lines:
        logger.info("%s: %s", command[0], line)
    last = lines[-1].strip().removeprefix("CommandError: ") if lines else f"exit code {done.returncode}"
    if done.returncode == BUSY:
        raise TrainingBusy(last)
    if done.returncode:
        raise TrainingRefused(last)
    return last


def _tuning(trials: int, budget: float | None) -> list[str]:
    given = {"--trials": trials or None, "--budget": budget}
    return [word for name, value in given.items() if value is not None for word in (name, str(value))]


@contextmanager
def alone() -> Iterator[None]:
    """Hold the lock of training. Raises TrainingBusy where another process holds it."""
    alias = router.db_for_write(ModelVersion)
    vendor = connections[alias].vendor
    holder = {"postgresql": _advisory, "sqlite": _beside}.get(vendor)
    if holder is None:
        raise TrainingRefused(f"no lock is known for {vendor}: train with intent_train, without --alone")
    with holder(alias):
        yield


def _busy() -> TrainingBusy:
    return TrainingBusy("another training is under way: wait for its end")


@contextmanager
def _advisory(alias: str) -> Iterator[None]:
    # A connection of its own: training may let go of the thread's.
    connection = connections[alias].copy()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [LOCK])
            if not cursor.fetchone()[0]:
                raise _busy()
            yield
    finally:
        connection.close()


@contextmanager
def _beside(alias: str) -> Iterator[None]:
    name = str(connections[alias].settings_dict["NAME"])
    path = Path(f"{name}.training")
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as held:
            raise _busy() from held
        yield


def _environment() -> dict[str, str]:
    path = os.pathsep.join(part for part in sys.path if part)
    module = os.environ.get("DJANGO_SETTINGS_MODULE") or str(settings.SETTINGS_MODULE)
    return os.environ | {"DJANGO_SETTINGS_MODULE": module, "PYTHONPATH": path, "OMP_NUM_THREADS": "2"}
