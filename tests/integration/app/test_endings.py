"""How a command ends when it cannot go on."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from django.core.management.base import CommandError, OutputWrapper
from django.db import OperationalError, ProgrammingError

from purchase_intent.exceptions import LogRefused
from purchase_intent.management.endings import clear_ending
from purchase_intent.management.progress import Steps


def end(error: Exception) -> None:
    with clear_ending(Steps(OutputWrapper(StringIO()))):
        raise error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LogRefused("log.csv: no column user_id; add it"), "log.csv: no column user_id; add it"),
        (OperationalError("no such table: x\nmore"), "The database is not ready (no such table: x): run manage.py"),
        (ProgrammingError('relation "x" does not exist'), 'The database is not ready (relation "x" does not exist)'),
    ],
)
def test_what_is_refused_is_one_line(error: Exception, said: str) -> None:
    with pytest.raises(CommandError) as refused:
        end(error)
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


def test_a_mistake_of_ours_is_not_hidden() -> None:
    with pytest.raises(KeyError):
        end(KeyError("auc"))


def terminated() -> None:
    with clear_ending(Steps(OutputWrapper(StringIO()))):
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()


def test_a_termination_leaves_tidily_and_the_signal_as_it_was() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as left:
        terminated()
    assert left.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before


def test_another_thread_leaves_signals_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with ThreadPoolExecutor(1) as pool, pytest.raises(CommandError, match="no rows"):
        pool.submit(end, LogRefused("no rows")).result()
    assert signal.getsignal(signal.SIGTERM) is before
