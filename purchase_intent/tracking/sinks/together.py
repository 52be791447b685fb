"""Many entries recorded in one transaction: those whose events touch nothing but their own session.

They are most: an event that goes on in its session, or the first ones of somebody new. The rest, and whatever somebody
else has written meanwhile, is left to `Journey`, one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

from django.db import IntegrityError, transaction

from purchase_intent.events import Event, EventName
from purchase_intent.features.hit import Hit
from purchase_intent.features.observe import observe
from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT
from purchase_intent.models import Event as Row
from purchase_intent.models import Score, Session, Visitor
from purchase_intent.models.arrivals import Step, add_events, go_on_together
from purchase_intent.models.event import EventRow
from purchase_intent.scoring.live import Circle, hits_of, moment
from purchase_intent.tracking.foreseen import digest_of
from purchase_intent.tracking.joined import Done
from purchase_intent.tracking.place import LONGEST, Place, has_ended, visits_of
from purchase_intent.tracking.recorder import Recorded, goes_on, tell
from purchase_intent.tracking.rows import event_row, in_order, key_of, texts_of
from purchase_intent.tracking.sinks.entry import Entry

__all__ = ["Together", "record_together"]

Scored: TypeAlias = tuple[float, str, int | None, datetime]
"""Probability, band, key of the model version, moment."""

_ME: Final = 1
"""The key of the one visitor, and of the one session, in the circle of somebody new."""


class _Told(NamedTuple):
    """An event, the entry it came in, whether a score was given for what it led to, and its key in the table."""

    event: Event
    entry: Entry
    is_scored: bool
    key: UUID


@dataclass(slots=True)
class _Plan:
    """The entries of one session, by place, and what is to become of it."""

    entries: dict[int, Entry]
    session: Session | None
    told: list[_Told] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)

    @property
    def keys(self) -> list[UUID]:
        """The keys of its events."""
        return [told.key for told in self.told]

    @property
    def first(self) -> Entry:
        return next(iter(self.entries.values()))


class Together(NamedTuple):
    """What became of entries, by their places, and the sessions as they are stored now, in which all of it went."""

    recorded: dict[int, Recorded]
    sessions: list[Session]


def record_together(entries: Sequence[Entry]) -> Together:
    """Record what can be recorded in one transaction; of the rest nothing is said.

    Raises DatabaseError, with nothing written, where the database is gone.
    """
    plans = _planned(entries)
    try:
        with transaction.atomic():
            done = [*_gone_on(plans), *_begun(plans)]
            add_events([row for plan, session in done for row in _rows(plan, session)])
            Score.objects.bulk_create([score for plan, _ in done for score in plan.scores], ignore_conflicts=True)
    except IntegrityError:
        return Together({}, [])  # somebody else was faster with one of them: each by itself, then
    found = {}
    for plan, session in done:
        tell(Done(session, [told.event for told in plan.told], [], began=plan.session is None))
        for place, entry in plan.entries.items():
            found[place] = Recorded(session.visitor.cookie, session.key, len(entry.events), entry.events)
    return Together(found, [session for _, session in done])


def _planned(entries: Sequence[Entry]) -> list[_Plan]:
    """A plan for each session whose entries are simple."""
    groups: dict[tuple[str, str], dict[int, Entry]] = {}
    for place, entry in enumerate(entries):
        groups.setdefault((entry.sender.site, entry.sender.session), {})[place] = entry
    sessions = {
        (row.site, row.key): row
        for row in Session.objects.select_related("visitor").filter(key__in={key for _, key in groups}).order_by()
    }
    plans = [_Plan(group, sessions.get(key)) for key, group in groups.items()]
    plans = [plan for plan in plans if _is_simple(plan)]
    plans = [*(plan for plan in plans if plan.session is not None), *_of_nobody_known(plans)]
    stored = _stored(plans)
    plans = [plan for plan in plans if stored.isdisjoint(plan.keys)]
    hits = iter(hits_of([told.event for plan in plans for told in plan.told]))
    for plan in plans:
        plan.hits = [next(hits) for _ in plan.told]
    return plans


def _is_simple(plan: _Plan) -> bool:
    """Whether its events go on in its session or begin one, and touch nobody else; notes them in their order if so."""
    plan.told = sorted(
        (
            _Told(event, entry, entry.given is not None and number == len(entry.events), key_of(entry.sender, event))
            for entry in plan.entries.values()
            for number, event in enumerate(in_order(entry.events), start=1)
        ),
        key=lambda told: told.event.occurred_at,
    )
    ordered, senders = [told.event for told in plan.told], {entry.sender for entry in plan.entries.values()}
    if not ordered or len(visits_of(ordered)) > 1 or len(set(plan.keys)) < len(ordered):
        return False
    session, channel = plan.session, ordered[0].channel
    if session is None:
        special = (EventName.LOGIN, EventName.PURCHASE)
        if len(senders) > 1 or plan.first.sender.customer or any(event.name in special for event in ordered):
            return False
    else:
        place = Place(session.key, session, session.visitor)
        if has_ended(session, ordered[0].occurred_at) or ordered[-1].occurred_at - session.started_at > LONGEST:
            return False
        if any(sender.visitor != session.visitor.cookie or not goes_on(sender, place, ordered) for sender in senders):
            return False
        channel = session.channel
    plan.told = [
        told if told.event.channel == channel else told._replace(event=replace(told.event, channel=channel))
        for told in plan.told
    ]
    return True


def _of_nobody_known(plans: Sequence[_Plan]) -> Iterator[_Plan]:
    """The plans of visitors who have never been seen, one each."""
    new = [plan for plan in plans if plan.session is None]
    rows = Visitor.objects.filter(cookie__in={plan.first.sender.visitor for plan in new}).order_by()
    known = set(rows.values_list("site", "cookie")) if new else set()
    for plan in new:
        sender = plan.first.sender
        if (sender.site, sender.visitor) not in known:
            known.add((sender.site, sender.visitor))
            yield plan


def _stored(plans: Sequence[_Plan]) -> set[UUID]:
    """Keys of those of the events that are recorded already."""
    keys = [key for plan in plans for key in plan.keys]
    return set(Row.objects.filter(pk__in=keys).order_by().values_list("pk", flat=True)) if keys else set()


def _gone_on(plans: Sequence[_Plan]) -> list[tuple[_Plan, Session]]:
    """Write the sessions that go on; those that nobody else has written meanwhile."""
    mine = [(plan, plan.session) for plan in plans if plan.session is not None]
    steps = [_step(plan, session) for plan, session in mine]
    written = go_on_together(steps)
    done = []
    for (plan, session), step in zip(mine, steps, strict=True):
        if session.pk in written:
            for name, value in (step.values | {"version": session.version + 1}).items():
                setattr(session, name, value)
            done.append((plan, session))
    return done


def _step(plan: _Plan, session: Session) -> Step:
    """What the events make of a session."""
    state, past, scored = session.read_state(), bytes(session.past), None
    for told, hit in zip(plan.told, plan.hits, strict=True):
        observe(state, hit)
        if told.is_scored:
            scored = _kept(plan, session, told.entry, STATE_LAYOUT.dumps(state), past) or scored
    sequence = session.sequence + len(plan.told)
    return Step(session, STATE_LAYOUT.dumps(state), moment(state.last), state.stage, sequence, scored)


def _kept(plan: _Plan, session: Session, entry: Entry, state: bytes, past: bytes) -> Scored | None:
    """The score that an entry's page gave, where it was given for exactly this state; noted as one to be judged."""
    given = entry.given
    if given is None or given.intent.probability is None or given.intent.moment is None:
        return None
    if given.digest != digest_of(state, past) or (session.scored_at and session.scored_at > given.intent.moment):
        return None
    scored = given.intent.probability, given.intent.band, given.intent.model, given.intent.moment
    if scored[2] is not None:
        plan.scores.append(
            Score(session=session, model_id=scored[2], probability=scored[0], band=scored[1], moment=scored[3])
        )
    return scored


