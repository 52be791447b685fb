"""Events that touch more than their session: one begins, somebody logs in, an event comes late. Under locks.

Locks are taken in one order: visitors by key, then their sessions. An event that merely goes on in its session takes
none of them; `Session.version` tells it when it has to be here instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connections, router, transaction
from django.db.models import F

from purchase_intent.events import Event, EventName
from purchase_intent.features.state import PAST_LAYOUT, Past
from purchase_intent.models import Session, Visitor
from purchase_intent.scoring.rebuild import LostRace
from purchase_intent.tracking.joined import Cast, Done, Joining
from purchase_intent.tracking.place import Place, Sender, fresh_id, has_ended
from purchase_intent.tracking.rows import new_events

__all__ = ["join", "needs_login"]


def needs_login(sender: Sender, visitor: Visitor | None) -> bool:
    """Whether a login is to be recorded: somebody is logged in whom the visitor does not stand for yet."""
    if not sender.customer:
        return False
    return visitor is None or not visitor.known or visitor.customer != sender.customer


def join(sender: Sender, events: Sequence[Event], place: Place, *, now: datetime, also: set[int]) -> Done | None:
    """Write `events`, in order, under the locks of their visitors and of those in `also`; None where nothing is new.

    Raises LostRace, with nothing written, where `place` is not as it was any more.
    """
    with transaction.atomic():
        cast = _cast(sender, events, place, also)
        session = _session(sender, place, cast, events[0].occurred_at)
        new = new_events(sender, events)
        if not new:
            return None
        return Joining(sender, cast, session, place.key, now, also).write(new)


# ------------------------------------------------------------------- who takes part


def _cast(sender: Sender, events: Sequence[Event], place: Place, also: set[int]) -> Cast:
    """Find or make the visitors, lock them, and see to it that they are still what they were."""
    _begin_writing(place.visitor)
    began = events[0].occurred_at
    before, login, new = place.visitor, needs_login(sender, place.visitor), set()
    after = Visitor.objects.of_customer(sender.customer, site=sender.site).first() if login else None
    explicit = any(event.name is EventName.LOGIN for event in events[1:])
    if before is None and (after is None or explicit):
        before = _made(sender, sender.visitor, began)
        new.add(before.pk)
    if login and after is None:
        after = before
        if before is not None and before.known:
            after = _made(sender, fresh_id(), began)
            new.add(after.pk)
    before = before or after
    after = after or before
    assert before is not None  # noqa: S101 (one of the three cases above made it)
    assert after is not None  # noqa: S101 (the same)
    locked = _locked({before.pk, after.pk} | also)
    for planned in (before, after):
        found = locked.get(planned.pk)
        if found is None or (found.known, found.customer) != (planned.known, planned.customer):
            raise LostRace
    return Cast(locked[before.pk], locked[after.pk], login, not before.known, frozenset(new))


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


def _session(sender: Sender, place: Place, cast: Cast, at: datetime) -> Session | None:
    """The session that goes on, locked; None for one to begin."""
    found = Session.objects.filter(key=place.key, site=sender.site).order_by().select_for_update(no_key=True).first()
    if (found is None) != (place.session is None):
        raise LostRace
    if found is not None and (found.visitor_id != cast.before.pk or has_ended(found, at)):
        raise LostRace
    return found
