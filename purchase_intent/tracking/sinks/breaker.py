"""A circuit breaker, one a process and sink: a sink that fails is left alone, and then tried by one page at a time.

After M. Nygard, Release It!, 2nd edition (2018), chapter 5.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Final

__all__ = ["REST", "Breaker"]

REST: Final = 5.0
"""Seconds for which a sink that has failed is left alone, before one page tries it again."""


class Breaker:
    """Closed while a sink answers; open after a failure; half open for the one page that may try again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._again_at: float | None = None

    @property
    def is_closed(self) -> bool:
        """Whether the sink answered when last asked."""
        return self._again_at is None

    def allows(self) -> bool:
        """Whether to ask the sink now: always while closed, and one caller every REST seconds while open."""
        if self.is_closed:
            return True
        with self._lock:
            now = self._clock()
            if self._again_at is not None:
                if now < self._again_at:
                    return False
                self._again_at = now + REST
            return True

    def fail(self) -> bool:
        """Open it, for it failed or took too long; whether it was closed until now."""
        with self._lock:
            opened = self._again_at is None
            self._again_at = self._clock() + REST
            return opened

    def succeed(self) -> bool:
        """Close it; whether it was open until now."""
        if self.is_closed:
            return False
        with self._lock:
            closed = self._again_at is not None
            self._again_at = None
            return closed
