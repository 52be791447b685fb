"""What Celery's beat does in a shop that has a broker: here a thread beside the server, so that lists keep up."""

from __future__ import annotations

import logging
from threading import Event, Thread
from typing import Final

from django.db import DatabaseError, connection

from purchase_intent.exceptions import IntentError
from purchase_intent.tasks import close_sessions, fill_segments, freeze_day, score_sessions

__all__ = ["EVERY", "Rounds", "go_round"]

EVERY: Final = 20.0
"""Seconds between two rounds: a merchandiser who tries the demo waits for nothing longer."""

SEGMENTS: Final = 6
"""Every so many rounds the segments are filled: it takes seconds, and a shop does it once a night."""

logger = logging.getLogger(__name__)


def go_round(*, with_segments: bool = False) -> None:
    """Score the open sessions, close those that have ended, count a day that has passed; a fault waits for the next.

    `with_segments` also tells anew who belongs to which segment.
    """
    try:
        score_sessions()
        close_sessions()
        freeze_day()
        if with_segments:
            fill_segments()
    except (DatabaseError, IntentError):
        logger.exception("The work beside the pages was not done; it is tried again in %.0f s.", EVERY)


class Rounds(Thread):
    """Goes round until it is told to end."""

    def __init__(self, *, every: float = EVERY) -> None:
        super().__init__(name="rounds", daemon=True)
        self._every = every
        self._ending = Event()

    def run(self) -> None:
        """Wait first: the server has begun with everything scored."""
        number = 0
        while not self._ending.wait(self._every):
            number += 1
            go_round(with_segments=number % SEGMENTS == 0)
            connection.close()  # between rounds nothing is held

    def end(self) -> None:
        """Let a round that has begun come to its end."""
        self._ending.set()
        self.join(timeout=30)
