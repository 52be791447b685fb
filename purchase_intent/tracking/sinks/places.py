"""The sinks that need no server of their own: the database, and the spool on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.db import DatabaseError, InterfaceError, connections, router
from django.utils import timezone

from purchase_intent.events import Event
from purchase_intent.models import Session, Visitor
from purchase_intent.scoring.answer import Intent
from purchase_intent.tracking.recorder import Journey, Recorded
from purchase_intent.tracking.sinks.breaker import Breaker
from purchase_intent.tracking.sinks.deadline import within
from purchase_intent.tracking.sinks.entry import Given, dumps
from purchase_intent.tracking.sinks.spool import Spool

__all__ = ["DatabaseSink", "SpoolSink", "line_of", "settled"]


class DatabaseSink:
    """Events recorded at once."""

    name = "database"
    faults: tuple[type[Exception], ...] = (DatabaseError, InterfaceError)
    """Whatever the reason, such as a server that lets nobody write after a failover: the next sink takes the events."""

    def __init__(self) -> None:
        self.breaker = Breaker()

    def write(self, journey: Journey, events: Sequence[Event], *, score: Intent | None, seconds: float) -> Recorded:
        """Record them; cut off where the server does not answer in time."""
        with within(connections[router.db_for_write(Session)], seconds):
            recorded = journey.record(settled(journey, events), score=score)
            if journey.is_scripted:
                Visitor.objects.note_script({recorded.visitor}, site=journey.sender.site, now=timezone.now())
            return recorded


class SpoolSink:
    """Events as a line on disk, recorded when the spool is replayed."""

    name = "spool"
    faults: tuple[type[Exception], ...] = (OSError,)

    def __init__(self, spool: Spool) -> None:
        self.breaker = Breaker()
        self._spool = spool

    def write(
        self,
        journey: Journey,
        events: Sequence[Event],
        *,
        score: Intent | None,
        seconds: float,  # noqa: ARG002 (a disk cannot be told to hurry)
    ) -> Recorded:
        """Append them; who sent them stays who it is until they are recorded."""
        self._spool.append(line_of(journey, events, score))
        return Recorded(journey.sender.visitor, journey.sender.session, len(events), tuple(events))


def line_of(journey: Journey, events: Sequence[Event], score: Intent | None) -> bytes:
    """A request's events as one line, with the score that the page gave for them."""
    is_given = score is not None and score.probability is not None and journey.foreseen
    given = Given(intent=score, digest=journey.foreseen) if score is not None and is_given else None
    return dumps(journey.sender, events, received=timezone.now(), given=given, scripted=journey.is_scripted)


def settled(journey: Journey, events: Sequence[Event]) -> list[Event]:
    """The events with the channel of the session that they go on in: it is settled when a session begins.

    Where the page could not look the session up, they carry the channel of its own request.
    """
    session = journey.session(at=min(event.occurred_at for event in events))
    if session is None:
        return list(events)
    channel = session.channel or None
    return [event if (event.channel or None) == channel else replace(event, channel=channel) for event in events]
