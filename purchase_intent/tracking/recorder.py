"""One request's journey: where its events belong, what the fold says after them, and their writing, exactly once.

In the common case, an event that goes on in its session, the session is read with its visitor, its row is written where
nobody has written it since, and the events are inserted. Everything else is left to `joining`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from purchase_intent import models, signals
from purchase_intent.events import Event, EventName
from purchase_intent.features.observe import observe
from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT
from purchase_intent.models import Score, Session
from purchase_intent.models.statements import go_on
from purchase_intent.scoring.answer import Intent
from purchase_intent.scoring.live import hits_of, is_current, moment
from purchase_intent.scoring.rebuild import LostRace
from purchase_intent.tracking.cast import needs_label, needs_login, with_pace
from purchase_intent.tracking.foreseen import Foreseen, digest_of, session_after
from purchase_intent.tracking.joined import Done, Wider
from purchase_intent.tracking.joining import join
from purchase_intent.tracking.place import Place, Sender, find_place, has_ended, is_place, visits_of
from purchase_intent.tracking.rows import event_row, in_order

__all__ = ["Journey", "Recorded", "Sender", "goes_on", "tell"]

TRIES: Final = 8
"""Races lost in a row before the last loss is raised; under locks from the third try on, so this is never reached."""

AT_ONCE: Final = 500
"""Events written by one statement: what has more goes the long way, which takes several."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the cookie must now hold, and how many events were new: which, a login that they imply among them."""

    visitor: str
    session: str
    added: int
    events: tuple[Event, ...] = field(default=(), compare=False, repr=False)


