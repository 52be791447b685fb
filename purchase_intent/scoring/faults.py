"""Faults that would recur at every request, logged once an hour in a process."""

from __future__ import annotations

import logging
import math
import time
from typing import Final

from django.core.exceptions import SynchronousOnlyOperation
from django.db import DatabaseError

from purchase_intent.exceptions import IntentError

__all__ = ["AGAIN_AFTER", "forget_faults", "tell_once"]

AGAIN_AFTER: Final = 3600.0
"""Seconds after which a fault that lasts is logged again."""
MOST: Final = 200
"""How many faults are remembered; then all are forgotten."""

logger = logging.getLogger("purchase_intent.scoring")
clock = time.monotonic
"""Seconds; tests replace it."""
_told: Final[dict[tuple[str, type[Exception], str], float]] = {}


def tell_once(fault: Exception, *, effect: str) -> bool:
    """Log a fault with its remedy, unless it was within the hour; whether it was logged now.

    `effect` says what became of the request: "No score was given". A fault that is not our own has its traceback.
    """
    ours = isinstance(fault, IntentError)
    known, now = (effect, type(fault), str(fault) if ours else ""), clock()
    if now - _told.get(known, -math.inf) < AGAIN_AFTER:
        return False
    if len(_told) >= MOST:
        _told.clear()
    _told[known] = now
    logger.error("%s: %s", effect, _remedy(fault), exc_info=None if ours else fault)
    return True


def forget_faults() -> None:
    """Log every fault anew."""
    _told.clear()


def _remedy(fault: Exception) -> str:
    if isinstance(fault, IntentError):
        return fault.message
    if isinstance(fault, DatabaseError):
        return f"{type(fault).__name__}: see that the database answers and that manage.py migrate has run."
    if isinstance(fault, SynchronousOnlyOperation):
        return "score() asks the database: in async code, call it through asgiref's sync_to_async."
    return f"{type(fault).__name__}: mend what the traceback ends with."
