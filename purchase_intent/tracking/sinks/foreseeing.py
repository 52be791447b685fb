"""A session as it will be once all is recorded: what it has told through the stream counts at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from purchase_intent.events import Event
from purchase_intent.models import Session
from purchase_intent.models.statements import stored_among
from purchase_intent.tracking.foreseen import Foreseen
from purchase_intent.tracking.place import Sender, visits_of
from purchase_intent.tracking.recorder import Journey
from purchase_intent.tracking.rows import in_order, key_of, told_by
from purchase_intent.tracking.sinks.chain import chain
from purchase_intent.tracking.sinks.stream import Told

__all__ = ["foresee"]

_Told = tuple[Sender, Event]

TRIES: Final = 5
"""Looks at a session that is being recorded meanwhile, before the last one counts as good."""


def foresee(journey: Journey, pending: Sequence[Event], *, at: datetime, standing: Told | None = None) -> Foreseen:
    """The fold after what waits to be recorded, and after `pending`, which nobody has been told of yet.

    `standing` is what the chain says of the sender, where it has been asked. Raises DatabaseError where the database
    fails.
    """
    session, waiting, *_ = standing if standing is not None else chain().standing(journey.sender)
    told = _each_once([(entry.sender, event) for entry in waiting for event in entry.events])
    is_whole = session is not None and _is_whole(journey, session, told, at)
    if not told:
        return replace(journey.foresee(pending, at=at), is_whole=is_whole)
    new = [event for _, event in told] if is_whole else _unrecorded(journey, told, at)
    events = in_order([*new, *pending])
    if not events:
        return journey.foresee([], at=at)
    visit = visits_of(events)[-1]
    session = journey.session(at=visit[0].occurred_at)
    # Settled when the session begins: the first event's is the session's.
    channel = (visit[0].channel if session is None else session.channel) or None
    settled = [event if (event.channel or None) == channel else replace(event, channel=channel) for event in visit]
    return replace(journey.foresee(settled, at=at), is_whole=is_whole)


def _each_once(told: list[_Told]) -> list[_Told]:
    """Each event once, as it was told last, however often it was sent."""
    return told if len(told) < 2 else [*{told_by(*each): each for each in told}.values()]


def _is_whole(journey: Journey, session: Session, told: list[_Told], at: datetime) -> bool:
    """Whether a session as it was kept and the events that wait are all there is; the journey goes on in it, then."""
    first = min((event.occurred_at for _, event in told), default=None)
    if first is not None and first <= session.last_at:
        return False  # it may be recorded already
    return journey.assume(session, at=at if first is None else min(first, at))


def _unrecorded(journey: Journey, told: list[_Told], at: datetime) -> list[Event]:
    """Those of the waiting events that the session, as it was just read, does not hold.

    They were read first. So what was recorded meanwhile is stored now, and the session is read until it stays so.
    """
    events = {key_of(*each): each[1] for each in told}
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
