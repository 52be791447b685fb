"""Who takes part in a call: the visitor whose session it is, and whom a login makes of it. Made, found and locked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.db import connections, router
from django.db.models import F

from purchase_intent.events import Event, EventName
from purchase_intent.features.state import PAST_LAYOUT, Past
from purchase_intent.models import Session, Visitor
from purchase_intent.scoring.rebuild import LostRace
from purchase_intent.tracking.bots import pace_label
from purchase_intent.tracking.place import Place, Sender, fresh_id, has_ended

__all__ = ["Cast", "cast_of", "locked_session", "needs_label", "needs_login", "with_pace"]

STAFF: Final = "staff"
"""The label of the shop's own people."""


@dataclass(slots=True)
class Cast:
    """Whose events come before a login, and whose after it; one and the same visitor where nobody logs in."""

    before: Visitor
    after: Visitor
    login: bool
    anonymous: bool
    """Whether the visitor before had never logged in."""
    new: frozenset[int]
    """Keys of visitors made just now: nobody else can have sessions of theirs."""

    @property
    def joins(self) -> bool:
        """Whether an anonymous visitor's past goes over to a known one."""
        return self.before.pk != self.after.pk and self.anonymous and bool(self.before.bot) <= bool(self.after.bot)

    @property
    def visitors(self) -> list[Visitor]:
        return [self.before] if self.before.pk == self.after.pk else [self.before, self.after]


def needs_login(sender: Sender, visitor: Visitor | None) -> bool:
    """Whether a login is to be recorded: somebody is logged in whom the visitor does not stand for yet."""
    if not sender.customer:
        return False
    return visitor is None or not visitor.known or visitor.customer != sender.customer


def needs_label(sender: Sender, visitor: Visitor) -> bool:
    """Whether a visitor taken for a shopper is to be labelled. A known customer is not, for a strange user agent."""
    return bool(sender.bot) and not visitor.bot and (sender.bot == STAFF or not visitor.known)


def with_pace(sender: Sender, session: Session | None, events: Sequence[Event]) -> Sender:
    """The sender, labelled where a session goes on faster than hands do."""
    if sender.bot or session is None:
        return sender
    seconds = (events[-1].occurred_at - session.started_at).total_seconds()
    label = pace_label(session.sequence + len(events), seconds)
    return replace(sender, bot=label.kind, bot_reason=label.reason) if label.kind else sender


def cast_of(sender: Sender, events: Sequence[Event], place: Place, also: set[int]) -> Cast:
    """Find or make the visitors, lock them, and see to it that they are still what they were."""
    _begin_writing(place.visitor)
    began = events[0].occurred_at
    before, login, made = place.visitor, needs_login(sender, place.visitor), set()
    after = Visitor.objects.of_customer(sender.customer, site=sender.site).first() if login else None
    explicit = any(event.name is EventName.LOGIN for event in events[1:])
    if before is None and (after is None or explicit):
        before = _made(sender, sender.visitor, began)
        made.add(before.pk)
    if login and after is None:
        after = before
        # Whoever was taken for a robot until now does not make the customer one; nor does one whose id is of the day.
        if before is not None and (before.known or sender.cookieless or (before.bot and not sender.bot)):
            after = _made(sender, fresh_id(), began)
            made.add(after.pk)
    before = before or after
    after = after or before
    assert before is not None  # noqa: S101 (one of the three cases above made it)
    assert after is not None  # noqa: S101 (the same)
    locked = _locked({before.pk, after.pk} | also)
    for planned in (before, after):
        found = locked.get(planned.pk)
        if found is None or (found.known, found.customer) != (planned.known, planned.customer):
            raise LostRace
    # One that somebody else has made, and begun a session with, meanwhile is none of our making.
    new = frozenset(pk for pk in made if locked[pk].told_at is None)
    return Cast(locked[before.pk], locked[after.pk], login, not before.known, new)


def _begin_writing(visitor: Visitor | None) -> None:
    """Where rows cannot be locked, make the first statement a write: one transaction at a time gets past it."""
    if not connections[router.db_for_write(Visitor)].features.has_select_for_update:
        Visitor.objects.filter(pk=visitor.pk if visitor is not None else 0).update(known=F("known"))


def _made(sender: Sender, cookie: str, began: datetime) -> Visitor:
    """A visitor with this cookie, made where nobody else has made it meanwhile."""
    row = Visitor(
        site=sender.site,
        cookie=cookie,
        past=PAST_LAYOUT.dumps(Past()),
        first_seen=began,
        last_seen=began,
        bot=sender.bot,
        bot_reason=sender.bot_reason,
    )
    Visitor.objects.bulk_create([row], ignore_conflicts=True)
    found: Visitor = Visitor.objects.get(cookie=cookie, site=sender.site)
    return found


def _locked(keys: set[int]) -> dict[int, Visitor]:
    return {row.pk: row for row in Visitor.objects.filter(pk__in=keys).order_by("pk").select_for_update(no_key=True)}


def locked_session(sender: Sender, place: Place, cast: Cast, at: datetime) -> Session | None:
    """The session that goes on, locked; None for one to begin."""
    found = Session.objects.filter(key=place.key, site=sender.site).order_by().select_for_update(no_key=True).first()
    if (found is None) != (place.session is None):
        raise LostRace
    if found is not None and (found.visitor_id != cast.before.pk or has_ended(found, at)):
        raise LostRace
    return found