class Journey:
    """One request's view of its sender's session; the database is read once, when first needed."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self._place: Place | None = None
        self._placed_at: datetime | None = None
        self._received: datetime | None = None
        self._foreseen: bytes | Foreseen = b""
        self.is_scripted = False  # whether it is the shop's script that tells

    def foresee(self, events: Sequence[Event], *, at: datetime) -> Foreseen:
        """The fold after `events`, which nobody has recorded yet; a login on its way is not looked through."""
        ordered = in_order(events)
        place = self._placed(ordered[0].occurred_at if ordered else at)
        self._foreseen = found = session_after(place, hits_of(ordered))
        return found

    @property
    def foreseen(self) -> bytes:
        """`digest_of` the state and past that were foreseen last, empty where none was."""
        if isinstance(self._foreseen, Foreseen):
            state, past = self._foreseen.state, self._foreseen.past
            self._foreseen = digest_of(STATE_LAYOUT.dumps(state), PAST_LAYOUT.dumps(past))
        return self._foreseen

    @foreseen.setter
    def foreseen(self, digest: bytes) -> None:
        self._foreseen = digest

    def assume(self, session: Session, *, at: datetime) -> bool:
        """Take a session, its visitor with it, as stored; False where an event of the moment `at` is not of it."""
        if not is_place(self.sender, session, at):
            return False
        self._place = Place(session.key, session, session.visitor)
        return True

    def look_again(self) -> None:
        """Have the database asked anew where events belong."""
        self._place = None

    def visitor(self, *, at: datetime) -> models.Visitor | None:
        """The sender's visitor as an event of the moment `at` finds it; None where nobody is on record yet."""
        place = self._placed(at)
        return place.session.visitor if place.session is not None else place.visitor

    def session(self, *, at: datetime) -> Session | None:
        """The stored session that an event of the moment `at` would go on in; None where it would begin one."""
        return self._placed(at).session

    def keep(self, score: Intent | None, *, at: datetime) -> None:
        """Keep a score of the session as it stands, given by a page that tells nothing; `at` is its moment."""
        session = self.session(at=at) if score is not None else None
        if session is not None:
            with transaction.atomic():
                self._score(session, score)

    def record(
        self, events: Sequence[Event], *, score: Intent | None = None, received: datetime | None = None
    ) -> Recorded:
        """Write `events` and what they lead to, all or nothing, each once however often it is sent; then tell the shop.

        `score` is kept where the session is what it was foreseen to be. `received` is when the server heard of them,
        now by default. Raises DatabaseError where the database fails.
        """
        self._received = received
        if not events:
            return Recorded(self.sender.visitor, self.sender.session, 0)
        visits = visits_of(in_order(events))
        if len(visits) == 1:
            return self._recorded(visits[0], score)
        with transaction.atomic():
            parts = [self._recorded(visit, None) for visit in visits[:-1]] + [self._recorded(visits[-1], score)]
        added = tuple(event for part in parts for event in part.events)
        return replace(parts[-1], added=sum(part.added for part in parts), events=added)

    def _recorded(self, events: list[Event], score: Intent | None) -> Recorded:
        done, place = self._written(events, score)
        self._place = None
        if done is None:
            visitor = place.visitor.cookie if place.visitor is not None else self.sender.visitor
            return Recorded(visitor, place.key, 0)
        tell(done)
        return Recorded(done.session.visitor.cookie, done.session.key, len(done.events), tuple(done.events))

    def _placed(self, at: datetime) -> Place:
        """Where an event of the moment `at` belongs, as it was when first asked."""
        place = self._place
        stands = place is not None and (
            not has_ended(place.session, at) if place.session is not None else at == self._placed_at
        )
        if place is None or not stands:
            place, self._placed_at = find_place(self.sender, at), at
            self._place = place
        return place

    def _written(self, events: list[Event], score: Intent | None) -> tuple[Done | None, Place]:
        """Try until no race is lost: at first without a lock, then under those of all who take part."""
        also: set[int] = set()
        at, now = events[0].occurred_at, self._received or timezone.now()
        locked = False
        for attempt in range(TRIES):
            place = find_place(self.sender, at) if attempt else self._placed(at)
            self.sender = with_pace(self.sender, place.session, events)
            try:
                if not locked and attempt < 2 and goes_on(self.sender, place, events):
                    return self._gone_on(place, events, score, now), place
                with transaction.atomic():
                    done = join(self.sender, events, place, now=now, also=also)
                    if done is not None:
                        self._score(done.session, score)
                return done, place
            except Wider as wider:
                also = wider.visitors
            except IntegrityError:
                if attempt == TRIES - 1:
                    raise
                locked = True  # some of it is stored already: look under the locks which
            except LostRace:
                pass
        raise DatabaseError(f"the session kept changing under {TRIES} tries")

    def _gone_on(self, place: Place, events: list[Event], score: Intent | None, now: datetime) -> Done:
        """One row to write, and the events."""
        session = place.session
        assert session is not None  # noqa: S101 (goes_on says so)
        state = session.read_state()
        for hit in hits_of(events):
            observe(state, hit)
        before = session.sequence
        values: dict[str, Any] = {
            "state": STATE_LAYOUT.dumps(state),
            "last_at": moment(state.last),
            "stage": state.stage,
            "sequence": before + len(events),
        }
        kept = self._kept(session, values["state"], bytes(session.past), score)
        rows = [
            event_row(
                event,
                sender=self.sender,
                visitor=session.visitor_id,
                session=session.pk,
                sequence=before + number,
                now=now,
            )
            for number, event in enumerate(events, start=1)
        ]
        scores = [_score_row(session, kept)] if kept.get("model_id") is not None else []
        if not go_on(session, values | kept, rows, scores):
            raise LostRace
        for name, value in (values | kept | {"version": session.version + 1}).items():
            setattr(session, name, value)
        return Done(session, events, [])

    def _score(self, session: Session, score: Intent | None) -> None:
        """Keep a score of a session that began, or whose events touched more than itself."""
        kept = self._kept(session, bytes(session.state), bytes(session.past), score)
        if kept:
            Session.objects.swap(session, **kept)
            if kept["model_id"] is not None:
                Score.objects.bulk_create([_score_row(session, kept)], ignore_conflicts=True)

    def _kept(self, session: Session, state: bytes, past: bytes, score: Intent | None) -> dict[str, Any]:
        """The columns of a score given for exactly this state; nothing where it was given for another."""
        if (
            score is None
            or score.probability is None
            or score.moment is None
            or self.foreseen != digest_of(state, past)
        ):
            return {}
        if session.scored_at is not None and session.scored_at > score.moment:
            return {}
        return {
            "score": score.probability,
            "band": score.band,
            "model_id": score.model,
            "scored_at": score.moment,
        }


def goes_on(sender: Sender, place: Place, events: Sequence[Event]) -> bool:
    """Whether events touch nothing but their session: they come in order, and nobody's past is read or told."""
    session = place.session
    if session is None or not session.has_news or session.closed_at is not None or not is_current(session):
        return False
    visitor, first = session.visitor, events[0].occurred_at
    if first < session.last_at or visitor.told_at is None or visitor.told_at >= first:
        return False
    if len(events) > AT_ONCE or needs_login(sender, visitor) or needs_label(sender, visitor):
        return False
    return not any(event.name in (EventName.LOGIN, EventName.PURCHASE) for event in events)


def _score_row(session: Session, kept: dict[str, Any]) -> Score:
    return Score(
        session=session,
        model_id=kept["model_id"],
        probability=kept["score"],
        band=kept["band"],
        moment=kept["scored_at"],
    )


def tell(done: Done) -> None:
    """Send the signals, once what they tell of is committed."""
    session = done.session
    has_more = done.began or done.recognised is not None or done.orders
    if not has_more and not signals.events_recorded.has_listeners(Session):
        return

    def send() -> None:
        if done.began:
            signals.session_started.send_robust(Session, session=session)
        if done.recognised is not None:
            signals.visitor_known.send_robust(models.Visitor, visitor=done.recognised, session=session)
        signals.events_recorded.send_robust(Session, session=session, events=done.events)
        for order in done.orders:
            signals.order_recorded.send_robust(models.Order, order=order, session=session)

    transaction.on_commit(send, robust=True)
