"""A time limit for what is asked of PostgreSQL: after it the connection is cut, and whoever waits is told so at once.

A server that hangs, or makes one wait for a lock, holds a page for as long as its driver waits: for good, by default.
Nothing but an answer or the end of the connection wakes the driver. So a thread of its own, one a process, shuts the
socket down.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Condition, Thread
from typing import Any, Final

from django.db.backends.base.base import BaseDatabaseWrapper

__all__ = ["within"]

TICK: Final = 0.05
"""Seconds between two looks at those who wait."""
IDLE: Final = 20
"""Looks at nobody after which the thread sleeps until somebody comes: waking it costs a page more than its looks."""


@contextmanager
def within(connection: BaseDatabaseWrapper, seconds: float) -> Iterator[None]:
    """Cut the connection if this takes longer: what waits for it raises OperationalError or InterfaceError.

    Without effect in a transaction of the host's, which is not ours to break, and on SQLite, which has a `timeout` of
    its own.
    """
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        yield
        return
    watch = _watch()
    number = watch.begin(connection, time.monotonic() + seconds)
    try:
        yield
    finally:
        if watch.end(number):
            with suppress(Exception):  # it is broken: whoever asks next opens another
                connection.close()


class _Watch:
    """Those who wait, and the thread that looks after them."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._change = Condition()
        self._waiting: dict[int, tuple[float, BaseDatabaseWrapper]] = {}
        self._last, self._sleeps = 0, False
        Thread(target=self._run, name="purchase-intent-deadline", daemon=True).start()

    def begin(self, connection: BaseDatabaseWrapper, until: float) -> int:
        """Note a wait; its number."""
        with self._change:
            self._last += 1
            self._waiting[self._last] = until, connection
            if self._sleeps:
                self._change.notify()
            return self._last

    def end(self, number: int) -> bool:
        """Forget a wait; whether its connection was cut."""
        with self._change:
            return self._waiting.pop(number, None) is None

    def _run(self) -> None:
        looks = 0
        with self._change:
            while True:
                looks = 0 if self._waiting else looks + 1
                self._sleeps = looks > IDLE
                self._change.wait(None if self._sleeps else TICK)
                now = time.monotonic()
                for number in [number for number, (until, _) in self._waiting.items() if until <= now]:
                    _cut(self._waiting.pop(number)[1])


_watches: Final[list[_Watch]] = []


def _watch() -> _Watch:
    """The process's own: a thread does not outlive a fork."""
    if not _watches or _watches[-1].pid != os.getpid():
        _watches[:] = [_Watch()]
    return _watches[-1]


def _cut(connection: BaseDatabaseWrapper) -> None:
    driver: Any = connection.connection
    with suppress(Exception):  # closed meanwhile, or not open yet: there is nothing to cut
        handle = socket.socket(fileno=os.dup(driver.fileno()))
        try:
            handle.shutdown(socket.SHUT_RDWR)
        finally:
            handle.close()
