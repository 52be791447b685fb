"""Time as the tests have it: the one thing about the shop that is not real."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Lock

__all__ = ["Clock"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(milliseconds=1)


class Clock:
    """A clock that goes on by a millisecond at each look, for all threads, and never back."""

    def __init__(self, milliseconds: int) -> None:
        self._now = _EPOCH + timedelta(milliseconds=milliseconds)
        self._lock = Lock()

    def __call__(self) -> datetime:
        """Return the time; the next look is later."""
        with self._lock:
            self._now += _TICK
            return self._now

    def wait_until(self, milliseconds: int) -> None:
        """Go on to a moment (milliseconds since 1970 UTC); nothing happens where it has passed."""
        with self._lock:
            self._now = max(self._now, _EPOCH + timedelta(milliseconds=milliseconds))
