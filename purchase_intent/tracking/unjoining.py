"""A merge taken back: what was done before the login is the anonymous visitor's again, and no part of the customer.

The session is cut at the login. What came before gets a session of its own; what came from then on keeps the key that
is in the browser's cookie, so that a visit that goes on stays the customer's. Both are folded again from their events.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import connections, router, transaction
from django.db.models import F, Q, QuerySet

from purchase_intent.events import EventName
from purchase_intent.exceptions import MergeRefused
from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT, Past, State
from purchase_intent.models import Event, Merge, Order, Session, Visitor
from purchase_intent.scoring.rebuild import MOST_EVENTS, LostRace, connected, rebuild
from purchase_intent.tracking.place import derived_key, fresh_id
from purchase_intent.tracking.sinks.chain import chain

__all__ = ["undo"]

TRIES: Final = 8


def undo(number: int, *, now: datetime, who: str) -> Merge:
    """Take back the merge of that number. MergeRefused, with nothing written, where there is none or it cannot be."""
    for _ in range(TRIES):
        try:
            with transaction.atomic(using=router.db_for_write(Merge)):
                merge = _undone(number, now, who)
        except LostRace:
            continue
        chain().recorded_aside()
        return merge
    raise MergeRefused("The session kept changing: try again when the visit is over.")


def _undone(number: int, now: datetime, who: str) -> Merge:
    merge = _locked(number)
    login = _login_of(merge)
    people = connected({merge.visitor_id, *([merge.anonymous_id] if merge.anonymous_id else [])})
    if Event.objects.filter(visitor__in=people).order_by()[: MOST_EVENTS + 1].count() > MOST_EVENTS:
        raise MergeRefused(f"They have more than {MOST_EVENTS:,} events: too many to fold again at once.")
    list(Visitor.objects.filter(pk__in=people).order_by("pk").select_for_update(no_key=True))
    Session.objects.filter(visitor__in=people).update(version=F("version") + 1)
    anonymous = merge.anonymous or _nobody(merge, login)
    if merge.anonymous is None:
        _give_back_earlier(merge, login, anonymous)
    _cut(login, anonymous)
    rebuild(people | {anonymous.pk})
    merge.anonymous, merge.undone_at, merge.undone_by = anonymous, now, who[:150]
    merge.save(update_fields=("anonymous", "undone_at", "undone_by"))
    return merge


def _locked(number: int) -> Merge:
    if not connections[router.db_for_write(Merge)].features.has_select_for_update:
        Merge.objects.filter(pk=number).update(sequence=F("sequence"))  # a write first: one at a time gets past it
    merge = Merge.objects.select_for_update(no_key=True).filter(pk=number).first()
    if merge is None:
        raise MergeRefused(f"There is no merge {number}: manage.py intent_merges lists them.")
    if merge.undone_at is not None:
        raise MergeRefused(f"Merge {number} was undone already, on {merge.undone_at:%Y-%m-%d %H:%M}.")
    return merge


def _login_of(merge: Merge) -> Event:
    """The login's event, by which the pasts were joined."""
    found = Event.objects.filter(
        session=merge.session_id,
        visitor=merge.visitor_id,
        name=EventName.LOGIN.value,
        occurred_at=merge.happened_at,
        sequence=merge.sequence,
    ).first()
    if merge.session_id is None or found is None:
        raise MergeRefused("The login's event is pruned, and what it joined cannot be told apart any more.")
    return found


def _nobody(merge: Merge, login: Event) -> Visitor:
    """A visitor for what the customer's first visitor had done before the login. No browser has its cookie."""
    made: Visitor = Visitor.objects.create(
        site=merge.site,
        cookie=fresh_id(),
        past=PAST_LAYOUT.dumps(Past()),
        first_seen=login.occurred_at,
        last_seen=login.occurred_at,
    )
    return made


def _give_back_earlier(merge: Merge, login: Event, anonymous: Visitor) -> None:
    """Earlier sessions of the visitor that became the customer's own."""
    earlier = Session.objects.filter(visitor=merge.visitor_id, last_at__lt=login.occurred_at)
    keys = list(earlier.exclude(pk=login.session_id).values_list("pk", flat=True))
    Event.objects.filter(session__in=keys, visitor=merge.visitor_id).update(visitor=anonymous)
    Order.objects.filter(session__in=keys, visitor=merge.visitor_id).update(visitor=anonymous)
    Session.objects.filter(pk__in=keys).update(visitor=anonymous)


def _cut(login: Event, anonymous: Visitor) -> None:
    """Give what came before the login in its session a session of its own; none where the session began with it."""
    session = login.session
    before = _before(login)
    if not before.exists():
        return
    own = Session.objects.create(
        site=session.site,
        key=derived_key("before", f"{session.key}/{login.key}"),
        visitor=anonymous,
        started_at=session.started_at,
        last_at=session.started_at,
        state=STATE_LAYOUT.dumps(State()),
        past=PAST_LAYOUT.dumps(Past()),
        **{name: getattr(session, name) for name in ("device", "channel", "country")},
    )
    orders = Order.objects.filter(session=session, placed_at__lt=login.occurred_at)
    moved: dict[str, Any] = {"session": own, "visitor": anonymous}
    orders.update(**moved)
    before.update(**moved)


def _before(login: Event) -> QuerySet[Event]:
    earlier = Q(occurred_at__lt=login.occurred_at)
    same = Q(occurred_at=login.occurred_at, sequence__lt=login.sequence)
    return Event.objects.filter(earlier | same, session=login.session_id).order_by()
