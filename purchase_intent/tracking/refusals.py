"""Refusals counted in the database: the first of a kind at once, those of the next ten seconds with the one after."""

from __future__ import annotations

import logging
import time
from threading import Lock
from typing import Final

from django.db import DatabaseError, InterfaceError, connections, router, transaction
from django.utils import timezone

from purchase_intent.models import Refusal
from purchase_intent.tracking.sinks.deadline import within

__all__ = ["forget_refusals", "note_refusal"]

EVERY: Final = 10.0
"""Seconds between two rows of one kind in one process: a mistake on every page is not a row for every page."""
SECONDS: Final = 0.2
"""What a page may wait for that."""
MOST: Final = 200
"""Kinds that a process remembers; then it begins anew."""

logger = logging.getLogger("purchase_intent.tracking")
clock = time.monotonic
"""Seconds; tests replace it."""
_lock: Final = Lock()
_waiting: Final[dict[tuple[str, str], tuple[float, int]]] = {}
"""By reason and field: when the last row was written, and how many have come since."""


def note_refusal(reason: str, field: str) -> None:
    """Count a refusal, once the transaction around it is committed. Never raises for a database that fails."""
    transaction.on_commit(lambda: _note(reason[:64], field[:64]))


def forget_refusals() -> None:
    """Begin anew; what waited is lost."""
    with _lock:
        _waiting.clear()


def _note(reason: str, field: str) -> None:
    count = _due(reason, field)
    if not count:
        return
    try:
        with within(connections[router.db_for_write(Refusal)], SECONDS):
            Refusal.objects.create(moment=timezone.now(), reason=reason, field=field, count=count)
    except (DatabaseError, InterfaceError):
        logger.debug("A refusal could not be counted.", exc_info=True)


def _due(reason: str, field: str) -> int:
    """How many to write now; 0 where the last row is too fresh."""
    now = clock()
    with _lock:
        if len(_waiting) >= MOST:
            _waiting.clear()
        written_at, count = _waiting.get((reason, field), (-EVERY, 0))
        if now - written_at < EVERY:
            _waiting[reason, field] = written_at, count + 1
            return 0
        _waiting[reason, field] = now, 0
        return count + 1
