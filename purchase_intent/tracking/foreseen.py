"""What a session would be after events that nobody has recorded yet: worked out on copies, nothing is written."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from purchase_intent.features.hit import Hit
from purchase_intent.features.observe import observe
from purchase_intent.features.state import Past, State
from purchase_intent.models import Session
from purchase_intent.scoring.live import Circle, is_current
from purchase_intent.tracking.place import Place

__all__ = ["Foreseen", "digest_of", "session_after"]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a session would be after some events: copies, and the stored session where it goes on.

    `is_whole` says that this follows from what the stream's server holds alone.
    """

    state: State
    past: Past
    session: Session | None
    is_whole: bool = False


def session_after(place: Place, hits: Sequence[Hit]) -> Foreseen:
    """The session of a place, or the one that begins there, after these hits."""
    if place.session is None or not is_current(place.session):
        return Foreseen(*_begun(place, hits), place.session)
    state, past = place.session.read_state(), place.session.read_past()
    for hit in hits:
        observe(state, hit)
    return Foreseen(state, past, place.session)


def digest_of(state: bytes, past: bytes) -> bytes:
    """What a packed state and past are known by, in 16 bytes."""
    return hashlib.blake2b(state + past, digest_size=16).digest()


def _begun(place: Place, hits: Sequence[Hit]) -> tuple[State, Past]:
    """A session that is to begin, with what its visitor's other sessions would tell by then."""
    if not hits:
        return State(), Past()
    visitor = place.visitor
    sessions = list(Session.objects.with_news(visitor)) if visitor is not None else []
    circle = Circle.of([visitor] if visitor is not None else [], sessions)
    key = visitor.pk if visitor is not None else 0
    for hit in hits:
        circle.observe(hit, visitor=key, session=0)
    return circle.state(0), circle.seen(0)
