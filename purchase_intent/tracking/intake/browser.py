"""A batch from a browser: believed in what it saw, not in who it is nor in any money."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from purchase_intent.events import FIELD_NAMES, ClientEvent, Event, EventName, Reason, parse_event, told_name
from purchase_intent.events.record import told_time
from purchase_intent.exceptions import EventRefused
from purchase_intent.models import Session, Visitor
from purchase_intent.models.session import IDLE
from purchase_intent.tracking.bots import Label
from purchase_intent.tracking.deeds import placed, with_facts
from purchase_intent.tracking.identity import Identity, has_cookie
from purchase_intent.tracking.intake.batch import BROWSER, Batch, Verdict, refuse_all, too_many
from purchase_intent.tracking.intake.clock import ClientClock
from purchase_intent.tracking.intake.facts import Catalogue
from purchase_intent.tracking.intake.judging import Judged, judged, stored_ids, verdicts_of
from purchase_intent.tracking.place import earlier_key
from purchase_intent.tracking.recorder import Journey
from purchase_intent.tracking.source import channel_told, device_of
from purchase_intent.tracking.tracker import Tracker

__all__ = ["Taken", "take"]

SERVER_ONLY: Final = frozenset({EventName.PURCHASE, EventName.LOGIN, EventName.LOGOUT})
"""Money, and who somebody is: told by the shop's own server."""
_NOT_BELIEVED: Final = frozenset(
    {"visitor", "session", "occurred_at", "price", "order", "revenue", "device", "channel", "country"}
)
DRIVEN: Final = Label("headless", "its browser says that a program drives it")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch, and what the cookie must hold from now on; `identity` None: as it is."""

    verdicts: list[Verdict]
    identity: Identity | None = None
    forget: bool = False
    """Whether the browser's cookie is to go."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """By which journey a visit's events are recorded, the session they may go on in, and which of them are new."""

    journey: Journey
    session: Session | None
    places: list[int]


def take(tracker: Tracker, batch: Batch, now: datetime) -> Taken:
    """Judge the events of a batch one by one and record what is fit, each once however often it is sent.

    Raises BatchRefused, Dropped, DatabaseError, and what the shop's adapter raises.
    """
    if not tracker.may_record:
        refusal = EventRefused(
            field="consent", reason=Reason.NO_CONSENT, remedy="this visitor does not agree to being recorded"
        )
        return Taken(refuse_all(batch, refusal), forget=has_cookie(tracker.request))
    if not tracker.shop.cookieless and has_cookie(tracker.request) and tracker.cookie is None:
        refusal = EventRefused(
            field="cookie", reason=Reason.FORGED_COOKIE, remedy="send it without: this cookie is not the shop's"
        )
        return Taken(refuse_all(batch, refusal), forget=True)
    if batch.driven:
        tracker.hint = DRIVEN
    clock = ClientClock.of(batch.sent_at, now)
    found = judged(batch.events[: BROWSER.events], partial(_event, clock=clock, visitor=tracker.identity.visitor))
    tracker.journey.is_scripted = True
    identity = _recorded(tracker, batch, found)
    if identity is not None and tracker.chain.is_alone:  # otherwise whoever records them takes note
        Visitor.objects.note_script({identity.visitor}, site=tracker.site, now=now)
    return Taken(verdicts_of(batch, found) + too_many(batch, BROWSER.events), identity)


def _event(_place: int, payload: dict[str, Any], *, clock: ClientClock, visitor: str) -> Event:
    """One event of a browser. EventRefused names the field and the remedy."""
    name = told_name(payload)
    if name in SERVER_ONLY:
        raise EventRefused(
            field="name", reason=Reason.SERVER_ONLY, remedy="tell it from the server: with track, or with a key"
        )
    stamp, moment = clock.read(told_time(payload))
    seen = {field: value for field, value in payload.items() if FIELD_NAMES.get(field, field) not in _NOT_BELIEVED}
    return parse_event(
        seen | {"visitor": visitor, "occurred_at": moment}, kind=partial(placed, ClientEvent, stamp=stamp)
    )


def _recorded(tracker: Tracker, batch: Batch, found: Judged) -> Identity | None:
    """Write what is fit, visit by visit; what the cookie must hold from then on, None where nothing was new."""
    catalogue, identity = Catalogue(tracker.shop), None
    origin = {"device": device_of(tracker.request), "country": tracker.country}
    for visit in found.visits(found.fit):
        there = _placed(tracker, found, visit)
        if not there.places:
            continue
        channel = there.session.channel if there.session is not None else _channel(tracker, batch)
        events = [_priced(found.fit[at], catalogue).come_from(**origin, channel=channel) for at in there.places]
        recorded = tracker.write(there.journey, events)
        found.accept(there.places, recorded.events)
        if there.journey is tracker.journey:
            identity = Identity(visitor=recorded.visitor, session=recorded.session)
    return identity


def _placed(tracker: Tracker, found: Judged, visit: list[int]) -> _Placed:
    """Where a visit's events belong.

    Where that cannot be looked up, since they go to the stream or the database is gone, whoever records them does.
    """
    chain, there = tracker.chain, None
    session = chain.session(tracker.journey, at=found.fit[visit[0]].occurred_at)
    if chain.looks_up and chain.sinks[0].breaker.is_closed:
        there = chain.asked(partial(_looked_up, tracker, found, visit, session), otherwise=None)
    return there or _Placed(tracker.journey, None, found.new(visit, ()))


def _looked_up(tracker: Tracker, found: Judged, visit: list[int], session: Session | None) -> _Placed | None:
    first, last = found.fit[visit[0]].occurred_at, found.fit[visit[-1]].occurred_at
    journey, key = tracker.journey, session.key if session is not None else tracker.journey.sender.session
    # What came late, after another visit has begun, is of an earlier one than the cookie's.
    if session is not None and last < session.started_at - IDLE:
        key = earlier_key(session, first, last)
        journey = Journey(replace(journey.sender, session=key))
    stored = stored_ids(key, tracker.site, (found.fit[place] for place in visit))
    return _Placed(journey, session, found.new(visit, stored))


def _priced(event: Event, catalogue: Catalogue) -> Event:
    """The event with the catalogue's word on its product, which counts before the browser's."""
    try:
        return with_facts(event, catalogue.facts(event.product), overruled=True)
    except EventRefused:  # the catalogue's word is not fit
        return event


def _channel(tracker: Tracker, batch: Batch) -> str:
    return channel_told(tracker.request, url=batch.url, referrer=batch.referrer, is_known=tracker.cookie is not None)
