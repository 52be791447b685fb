"""A batch from a server with a key: of any visitors, and with the scope for it of orders, money and customers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from purchase_intent.adapters import current_shop
from purchase_intent.events import FIELD_NAMES, ClientEvent, Event, EventName, Reason, parse_event, told_name
from purchase_intent.events.reasons import LONGEST_TEXT
from purchase_intent.events.record import told_time
from purchase_intent.exceptions import EventRefused
from purchase_intent.metrics import EVENTS
from purchase_intent.models import ApiKey, Scope, Visitor
from purchase_intent.tracking.bots import LONGEST_AGENT, PERSON, label_of
from purchase_intent.tracking.deeds import placed, with_facts
from purchase_intent.tracking.identity import identity_of
from purchase_intent.tracking.intake.batch import SERVER, Batch, Verdict, too_many
from purchase_intent.tracking.intake.clock import ClientClock
from purchase_intent.tracking.intake.facts import Catalogue
from purchase_intent.tracking.intake.judging import Judged, judged, stored_ids, verdicts_of
from purchase_intent.tracking.place import derived_key, key_without
from purchase_intent.tracking.recorder import Journey, Sender
from purchase_intent.tracking.sinks.chain import chain
from purchase_intent.tracking.source import device_told

__all__ = ["take"]

_MONEY: Final = frozenset({"price", "order", "revenue"})
_VISITOR: Final = ("visitor", "user_id", "userId", "anonymousId", "client_id")
_SESSION: Final = ("session", "user_session", "session_id")


@dataclass(frozen=True, slots=True)
class _Who:
    """Whose event it is, as the server says; events of one are recorded together."""

    visitor: str
    session: str = ""
    customer: str = ""
    agent: str = ""


def take(key: ApiKey, batch: Batch, now: datetime) -> list[Verdict]:
    """Judge the events of a batch one by one and record what is fit, each once however often it is sent.

    Raises BatchRefused, and DatabaseError.
    """
    clock, whose = ClientClock.of(batch.sent_at, now), dict[int, _Who]()
    found = judged(batch.events[: SERVER.events], partial(_event, key=key, clock=clock, whose=whose))
    groups: dict[_Who, list[int]] = {}
    for place in found.fit:
        groups.setdefault(whose[place], []).append(place)
    catalogue = Catalogue(current_shop())
    for who, places in groups.items():
        for visit in found.visits(places):
            _record(key, who, found, visit, catalogue)
    return verdicts_of(batch, found) + too_many(batch, SERVER.events)


def _event(place: int, payload: dict[str, Any], *, key: ApiKey, clock: ClientClock, whose: dict[int, _Who]) -> Event:
    """One event of a server, and whose it is. EventRefused names the field and the remedy."""
    believed = key.may(Scope.ORDERS)
    if not believed:
        _refuse_money(payload)
    who = whose[place] = _who(payload, key)
    stamp, moment = clock.read(told_time(payload))
    hidden = {"visitor", "session", "occurred_at"} | (frozenset() if believed else _MONEY)
    seen = {field: value for field, value in payload.items() if FIELD_NAMES.get(field, field) not in hidden}
    told = {"visitor": who.visitor, "occurred_at": moment}
    event = parse_event(seen | told, kind=partial(placed, ClientEvent, stamp=stamp))
    if believed and payload.get("currency") not in (None, "", current_shop().currency):
        remedy = f"give amounts in the shop's currency, which its adapter says is {current_shop().currency!r}"
        raise EventRefused(field="currency", reason=Reason.BAD_REVENUE, remedy=remedy)
    device = None if event.device else device_told(who.agent)
    return replace(event, device=device) if device else event


def _refuse_money(payload: dict[str, Any]) -> None:
    """EventRefused where a key without the scope for it speaks of an order or of a customer."""
    is_order = told_name(payload) is EventName.PURCHASE
    if is_order or payload.get("customer") not in (None, ""):
        field = "name" if is_order else "customer"
        raise EventRefused(field=field, reason=Reason.MISSING_SCOPE, remedy="send it with a key of the scope orders")


def _who(payload: dict[str, Any], key: ApiKey) -> _Who:
    """Whose event it is: by the shop's own cookie passed on, or by ids that the server has given."""
    customer, agent = _word(payload, "customer"), _word(payload, "user_agent")
    if cookie := payload.get("cookie"):
        identity = identity_of(cookie, site=key.site) if isinstance(cookie, str) else None
        if identity is None:
            raise EventRefused(
                field="cookie", reason=Reason.FORGED_COOKIE, remedy="pass on the cookie as the browser sent it"
            )
        return _Who(identity.visitor, identity.session, customer, agent)
    visitor = next((_word(payload, field) for field in _VISITOR if payload.get(field) not in (None, "")), "")
    session = next((_word(payload, field) for field in _SESSION if payload.get(field) not in (None, "")), "")
    if not visitor and customer:
        known = Visitor.objects.of_customer(customer, site=key.site).values_list("cookie", flat=True).first()
        visitor = known or derived_key("customer", customer)
    if not visitor:
        raise EventRefused(
            field="visitor", reason=Reason.MISSING_VISITOR, remedy="say whose it is: visitor, cookie or customer"
        )
    return _Who(visitor, session, customer, agent)


def _word(payload: dict[str, Any], field: str) -> str:
    """A text that names somebody; EventRefused where it cannot be stored as one."""
    value = payload.get(field)
    if value is None or value == "":
        return ""
    text = str(value) if type(value) is int else value
    longest = LONGEST_AGENT if field == "user_agent" else LONGEST_TEXT
    if not isinstance(text, str) or len(text) > longest or not text.isprintable():
        remedy = f"give a text of at most {longest} characters, without control characters"
        raise EventRefused(field=field, reason=Reason.BAD_TEXT, remedy=remedy)
    return text


def _record(key: ApiKey, who: _Who, found: Judged, visit: list[int], catalogue: Catalogue) -> None:
    """Write what is new of one visit."""
    first, last = found.fit[visit[0]].occurred_at, found.fit[visit[-1]].occurred_at
    session = who.session
    if not session:
        visitor = Visitor.objects.filter(cookie=who.visitor, site=key.site).order_by().first()
        session = key_without(visitor, who.visitor, first, last)
    label = label_of(who.agent) if who.agent else PERSON
    journey = Journey(
        Sender(
            visitor=who.visitor,
            session=session,
            site=key.site,
            customer=who.customer,
            bot=label.kind,
            bot_reason=label.reason,
        )
    )
    if who.session and not chain().looks_up:
        places = found.new(visit, ())
        recorded = chain().write(journey, [_completed(found.fit[at], catalogue) for at in places], score=None)
        found.accept(places, recorded.events)
        return
    there = journey.session(at=first)
    stored = stored_ids(there.key if there is not None else session, key.site, (found.fit[at] for at in visit))
    if places := found.new(visit, stored):
        recorded = journey.record([_completed(found.fit[at], catalogue) for at in places])
        EVENTS.add(len(places), sink="database")
        found.accept(places, recorded.events)
        chain().recorded_aside({who.visitor, recorded.visitor}, site=key.site)


def _completed(event: Event, catalogue: Catalogue) -> Event:
    """The event with the catalogue's word on what its sender left out, or may not say."""
    facts = catalogue.facts(event.product)
    try:
        return with_facts(event, facts)
    except EventRefused:  # the catalogue's word is not fit
        return event
