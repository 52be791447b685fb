"""Whether a learner may be called in this process: not where its parent called one before it forked.

Learners keep pools of threads. A fork copies the memory that describes the pool and none of its threads, so that the
child waits for ever for workers that do not exist. Nothing can be done about it in the child; it can only refuse.
"""

from __future__ import annotations

import os
from typing import Final

from purchase_intent.exceptions import ForkedTooLate

__all__ = ["calling", "forked_too_late", "loading"]


class _Process:
    """What this process did with learners, and what its parent had done."""

    called = False
    forked_too_late = False


_process: Final = _Process()


def calling() -> None:
    """Say that a learner is about to be called.

    Raises ForkedTooLate where that would hang: the process was forked from one that had called a learner.
    """
    if _process.forked_too_late:
        raise ForkedTooLate
    _process.called = True


def loading() -> None:
    """Say that a learner is about to read a model, which starts threads too unless OMP_NUM_THREADS is 1.

    Raises ForkedTooLate as `calling` does.
    """
    if _process.forked_too_late or os.environ.get("OMP_NUM_THREADS") != "1":
        calling()


def forked_too_late() -> bool:
    """Whether no learner may be called in this process."""
    return _process.forked_too_late


def _after_fork() -> None:
    _process.forked_too_late = _process.forked_too_late or _process.called


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_after_fork)
