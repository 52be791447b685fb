"""A session as it will be once all is recorded: what it has told through the stream counts at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from purchase_intent.events import Event
from purchase_intent.models import Session
from purchase_intent.models.statements import stored_among
from purchase_intent.tracking.place import visits_of
from purchase_intent.tracking.recorder import Foreseen, Journey
from purchase_intent.tracking.rows import in_order, key_of
from purchase_intent.tracking.sinks.chain import chain

__all__ = ["foresee"]

TRIES: Final = 5
"""Looks at a session that is being recorded meanwhile, before the last one counts as good."""


def foresee(journey: Journey, pending: Sequence[Event], *, at: datetime) -> Foreseen:
    """The fold after what waits to be recorded, and after `pending`, which nobody has been told of yet.

    Raises DatabaseError where the database fails.
    """
    session, waiting = chain().standing(journey.sender)
    told = {key_of(entry.sender, event): event for entry in waiting for event in entry.events}
    is_whole = session is not None and _is_whole(journey, session, told, at)
    if not told:
        return journey.foresee(pending, at=at)
    events = in_order([*(told.values() if is_whole else _unrecorded(journey, told, at)), *pending])
    if not events:
        return journey.foresee([], at=at)
    visit = visits_of(events)[-1]
    session = journey.session(at=visit[0].occurred_at)
    # Settled when the session begins: the first event's is the session's.
    channel = (visit[0].channel if session is None else session.channel) or None
    settled = [event if (event.channel or None) == channel else replace(event, channel=channel) for event in visit]
    return journey.foresee(settled, at=at)


def _is_whole(journey: Journey, session: Session, told: Mapping[UUID, Event], at: datetime) -> bool:
    """Whether a session as it was kept and the events that wait are all there is; the journey goes on in it, then."""
    first = min((event.occurred_at for event in told.values()), default=None)
    if first is not None and first <= session.last_at:
        return False  # it may be recorded already
    return journey.assume(session, at=at if first is None else min(first, at))


def _unrecorded(journey: Journey, events: Mapping[UUID, Event], at: datetime) -> list[Event]:
    """Those of the waiting events that the session, as it was just read, does not hold.

    They were read first. So what was recorded meanwhile is stored now, and the session is read until it stays so.
    """
    first = min(event.occurred_at for event in events.values())
    stored: set[UUID] = set()
    for _ in range(TRIES):
        journey.look_again()
        session = journey.session(at=min(first, at))
        if session is not None and first > session.last_at:
            return list(events.values())  # all of them came after what it holds: no need to look for them
        again = stored_among(list(events))
        if again == stored:
            break
        stored = again
    return [event for key, event in events.items() if key not in stored]
