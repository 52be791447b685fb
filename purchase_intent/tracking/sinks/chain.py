"""Where a request's events go: to the first of the sinks that takes them. A page is served whatever becomes of them.

Without a spool there is the database alone, as if this module were not there. Otherwise a sink that fails is left
alone for a while (`breaker`), and all of them together have so long for a page and no longer: `SECONDS`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from threading import Lock
from typing import Final, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connections, router

from purchase_intent.conf import config
from purchase_intent.events import Event
from purchase_intent.metrics import DROPPED, EVENTS, FALLBACK
from purchase_intent.models import Session
from purchase_intent.scoring.answer import Intent
from purchase_intent.tracking.recorder import Journey, Recorded, Sender
from purchase_intent.tracking.sinks.base import Sink
from purchase_intent.tracking.sinks.deadline import within
from purchase_intent.tracking.sinks.places import DatabaseSink, SpoolSink
from purchase_intent.tracking.sinks.snapshots import open_sessions
from purchase_intent.tracking.sinks.spool import spool_in
from purchase_intent.tracking.sinks.stream import StreamSink, Told

__all__ = ["SECONDS", "Chain", "Dropped", "chain", "forget_chains", "losing"]

logger = logging.getLogger("purchase_intent.tracking")
T = TypeVar("T")

SECONDS: Final = 0.5
"""What one page may wait for its events to be taken, all in all; a sink that takes as long counts as failing."""
LEAST: Final = 0.05
"""Seconds that a sink must have left to be asked at all."""


class Dropped(OperationalError):
    """No sink has taken the events; it is counted and logged."""


class Chain:
    """The sinks in the order in which they are asked, of one process."""

    def __init__(self, sinks: Sequence[Sink], *, is_alone: bool) -> None:
        self.sinks, self.is_alone = tuple(sinks), is_alone
        self.dropped = 0
        self._dropping, self._lock = False, Lock()

    @property
    def looks_up(self) -> bool:
        """Whether a page asks the database where its events belong; else whoever records them does."""
        return isinstance(self.sinks[0], DatabaseSink)

    def standing(self, sender: Sender, *, mark: str = "") -> Told:
        """What the sender has told, as far as the database need not be asked; or what is kept for it under `mark`."""
        first = self.sinks[0]
        if not isinstance(first, StreamSink) or not first.breaker.is_closed:
            return Told()
        try:
            return first.standing(sender, mark=mark)
        except first.faults as error:
            _note_failed(first, error)
            return Told()

    def keep(self, sender: Sender, answer: bytes) -> None:
        """Keep an answer for every process, where there is a server for it."""
        first = self.sinks[0]
        if isinstance(first, StreamSink):
            first.keep(sender, answer)

    def recorded_aside(self, visitors: Collection[str] | None = None, *, site: str = "") -> None:
        """Have no score count on what is kept of those visitors' sessions, by default of anybody's.

        To be called once something is recorded that did not come by the stream.
        """
        first = self.sinks[0]
        if not isinstance(first, StreamSink):
            return
        if visitors is None:
            _catch_up(first)
            return
        try:
            first.forget(open_sessions(visitors, site=site))
        except first.faults as error:
            _note_failed(first, error)

    def session(self, journey: Journey, *, at: datetime) -> Session | None:
        """The stored session that an event of the moment `at` would go on in; None too where it cannot be looked up."""
        if self.is_alone:
            return journey.session(at=at)
        first = self.sinks[0]
        if not self.looks_up or not first.breaker.is_closed:
            return None
        try:
            with within(connections[router.db_for_write(Session)], SECONDS):
                return journey.session(at=at)
        except first.faults as error:
            _note_failed(first, error)
            return None

    def asked(self, question: Callable[[], T], *, otherwise: T) -> T:
        """What the shop answers of who is logged in; `otherwise` where that is in a database that is gone."""
        if self.is_alone:
            return question()
        try:
            return question()
        except (OperationalError, InterfaceError):
            return otherwise

    def write(self, journey: Journey, events: Sequence[Event], *, score: Intent | None) -> Recorded:
        """Have the events taken by the first sink that does. Raises Dropped where none does, which is counted.

        With the database alone, which may be in the shop's own transaction, its fault is raised: see `losing`.
        """
        if self.is_alone:
            recorded = journey.record(events, score=score)
            EVENTS.add(len(events), sink=self.sinks[0].name)
            return recorded
        began = time.monotonic()
        for sink in self.sinks:
            left = SECONDS - (time.monotonic() - began)
            # The spool has to wait for nobody.
            if (left < LEAST and sink is not self.sinks[-1]) or not sink.breaker.allows():
                continue
            taken = _taken(sink, journey, events, score, max(left, LEAST))
            if taken is not None:
                EVENTS.add(len(events), sink=sink.name)
                self._note_kept()
                return taken
        self._note_dropped(len(events))
        raise Dropped

    def count_dropped(self, count: int) -> None:
        """Count events that nobody has taken."""
        DROPPED.add(count)
        with self._lock:
            self.dropped += count

    def _note_dropped(self, count: int) -> None:
        self.count_dropped(count)
        with self._lock:
            is_first, self._dropping = not self._dropping, True
        if is_first:
            logger.error(
                "Events are dropped: neither the database nor the spool takes them. See that the database answers, "
                "and that there is room in the folder of SPOOL."
            )

    def _note_kept(self) -> None:
        if self._dropping:
            with self._lock:
                was_dropping, self._dropping = self._dropping, False
            if was_dropping:
                logger.warning("Events are taken again; this process has dropped %d of them so far.", self.dropped)


def chain() -> Chain:
    """The process's chain under the settings as they stand."""
    settings = config()
    return _chain(settings.stream, settings.spool)


