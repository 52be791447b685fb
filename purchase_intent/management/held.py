"""One training at a time, where a command is told to keep to it: others are as thirsty."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError

from purchase_intent.exceptions import TrainingBusy

__all__ = ["held"]


@contextmanager
def held(one_at_a_time: bool) -> Iterator[None]:  # noqa: FBT001 (the option as it came)
    """Hold the lock of training. CommandError with an exit code of its own where another process holds it."""
    from purchase_intent.training.alone import BUSY, alone

    if not one_at_a_time:
        yield
        return
    try:
        with alone():
            yield
    except TrainingBusy as busy:
        raise CommandError(busy.message, returncode=BUSY) from busy