def _begun(plans: Sequence[_Plan]) -> list[tuple[_Plan, Session]]:
    """Insert somebody new, and the session. Raises IntegrityError where somebody else was faster."""
    new = [plan for plan in plans if plan.session is None]
    if not new:
        return []
    made = [_made(plan) for plan in new]
    Visitor.objects.bulk_create([session.visitor for session in made])
    for session in made:
        session.visitor_id = session.visitor.pk
    Session.objects.bulk_create(made)
    return list(zip(new, made, strict=True))


def _made(plan: _Plan) -> Session:
    """The rows of somebody new: the same as if each request had been recorded by itself."""
    circle, sender, scored = Circle(), plan.first.sender, None
    first, last = plan.told[0].event, plan.told[-1].event
    session = Session(site=sender.site, key=sender.session, sequence=len(plan.told), **texts_of(first))
    for told, hit in zip(plan.told, plan.hits, strict=True):
        circle.observe(hit, visitor=_ME, session=_ME)
        if told.is_scored:
            state, past = STATE_LAYOUT.dumps(circle.state(_ME)), PAST_LAYOUT.dumps(circle.seen(_ME))
            scored = _kept(plan, session, told.entry, state, past) or scored
    if scored is not None:
        session.score, session.band, session.model_id, session.scored_at = scored
    for name, value in circle.session_values(_ME).items():
        if name != "visitor_id":
            setattr(session, name, value)
    session.visitor = Visitor(
        site=sender.site,
        cookie=sender.visitor,
        first_seen=first.occurred_at,
        last_seen=last.occurred_at,
        told_at=moment(circle.told[_ME]) if _ME in circle.told else None,
        bot=sender.bot,
        bot_reason=sender.bot_reason,
        **circle.visitor_values(_ME),
    )
    return session


def _rows(plan: _Plan, session: Session) -> Iterator[EventRow]:
    """The events as they are stored."""
    before = session.sequence - len(plan.told)
    for number, told in enumerate(plan.told, start=1):
        yield event_row(
            told.event,
            sender=told.entry.sender,
            visitor=session.visitor_id,
            session=session.pk,
            sequence=before + number,
            now=told.entry.received,
            key=told.key,
        )
