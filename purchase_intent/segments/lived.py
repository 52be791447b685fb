"""Visits of the past as segments judged them then: after each event, by what was known at that moment.

Events are folded once more, over the past that the visit began with. Of the score only what was stored then is known,
and nothing of the nightly scores of its visitor, which hold only what the last night said: no condition on what is not
known holds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Final, TypeAlias

from purchase_intent.events import EventName
from purchase_intent.features.observe import observe
from purchase_intent.features.state import Past, State
from purchase_intent.models import Event, Score, Session
from purchase_intent.scoring.answer import UNKNOWN, Intent, Standing
from purchase_intent.scoring.live import hits_of
from purchase_intent.scoring.rebuild import lived, told_event
from purchase_intent.scoring.score import milliseconds
from purchase_intent.segments.subject import Subject

__all__ = ["visits_lived"]

AT_ONCE: Final = 100
"""Visits in memory."""
MOST_EVENTS: Final = 500
"""Of one visit: the first ones."""

_Told: TypeAlias = tuple[list[int], list[Intent]]


def visits_lived(keys: Sequence[int]) -> Iterator[tuple[Session, Iterator[Subject]]]:
    """Visits by the keys of their rows, each with its subject after every event, whose `now` is that of the event.

    A subject holds until the next one is asked for.
    """
    for start in range(0, len(keys), AT_ONCE):
        part = keys[start : start + AT_ONCE]
        visits, scores = Session.objects.in_bulk(part), _stored(part)
        events = Event.objects.filter(session__in=part).order_by("session_id", "occurred_at", "sequence", "pk")
        for key, group in groupby(events.iterator(chunk_size=2_000), key=lambda event: event.session_id):
            own = list(group)[:MOST_EVENTS]
            yield visits[key], _subjects(visits[key], own, scores.get(key, ([], [])))


def _subjects(visit: Session, events: list[Event], scores: _Told) -> Iterator[Subject]:
    moments, intents = scores
    for event, state, past in _folded(visit, events):
        now = milliseconds(event.occurred_at)
        place = bisect_right(moments, now)
        yield Subject(state, past, now, intent=partial(intents.__getitem__, place - 1) if place else _nothing)


def _nothing() -> Intent:
    return UNKNOWN


def _folded(visit: Session, events: list[Event]) -> Iterator[tuple[Event, State, Past]]:
    if len({event.visitor_id for event in events}) > 1 or any(e.name == EventName.LOGIN.value for e in events):
        yield from lived(visit)  # a login changes the past in mid-session
        return
    state, past = State(), visit.read_past()
    for event, hit in zip(events, hits_of([told_event(event) for event in events]), strict=True):
        observe(state, hit)
        yield event, state, past


def _stored(keys: Sequence[int]) -> dict[int, _Told]:
    """The scores that were given of visits, in order of time."""
    found: dict[int, _Told] = {}
    rows = Score.objects.shown().filter(session__in=keys).order_by("moment", "pk")
    for session, moment, probability, band in rows.values_list("session_id", "moment", "probability", "band"):
        moments, intents = found.setdefault(session, ([], []))
        moments.append(milliseconds(moment))
        intents.append(Intent(standing=Standing.SCORED, probability=probability, band=band))
    return found
