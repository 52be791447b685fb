"""Events as entries of a stream, recorded by the drain: a page waits for one answer of a Redis or Valkey server."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from purchase_intent.events import Event
from purchase_intent.exceptions import EntryRefused
from purchase_intent.models import Session
from purchase_intent.scoring.answer import Intent
from purchase_intent.tracking.recorder import Journey, Recorded, Sender
from purchase_intent.tracking.sinks.breaker import Breaker
from purchase_intent.tracking.sinks.entry import Entry, loads
from purchase_intent.tracking.sinks.places import line_of
from purchase_intent.tracking.sinks.snapshots import unpacked
from purchase_intent.tracking.sinks.wire import live_key, moved_key, said_key, tail_key, wire_to

__all__ = ["StreamSink", "Told"]


class Told(NamedTuple):
    """What a visitor has told, as far as that is known without the database.

    The `session` as it was recorded, where there is a snapshot, and what waits. Or the `answer` kept for all of it.
    """

    session: Session | None = None
    waiting: Sequence[Entry] = ()
    answer: bytes | None = None
    digest: bytes = b""


class StreamSink:
    """The stream of one server."""

    name = "stream"

    def __init__(self, url: str) -> None:
        self.breaker = Breaker()
        self._wire = wire_to(url)
        self.faults = self._wire.faults

    def write(
        self,
        journey: Journey,
        events: Sequence[Event],
        *,
        score: Intent | None,
        seconds: float,  # noqa: ARG002 (the connection has a limit of its own)
    ) -> Recorded:
        """Add them; who sent them is, and belongs where, the drain has said of this cookie so far."""
        sender = journey.sender
        note = self._wire.add(
            line_of(journey, events, score),
            tail=tail_key(sender.site, sender.session),
            moved=moved_key(sender.site, sender.visitor, sender.session),
        )
        visitor, session = json.loads(note) if note else (sender.visitor, sender.session)
        return Recorded(visitor, session, len(events), tuple(events))

    def standing(self, sender: Sender, *, mark: str = "") -> Told:
        """What the sender has told so far, or what was kept for that under `mark`. Raises one of `faults`."""
        site, key, found = sender.site, sender.session, list[Entry]()
        standing = self._wire.standing(tail_key(site, key), live_key(site, key), said_key(site, key), mark=mark)
        for line in standing.lines:
            try:
                found.append(loads(line))
            except EntryRefused:
                continue  # the drain makes a dead letter of it
        session = unpacked(standing.snapshot) if standing.snapshot is not None else None
        return Told(session, found, standing.answer, standing.digest)

    def keep(self, sender: Sender, answer: bytes) -> None:
        """Keep an answer, with the digest of what the sender has told and a mark before it."""
        self._wire.keep(said_key(sender.site, sender.session), answer)

    def catch_up(self) -> None:
        """Have no snapshot count: while the server was gone, other sinks have recorded. Raises one of `faults`."""
        self._wire.begin_era()

    def forget(self, sessions: Iterable[tuple[str, str]]) -> None:
        """Drop the snapshots of sessions, given by site and key. Raises one of `faults`."""
        self._wire.drop(live_key(site, key) for site, key in sessions)
