"""One request's tracker: gathers what the shop tells, and at the end has it recorded in one go.

Nothing is asked of the shop, read from the database or signed before something is told, scored or shown. What is told
inside a transaction counts once that is committed.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from purchase_intent.adapters import Shop, current_shop
from purchase_intent.events import Event, EventName
from purchase_intent.events.reasons import LONGEST_TEXT
from purchase_intent.scoring.answer import Intent
from purchase_intent.tracking.bots import PERSON, STAFF, Label, label_of
from purchase_intent.tracking.consent import may_record
from purchase_intent.tracking.cookieless import hand_over, identity_for
from purchase_intent.tracking.deeds import Source, deed, incomplete, with_facts
from purchase_intent.tracking.identity import (
    Identity,
    forget,
    has_cookie,
    keep_private,
    new_identity,
    read_identity,
)
from purchase_intent.tracking.marking import SHOWING, mark_shown
from purchase_intent.tracking.pages import is_unseen, may_show, shows
from purchase_intent.tracking.recorder import Journey, Recorded, Sender
from purchase_intent.tracking.sinks.chain import Chain, Dropped, chain, losing
from purchase_intent.tracking.source import channel_of, device_of
from purchase_intent.tracking.wording import remedy_of, word

__all__ = ["Tracker"]

logger = logging.getLogger("purchase_intent.tracking")

_LONGEST_SITE: Final = 64
_ONCE: Final = frozenset({EventName.LOGIN, EventName.LOGOUT})


@dataclass(slots=True)
class _Told:
    """An event on its way; `settled` once the transaction it was told in is committed."""

    event: Event
    settled: bool = True
    complete: bool = False

    def settle(self) -> None:
        self.settled = True


class Tracker:
    """What one request has told so far.

    `score` may be set to an answer given for all of `pending()`, `is_personal` where the page shows something that is
    one visitor's alone, `is_page_view` to False where it only answers what is told already, `has_failed` where a fault
    of this request has been logged, `hint` to what else than the user agent says that no person is behind it; and
    `afterwards` given what is to be called with the visitor's id once the request is recorded.
    """

    def __init__(self, request: HttpRequest, moment: datetime) -> None:
        self.request = request
        self.moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        self.score: Intent | None = None
        self.is_closed = False
        self.is_personal = False
        self.has_failed = False
        self.is_page_view = True
        self.hint = PERSON
        self.afterwards: list[Callable[[str], object]] = []
        self._told: list[_Told] = []
        self._departed, self._departer = 0, ""

    # What it is asked

    @cached_property
    def shop(self) -> Shop:
        return current_shop()

    @cached_property
    def chain(self) -> Chain:
        return chain()

    @cached_property
    def site(self) -> str:
        return word("site", self.shop.site(self.request), _LONGEST_SITE)

    @cached_property
    def cookie(self) -> Identity | None:
        """What the browser's cookie says, if it is ours."""
        return read_identity(self.request, site=self.site)

    @cached_property
    def identity(self) -> Identity:
        """Whose events these are: the cookie's visitor, or a new one; without cookies, that of the day."""
        return identity_for(self.request, self.shop, cookie=self.cookie, site=self.site, moment=self.moment)

    @cached_property
    def journey(self) -> Journey:
        """The sender's session. Who is logged in is asked at the end of the request only, where there is a cookie."""
        return Journey(self._sender(self.identity))

    def _sender(self, identity: Identity) -> Sender:
        sender = Sender(visitor=identity.visitor, session=identity.session, site=self.site)
        return replace(sender, cookieless=True, customer=self._customer()) if self.shop.cookieless else sender

    @cached_property
    def may_record(self) -> bool:
        """Whether the visitor is followed at all, as it stood when first asked."""
        return may_record(self.request, self.shop)

    @cached_property
    def source(self) -> Source:
        return Source(visitor=self.identity.visitor, moment=self.moment, page=self.shop.page(self.request))

    # What it is told

    def add(self, events: Sequence[Event]) -> None:
        """Have events recorded at the end of the request, if the transaction around is committed by then."""
        for event in events:
            if event.name in _ONCE and any(told.event.name is event.name for told in self._told[self._departed :]):
                continue
            told = _Told(event)
            self._told.append(told)
            if transaction.get_connection().in_atomic_block:
                told.settled = False
                transaction.on_commit(told.settle, robust=True)

    def add_deed(self, name: EventName, **given: object) -> None:
        """Have one event recorded that is told by its fields. EventRefused names the one that is not fit."""
        event_id = given.pop("event_id", None) or secrets.token_hex(8)
        self.add([deed(name, self.source, event_id=event_id, **given)])  # type: ignore[arg-type]

    def leave(self) -> None:
        """The visitor logs out: what comes after is told by somebody new."""
        customer = self._customer()
        self.add_deed(EventName.LOGOUT)
        self._departed, self._departer = len(self._told), customer

    @property
    def has_left(self) -> bool:
        """Whether the visitor has logged out in this request."""
        return self._departed > 0

    def pending(self) -> list[Event]:
        """The events to come as things stand, with the page view that a successful page is; none after the end."""
        return [] if self.is_closed else self._events(shown=may_show(self.request))

    # How it ends

    def concerns(self, response: HttpResponseBase | None) -> bool:
        """Whether there is anything to do at the end; costs no query."""
        return bool(self._told or self.afterwards) or (
            response is not None and (self.is_personal or shows(self.request, response))
        )

    def finish(self, response: HttpResponseBase | None) -> None:
        """Record it all and set the cookie; `response` is None where the view raised. Never raises."""
        try:
            self._finish(response)
        except Dropped:
            self.has_failed = True
        except Exception as error:  # noqa: BLE001 - the page's edge: it is served whatever becomes of its tracking
            self.fail(error)
        finally:
            self.is_closed = True

    def fail(self, error: Exception) -> None:
        """Log a fault with its remedy: the first of a request, since the others follow from it."""
        if not self.has_failed:
            self.has_failed = True
            logger.error("This request is not recorded, or not wholly: %s", remedy_of(error), exc_info=error)

    def _finish(self, response: HttpResponseBase | None) -> None:
        if response is not None and self.is_personal:
            keep_private(response)
        if not self.concerns(response) or is_unseen(self.request):
            return
        # Asked again: the view may have taken down the visitor's answer.
        if not may_record(self.request, self.shop):
            if response is not None and has_cookie(self.request):
                forget(response)
            return
        is_shown = response is not None and shows(self.request, response)
        with losing(max(len(self._told), 1)):
            events = self._events(shown=is_shown)
            identity = self._record(events) if events else self.identity
        if response is not None and is_shown:
            mark_shown(response, events)
        if not events:
            self.journey.keep(self.score, at=self.moment)
        elif response is not None:
            hand_over(response, self.request, self.shop, identity, cookie=self.cookie, site=self.site)
        for act in self.afterwards:
            act(identity.visitor)

    def _record(self, events: list[Event]) -> Identity:
        """Write the events; what the cookie must hold from now on."""
        if not self.has_left:
            return _identity(self.write(self.journey, events, score=self.score))
        place = next((i for i, event in enumerate(events, 1) if event.name is EventName.LOGOUT), 0)
        if place:
            self._written(self.journey, events[:place], self._departer, None)
        later = self.identity if self.shop.cookieless else new_identity()
        rest = [replace(event, visitor=later.visitor) for event in events[place:]]
        journey = Journey(self._sender(later))
        return _identity(self.write(journey, rest)) if rest else later

    def write(self, journey: Journey, events: Sequence[Event], *, score: Intent | None = None) -> Recorded:
        """Write events of this request's visitor at once. Raises DatabaseError, and what the shop's adapter raises."""
        return self._written(journey, events, self._customer(), score)

    def _written(self, journey: Journey, events: Sequence[Event], customer: str, score: Intent | None) -> Recorded:
        label = self.label
        journey.sender = replace(journey.sender, customer=customer, bot=label.kind, bot_reason=label.reason)
        return self.chain.write(journey, events, score=score)

    @property
    def label(self) -> Label:
        """What the visitor is: the shop's own people, by the user agent, or by what else is known."""
        if self.chain.asked(lambda: self.shop.is_staff(self.request), otherwise=False):
            return STAFF
        label = label_of(self.request.META.get("HTTP_USER_AGENT", ""))
        return label if label.kind else self.hint

    def _customer(self) -> str:
        customer = self.chain.asked(lambda: self.shop.customer(self.request), otherwise="")
        return word("customer", customer, LONGEST_TEXT)

    # What the events are

    def _events(self, *, shown: bool) -> list[Event]:
        events = [self._placed(told) for told in self._standing()]
        if shown and self.is_page_view and not any(event.name in SHOWING for event in events):
            events.append(self._page_view)
        return events

    def _standing(self) -> list[_Told]:
        """What was told and not rolled back. A transaction around the whole request takes the record with it."""
        if all(told.settled for told in self._told):
            return self._told
        waiting: list[Callable[[], object]] = [entry[1] for entry in transaction.get_connection().run_on_commit]
        return [told for told in self._told if told.settled or told.settle in waiting]

    @cached_property
    def _page_view(self) -> Event:
        view = deed(EventName.PAGE_VIEW, self.source, event_id=secrets.token_hex(8))
        return view.come_from(**self._origin)

    def _placed(self, told: _Told) -> Event:
        """The event with what the request and the catalogue know of it, asked once."""
        if not told.complete:
            told.event = told.event.come_from(**self._origin)
            told.complete = True
            if incomplete(told.event):
                told.event = self._with_facts(told.event)
        return told.event

    def _with_facts(self, event: Event) -> Event:
        try:
            return with_facts(event, self.shop.product(event.product or ""))
        except Exception as error:  # noqa: BLE001 - the edge to the shop's own code: the event stands without its facts
            self.fail(error)
            return event

    @cached_property
    def _origin(self) -> dict[str, Any]:
        """Device, channel and country: of the session that goes on, or of this request where one begins."""
        session = self.chain.session(self.journey, at=self.moment)
        return {
            "device": device_of(self.request),
            "channel": self._channel if session is None else session.channel,
            "country": self.country,
        }

    @cached_property
    def country(self) -> str:
        """Where the visitor is, as the shop knows it."""
        return word("country", self.shop.country(self.request), LONGEST_TEXT)

    @property
    def _channel(self) -> str:
        return channel_of(self.request, self.shop.referrer(self.request), is_known=self.cookie is not None)


def _identity(recorded: Recorded) -> Identity:
    return Identity(visitor=recorded.visitor, session=recorded.session)