@contextmanager
def losing(count: int) -> Iterator[None]:
    """Count so many events of a page as dropped where a fault of the database gets through, with nothing beside it."""
    try:
        yield
    except Dropped:
        raise  # it is counted
    except (DatabaseError, InterfaceError):
        chain().count_dropped(count)
        raise


def forget_chains() -> None:
    """Begin anew: with every sink as if it answered, and nothing dropped."""
    _chain.cache_clear()


@lru_cache(maxsize=8)
def _chain(stream: str, spool: str) -> Chain:
    sinks: list[Sink] = [StreamSink(stream)] if stream else []
    sinks.append(DatabaseSink())
    if spool:
        sinks.append(SpoolSink(spool_in(spool)))
    return Chain(sinks, is_alone=len(sinks) == 1)


def _taken(
    sink: Sink, journey: Journey, events: Sequence[Event], score: Intent | None, seconds: float
) -> Recorded | None:
    """What a sink made of the events; None where it failed."""
    began = time.monotonic()
    try:
        recorded = sink.write(journey, events, score=score, seconds=seconds)
    except sink.faults as error:
        _note_failed(sink, error)
        return None
    if time.monotonic() - began > SECONDS:
        _note_failed(sink, TimeoutError(f"it took more than {SECONDS} seconds"))
    elif sink.breaker.succeed():
        FALLBACK.set(0, sink=sink.name)
        logger.warning("The %s takes events again.", sink.name)
        if isinstance(sink, StreamSink):
            _catch_up(sink)
    return recorded


def _catch_up(stream: StreamSink) -> None:
    """Tell the server, which is back, that others have recorded meanwhile."""
    try:
        stream.catch_up()
    except stream.faults as error:
        _note_failed(stream, error)


def _note_failed(sink: Sink, error: Exception) -> None:
    FALLBACK.set(1, sink=sink.name)
    if sink.breaker.fail():
        logger.error(
            "The %s fails to take events (%s): the next sink takes them until it does.",
            sink.name,
            type(error).__name__,
            exc_info=error,
        )
