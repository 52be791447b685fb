"""Visits that somebody asks about: events judged and folded like those that are recorded, and nowhere written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final

from purchase_intent.adapters import current_shop
from purchase_intent.events import Event, EventName, Page, Reason, parse_event
from purchase_intent.events.reasons import LONGEST_TEXT
from purchase_intent.events.record import told_time
from purchase_intent.exceptions import EventRefused
from purchase_intent.features.live import Journeys
from purchase_intent.features.state import Past, State
from purchase_intent.models.session import IDLE
from purchase_intent.scoring.live import hits_of
from purchase_intent.tracking.deeds import page_of
from purchase_intent.tracking.intake.batch import SERVER, Batch, Verdict, too_many
from purchase_intent.tracking.intake.clock import ClientClock
from purchase_intent.tracking.intake.facts import Catalogue, remembered_catalogue
from purchase_intent.tracking.intake.judging import Judged, judged
from purchase_intent.tracking.place import LONGEST
from purchase_intent.tracking.source import device_told

__all__ = ["Asked", "Question", "asked"]

_VISITOR: Final = ("visitor", "user_id", "userId", "anonymousId", "client_id")
_OF_A_PRODUCT: Final = ("category", "brand", "price")
_ORIGIN: Final = ("device", "channel", "country")
_NOBODY: Final = "visitor"
"""Whose the events are that name nobody: all of one question are of one shopper."""


@dataclass(frozen=True, slots=True)
class Question:
    """One shopper's events as they were sent."""

    events: Sequence[Any]
    sent_at: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a shopper's latest visit is after some events.

    `at` (aware) is the moment of the latest, None where no event is fit. `origin` is by what device, channel and
    country the visit began, as the session's row would have it. `refused` has a verdict for each event that is not fit.
    """

    state: State = field(default_factory=State)
    past: Past = field(default_factory=Past)
    at: datetime | None = None
    origin: Mapping[str, str] = field(default_factory=dict)
    accepted: int = 0
    duplicate: int = 0
    refused: Sequence[Verdict] = ()


def asked(questions: Sequence[Question], now: datetime) -> list[Asked]:
    """Judge the events of each question one by one, and fold what is fit as if it was recorded; nothing is written.

    A visit ends after 30 idle minutes or 24 hours, and the visits before the latest are its visitor's past. What a
    sender says of a product counts before the catalogue. Raises BatchRefused for a clock that is none; DatabaseError.
    """
    catalogue = remembered_catalogue()
    found = [_judged(question, now, catalogue) for question in questions]
    ordered = [_in_order(each) for each in found]
    hits = iter(hits_of([event for events in ordered for event in events]))
    return [
        _folded(question, each, events, hits) for question, each, events in zip(questions, found, ordered, strict=True)
    ]


def _judged(question: Question, now: datetime, catalogue: Catalogue) -> Judged:
    clock = ClientClock.of(question.sent_at, now)
    return judged(question.events[: SERVER.events], partial(_event, clock=clock, catalogue=catalogue), note=_untold)


def _untold(_reason: str, _field: str) -> None:
    """What is only asked about is counted nowhere."""


def _event(_place: int, payload: dict[str, Any], *, clock: ClientClock, catalogue: Catalogue) -> Event:
    """One event that is asked about. EventRefused names the field and the remedy."""
    _, moment = clock.read(told_time(payload))
    told = payload | {"occurred_at": moment}
    if not any(payload.get(name) for name in _VISITOR):
        told["visitor"] = _NOBODY
    currency = payload.get("currency")
    if currency is not None and currency not in ("", current_shop().currency):
        remedy = f"give amounts in the shop's currency, which its adapter says is {current_shop().currency!r}"
        raise EventRefused(field="currency", reason=Reason.BAD_REVENUE, remedy=remedy)
    if not payload.get("device") and isinstance(agent := payload.get("user_agent"), str):
        told["device"] = device_told(agent) or None
    return parse_event(told, kind=partial(_built, catalogue))


def _built(catalogue: Catalogue, **values: Any) -> Event:
    """The event on the page where it happens, with what its sender left out of a product."""
    name, page = values["name"], values.get("page")
    if isinstance(name, EventName) and (page is None or isinstance(page, Page)):
        values["page"] = page_of(name, page or Page.OTHER)
    missing = [each for each in _OF_A_PRODUCT if values.get(each) is None]
    if not missing or not _can_be_asked_for(values.get("product")):
        return Event(**values)
    facts = catalogue.facts(values["product"])
    try:
        return Event(**values | {each: getattr(facts, each) or None for each in missing})
    except EventRefused:  # the catalogue's word is not fit, or the sender's, which this names
        return Event(**values)


def _can_be_asked_for(product: object) -> bool:
    return isinstance(product, str) and 0 < len(product) <= LONGEST_TEXT and product.isprintable()


def _in_order(found: Judged) -> list[Event]:
    """The fit events as the fold wants them: by time, each id once, of one moment as they were sent."""
    once: dict[tuple[str, str], Event] = {}
    for place in found.fit:
        event = found.fit[place]
        once.setdefault((event.visitor, event.event_id), event)
    return sorted(once.values(), key=lambda event: event.occurred_at)


def _folded(question: Question, found: Judged, events: Sequence[Event], hits: Iterable[Any]) -> Asked:
    refused = [Verdict.of(place, question.events[place], "refused", why) for place, why in found.refused.items()]
    refused += too_many(Batch(question.events), SERVER.events)
    if not events:
        return Asked(refused=refused)
    journeys, visits = Journeys(), _Visits()
    for event, hit in zip(events, hits, strict=False):
        journeys.observe(hit, visitor=event.visitor, session=visits.of(event))
    latest = visits.latest
    slot, first = journeys.sessions[latest.key], latest.first
    return Asked(
        state=journeys.tables.states[slot],
        past=journeys.tables.seen[slot],
        at=events[-1].occurred_at,
        origin={name: getattr(first, name) or "" for name in _ORIGIN},
        accepted=len(events),
        duplicate=len(found.fit) - len(events),
        refused=refused,
    )


@dataclass(slots=True)
class _Visit:
    key: str
    first: Event
    last_at: datetime


class _Visits:
    """The visits of one shopper, by the session that each event names, as their events come in the order of time."""

    def __init__(self) -> None:
        self._open: dict[str, _Visit] = {}
        self._begun = 0
        self.latest: _Visit

    def of(self, event: Event) -> str:
        """The visit that an event is of: one that goes on, or a new one."""
        name, at = event.session or "", event.occurred_at
        visit = self._open.get(name)
        if visit is None or at - visit.last_at > IDLE or at - visit.first.occurred_at > LONGEST:
            self._begun += 1
            visit = self._open[name] = _Visit(str(self._begun), event, at)
        visit.last_at = at
        self.latest = visit
        return visit.key
