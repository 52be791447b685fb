"""A visit as segments judge it: of a stored session, or of a request after all that it has told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.http import HttpRequest
from django.utils import timezone

from purchase_intent.models import Session
from purchase_intent.models.session import IDLE
from purchase_intent.scoring.answer import Intent
from purchase_intent.scoring.score import answer, milliseconds
from purchase_intent.segments.subject import Subject
from purchase_intent.tracking.attached import tracker_of
from purchase_intent.tracking.sinks.foreseeing import foresee

__all__ = ["stored_subject", "visiting_subject"]

_ATTRIBUTE: Final = "_purchase_intent_subject"


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
    at = as_of or max((event.occurred_at for event in pending), default=tracker.moment)
    foreseen = foresee(tracker.journey, pending, at=at)
    visitor = foreseen.session.visitor if foreseen.session is not None else None
    found = Subject(foreseen.state, foreseen.past, milliseconds(at), intent=intent, visitor=visitor)
    setattr(request, _ATTRIBUTE, (told, found))
    return found
