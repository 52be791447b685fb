"""Events that touch more than their session: one begins, somebody logs in, an event comes late. Under locks.

Locks are taken in one order: visitors by key, then their sessions. An event that merely goes on in its session takes
none of them; `Session.version` tells it when it has to be here instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from purchase_intent.events import Event
from purchase_intent.tracking.cast import cast_of, locked_session
from purchase_intent.tracking.joined import Done, Joining
from purchase_intent.tracking.place import Place, Sender
from purchase_intent.tracking.rows import new_events

__all__ = ["join"]


def join(sender: Sender, events: Sequence[Event], place: Place, *, now: datetime, also: set[int]) -> Done | None:
    """Write `events`, in order, under the locks of their visitors and of those in `also`; None where nothing is new.

    Raises LostRace, with nothing written, where `place` is not as it was any more.
    """
    with transaction.atomic():
        cast = cast_of(sender, events, place, also)
        session = locked_session(sender, place, cast, events[0].occurred_at)
        new = new_events(sender, events)
        if not new:
            return None
        return Joining(sender, cast, session, place.key, now, also).write(new)
