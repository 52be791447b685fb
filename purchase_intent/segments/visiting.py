"""A visit as segments judge it: of a stored session, or of a request after all that it has told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from django.http import HttpRequest
from django.utils import timezone

from purchase_intent.events import Event
from purchase_intent.models import Session
from purchase_intent.models.session import IDLE
from purchase_intent.scoring.answer import Intent
from purchase_intent.scoring.score import answer, milliseconds
from purchase_intent.segments.subject import Subject
from purchase_intent.tracking.attached import tracker_of
from purchase_intent.tracking.foreseen import Foreseen
from purchase_intent.tracking.sinks.foreseeing import foresee
from purchase_intent.tracking.tracker import Tracker

__all__ = ["stored_subject", "visit_foreseen", "visiting_subject"]

_ATTRIBUTE: Final = "_purchase_intent_subject"
_FORESEEN: Final = "_purchase_intent_foreseen"


def stored_subject(session: Session, as_of: datetime | None) -> Subject:
    """A stored session as of a moment, by default now or its end."""
    at = as_of or min(timezone.now(), session.last_at + IDLE)
    state, past = session.read_state(), session.read_past()
    return Subject(state, past, milliseconds(at), intent=lambda: answer(state, past, at=at), visitor=session.visitor)


def visiting_subject(request: HttpRequest, as_of: datetime | None, *, intent: Callable[[], Intent]) -> Subject | None:
    """The request's visit, made once for the same events told; None of a visitor who is not tracked."""
    tracker = tracker_of(request)
    if tracker is None or tracker.has_left:
        return None
    pending = tracker.pending()
    told = (tuple(event.event_id for event in pending), as_of)
    before, known = getattr(request, _ATTRIBUTE, (None, None))
    if before == told and isinstance(known, Subject):
        return known
    foreseen, at = visit_foreseen(request, tracker, pending, as_of)
    visitor = foreseen.session.visitor if foreseen.session is not None else None
    found = Subject(foreseen.state, foreseen.past, milliseconds(at), intent=intent, visitor=visitor)
    setattr(request, _ATTRIBUTE, (told, found))
    return found


def visit_foreseen(
    request: HttpRequest, tracker: Tracker, pending: Sequence[Event], as_of: datetime | None
) -> tuple[Foreseen, datetime]:
    """The request's visit after what is pending, and as of when, by default the latest of it.

    Worked out once for the same events, for the score and for segments alike: with a stream each time is a trip.
    """
    told = (tuple(event.event_id for event in pending), as_of)
    before, known = getattr(request, _FORESEEN, (None, None))
    if before == told and known is not None:
        found: tuple[Foreseen, datetime] = known
        return found
    at = as_of or max((event.occurred_at for event in pending), default=tracker.moment)
    found = foresee(tracker.journey, pending, at=at), at
    setattr(request, _FORESEEN, (told, found))
    return found
