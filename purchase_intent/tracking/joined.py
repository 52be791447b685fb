"""What is written of events that touch more than their session, once everybody who takes part is locked."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import F

from purchase_intent import models
from purchase_intent.events import Event, EventName
from purchase_intent.features.journey import NEWS
from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT, Past, State
from purchase_intent.models import Order, Outcome, Session, Visitor
from purchase_intent.scoring.live import Circle, hits_of, is_current, moment
from purchase_intent.scoring.rebuild import MOST_EVENTS, LostRace, connected, rebuild, rebuild_session
from purchase_intent.tracking.cast import Cast, needs_label
from purchase_intent.tracking.ledger import note_merge
from purchase_intent.tracking.place import Sender
from purchase_intent.tracking.rows import event_row, login_event, order_rows, texts_of

__all__ = ["Done", "Joining", "Wider"]

logger = logging.getLogger(__name__)

RACING: Final = timedelta(hours=2)
"""Sessions silent for longer than this have no event on its way that was not known to be late."""


class Wider(LostRace):
    """More visitors turned out to be connected than were locked."""

    def __init__(self, visitors: set[int]) -> None:
        super().__init__()
        self.visitors = visitors


@dataclass(frozen=True, slots=True)
class Done:
    """What was written: the session as it now is, the events added in order, and what else there is to tell of."""

    session: Session
    events: list[Event]
    orders: list[Order]
    began: bool = False
    recognised: Visitor | None = None


class Joining:
    """One call's events on their way into the database, everything locked."""

    def __init__(
        self, sender: Sender, cast: Cast, session: Session | None, key: str, now: datetime, also: set[int]
    ) -> None:
        self.sender, self.cast, self.session, self.key, self.now = sender, cast, session, key, now
        self.locked = {row.pk for row in cast.visitors} | also
        self.began, self.sequence = session is None, session.sequence if session is not None else 0
        self.before_at = [session.last_at] if session is not None else []

    def write(self, new: list[Event]) -> Done:
        events, carriers = self._carried(new)
        others = self._others(events)
        if not self._is_late(events, others):
            return self._gone_on(events, carriers, others)
        if self._is_late_within(events, others):
            return self._folded_alone(events, carriers)
        return self._rebuilt(events, carriers)

    def _carried(self, events: list[Event]) -> tuple[list[Event], list[int]]:
        """The events with the login among them, and the visitor that each is of."""
        if not self.cast.login:
            return events, [self.cast.before.pk] * len(events)
        place = next((i for i, event in enumerate(events) if event.name is EventName.LOGIN), None)
        if place is None:
            # A session that begins with the login knows nothing of the anonymous visitor: the first event tells.
            place = int(self.session is None and self.cast.joins)
            events = [*events[:place], login_event(events[0]), *events[place:]]
        return events, [self.cast.before.pk] * place + [self.cast.after.pk] * (len(events) - place)

    def _reads(self, events: Sequence[Event], others: Sequence[Session]) -> bool:
        """Whether a visitor's past is read or changed: everything that happened before has to be told by then."""
        if self.session is None or self.cast.login or any(event.name is EventName.LOGIN for event in events):
            return True
        return self._is_new_in_list() and len(others) >= NEWS

    def _is_new_in_list(self) -> bool:
        """Whether the session had no news for its visitor's past until now."""
        return self.session is None or not self.session.has_news

    def _others(self, events: Sequence[Event]) -> list[Session]:
        """The visitors' other sessions with news. Whoever goes on in a recent one has to see that it was read."""
        old = [row.pk for row in self.cast.visitors if row.pk not in self.cast.new]
        if not old or not (self._reads(events, ()) or self._is_new_in_list()):
            return []
        theirs = Session.objects.filter(visitor__in=old).order_by()
        if self.session is not None:
            theirs = theirs.exclude(pk=self.session.pk)
        theirs.filter(last_at__gte=events[0].occurred_at - RACING).update(version=F("version") + 1)
        return list(theirs.filter(has_news=True))

    def _is_late(self, events: Sequence[Event], others: Sequence[Session]) -> bool:
        """Whether something that has been read, or was told, comes after the first of `events`."""
        first = events[0].occurred_at
        rows: list[Session | Visitor] = [*self.cast.visitors, *others, *([self.session] if self.session else [])]
        if not all(is_current(row) for row in rows) or self._is_before_telling(first):
            return True
        if self.session is not None and self.session.last_at > first:
            return True
        ends = [(row.last_at, row.started_at) for row in others]
        if self.session is not None:
            ends.append((self.session.last_at, self.session.started_at))
        even = len(set(ends)) < len(ends)
        return self._reads(events, others) and (even or any(row.last_at >= first for row in others))

    def _is_before_telling(self, first: datetime) -> bool:
        """Whether a past was read or changed at `first` or later, or nobody knows when."""
        old = [row for row in self.cast.visitors if row.pk not in self.cast.new]
        return any(row.told_at is None or row.told_at >= first for row in old)

    def _is_late_within(self, events: Sequence[Event], others: Sequence[Session]) -> bool:
        """Whether nothing but the events' own session has gone past them."""
        if self.session is None or not is_current(self.session) or self._reads(events, others):
            return False
        return not self._is_before_telling(events[0].occurred_at)

    def _folded_alone(self, events: list[Event], carriers: list[int]) -> Done:
        """One session folded again: what it has told, and what it has read, came before all of this."""
        assert self.session is not None  # noqa: S101 (late within it)
        done = self._added(events, carriers, self.session)
        self._relabel()
        rebuild_session(self.session)
        self.session.visitor = self.cast.before
        return done

    def _gone_on(self, events: list[Event], carriers: list[int], others: list[Session]) -> Done:
        """The common case: the fold goes on with what is stored."""
        own = [self.session] if self.session is not None else []
        circle = Circle.of(self.cast.visitors, [*others, *own])
        pk = self.session.pk if self.session is not None else 0
        for hit, carrier in zip(hits_of(events), carriers, strict=True):
            circle.observe(hit, visitor=carrier, session=pk)
        values = circle.session_values(pk) | {"sequence": self.sequence + len(events)}
        session = self._own(events, values)
        session.visitor = next(row for row in self.cast.visitors if row.pk == session.visitor_id)
        for row in others:
            self._swap(row, circle.session_values(row.pk))
        for visitor in self.cast.visitors:
            self._update(visitor, events, carriers, [*others, *own], circle)
        return self._added(events, carriers, session)

    def _own(self, events: list[Event], values: dict[str, Any]) -> Session:
        """The events' own session, written."""
        if self.session is not None:
            if self.session.outcome == Outcome.LEFT and values["stage"] == models.Stage.BOUGHT:
                values |= {"outcome": Outcome.BOUGHT.value}
            if not Session.objects.swap(self.session, **values):
                raise LostRace
            return self.session
        return Session.objects.create(site=self.sender.site, key=self.key, **texts_of(events[0]), **values)

    def _swap(self, row: Session, values: dict[str, Any]) -> None:
        changed = {name: value for name, value in values.items() if _plain(getattr(row, name)) != value}
        if changed and not Session.objects.swap(row, **changed):
            raise LostRace

    def _update(
        self,
        visitor: Visitor,
        events: Sequence[Event],
        carriers: Sequence[int],
        sessions: Sequence[Session],
        circle: Circle,
    ) -> None:
        """What the fold has told of a visitor, and when it was seen."""
        values = circle.visitor_values(visitor.pk) | self._label(visitor)
        seen = [event.occurred_at for event, carrier in zip(events, carriers, strict=True) if carrier == visitor.pk]
        seen += [row.last_at for row in sessions if row.visitor_id == visitor.pk]
        # The session may have gone over to another visitor by now; until then it was this one's.
        seen += self.before_at if visitor.pk == self.cast.before.pk else []
        values |= {"last_seen": max([visitor.last_seen, *seen]), "first_seen": min([visitor.first_seen, *seen])}
        if visitor.pk in circle.told:
            values["told_at"] = moment(circle.told[visitor.pk])
        changed = {name: value for name, value in values.items() if _plain(getattr(visitor, name)) != value}
        if changed:
            Visitor.objects.filter(pk=visitor.pk).update(**changed)
            for name, value in changed.items():
                setattr(visitor, name, value)

    def _label(self, visitor: Visitor) -> dict[str, Any]:
        """What becomes of a visitor beside the fold: whose it is, and whether it is a shopper at all."""
        values: dict[str, Any] = {}
        if self.cast.login and visitor.pk == self.cast.after.pk:
            values["customer"] = self.sender.customer
        # The label is of who has come, not of a customer who used this browser before.
        if needs_label(self.sender, visitor) and (visitor.pk == self.cast.after.pk or not visitor.known):
            values |= {"bot": self.sender.bot, "bot_reason": self.sender.bot_reason}
        return values

    def _rebuilt(self, events: list[Event], carriers: list[int]) -> Done:
        """The rare case: store the events first, then fold the whole person again."""
        if _is_too_long(self.locked):
            return self._shortened(events, carriers)
        session = self.session
        if session is None:
            session = self._placeholder(events[0])
        elif not self.cast.login:
            carriers = [self._sender_then(event, carrier) for event, carrier in zip(events, carriers, strict=True)]
        done = self._added(events, carriers, session)
        person = connected(self.locked)
        if not person <= self.locked:
            raise Wider(person)
        if _is_too_long(person):
            raise LostRace
        Session.objects.filter(visitor__in=person, last_at__gte=events[0].occurred_at - RACING).update(
            version=F("version") + 1
        )
        self._relabel()
        rebuild(person)
        return replace(done, session=Session.objects.select_related("visitor").get(pk=session.pk))

    def _relabel(self) -> None:
        """Write what becomes of the visitors beside the fold."""
        for visitor in self.cast.visitors:
            if values := self._label(visitor):
                Visitor.objects.filter(pk=visitor.pk).update(**values)

    def _shortened(self, events: list[Event], carriers: list[int]) -> Done:
        """Somebody with too many events to fold in a page: the past stays as it is, the session is folded alone."""
        logger.warning("Visitor %s has too many events to fold again for one that is late", self.cast.before.pk)
        if self.session is None or self.cast.login:
            return self._gone_on(events, carriers, self._others(events))
        Visitor.objects.filter(pk=self.cast.before.pk, told_at=None).update(told_at=self.session.last_at)
        return self._folded_alone(events, carriers)

    def _placeholder(self, event: Event) -> Session:
        """A session for its events to point at; folding them fills it in."""
        session: Session = Session.objects.create(
            site=self.sender.site,
            key=self.key,
            visitor=self.cast.before,
            started_at=event.occurred_at,
            last_at=event.occurred_at,
            state=STATE_LAYOUT.dumps(State()),
            past=PAST_LAYOUT.dumps(Past()),
        )
        return session

    def _sender_then(self, event: Event, carrier: int) -> int:
        """Whose session it was when a late event happened: a login that came after it does not reach back."""
        stored = models.Event.objects.filter(session=self.session).order_by("-occurred_at", "-sequence")
        earlier = stored.filter(occurred_at__lte=event.occurred_at).values_list("visitor_id", flat=True).first()
        return earlier or stored.reverse().values_list("visitor_id", flat=True).first() or carrier

    def _added(self, events: list[Event], carriers: list[int], session: Session) -> Done:
        """Insert the events and their orders."""
        rows = [
            event_row(
                event,
                sender=self.sender,
                visitor=carrier,
                session=session.pk,
                sequence=self.sequence + number,
                now=self.now,
            )
            for number, (event, carrier) in enumerate(zip(events, carriers, strict=True), start=1)
        ]
        models.Event.objects.bulk_create([models.Event(**row._asdict()) for row in rows])
        orders = order_rows(self.sender, rows, session)
        if orders:
            Order.objects.bulk_create(orders)
        recognised = self.cast.after if self.cast.login and self.cast.anonymous else None
        if recognised is not None:
            note_merge(self.sender, self.cast, session, rows, began=self.began)
        return Done(session, events, orders, self.began, recognised)


def _is_too_long(visitors: set[int]) -> bool:
    events = models.Event.objects.filter(visitor__in=visitors).order_by()
    return events[: MOST_EVENTS + 1].count() > MOST_EVENTS


def _plain(value: Any) -> Any:
    """A column's value; PostgreSQL gives bytes as a view of them."""
    return bytes(value) if isinstance(value, memoryview) else value
