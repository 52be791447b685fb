"""Many scores at once: of the open sessions, every minute, and of the recent visitors, every night."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import groupby
from typing import Final

from django.db.models import F, OuterRef, Q, Subquery

from purchase_intent.conf import config
from purchase_intent.events import Event, EventName, Page
from purchase_intent.features.encode import encode
from purchase_intent.features.observe import observe
from purchase_intent.features.past import tell
from purchase_intent.features.state import Past, State
from purchase_intent.models import CatalogueDay, Score, Session, Stage, Visitor
from purchase_intent.models.session import IDLE
from purchase_intent.scoring.answer import Intent
from purchase_intent.scoring.keeping import keep_scores
from purchase_intent.scoring.score import answers

__all__ = ["RECENT", "night_of", "score_sessions", "score_visitors"]

AT_ONCE: Final = 500
"""Rows scored, and written, together."""
MOST: Final = 10_000
"""Sessions scored in one run: the next run goes on with those that have waited longest."""
RECENT: Final = timedelta(days=90)
"""Visitors seen within this time have a score of their own."""
NIGHT: Final = time(3)
"""On the shop's clock: the moment as of which a night's scores are."""

Progress = Callable[[str], None]


def score_sessions(now: datetime, *, most: int = MOST, progress: Progress | None = None) -> int:
    """Score the open sessions of people that have gone on since their latest score; how many got one.

    The score is as of the session's last event, so a second run finds nothing to do.
    """
    waiting = (
        Session.objects.open()
        .of_people()
        .filter(Q(scored_at=None) | Q(scored_at__lt=F("last_at")), last_at__gte=now - IDLE)
        .exclude(stage=Stage.BOUGHT)
        .order_by("last_at", "pk")
    )
    keys, kept = list(waiting.values_list("pk", flat=True)[:most]), 0
    for begin in range(0, len(keys), AT_ONCE):
        sessions = list(Session.objects.open().filter(pk__in=keys[begin : begin + AT_ONCE]).order_by("pk"))
        pairs = [(session.read_state(), session.read_past()) for session in sessions]
        found = answers(pairs, at=[session.last_at for session in sessions])
        kept += keep_scores(zip(sessions, found, strict=True))
        if progress is not None:
            progress(f"scoring sessions: {begin + len(sessions):,} of {len(keys):,}")
    return kept


def night_of(now: datetime) -> datetime:
    """The latest three o'clock in the morning on the shop's clock, in UTC."""
    zone = config().time_zone
    day = now.astimezone(zone).date()
    moments = (datetime.combine(day - timedelta(days=back), NIGHT, zone).astimezone(UTC) for back in range(3))
    return next(moment for moment in moments if moment <= now)


def score_visitors(night: datetime, *, progress: Progress | None = None) -> int:
    """The chance that the next visit of each recent visitor buys, as of the moment `night`; how many got one.

    As if the visitor came to the home page at that moment, by the way and with the device of the latest visit. Who
    has come since is left out until the next night. A visitor scored as of this night is not scored again, so a run
    that was killed goes on where it was.
    """
    waiting = (
        Visitor.objects.people()
        .seen_since(night - RECENT)
        .filter(Q(scored_at=None) | Q(scored_at__lt=night), first_seen__lte=night)
    )
    facts = CatalogueDay.objects.facts(night.astimezone(config().time_zone).date())
    kept = last = 0
    while found := list(waiting.filter(pk__gt=last).order_by("pk")[:AT_ONCE]):
        last = found[-1].pk
        visitors = _away_since(night, found)
        pasts, latest = _pasts(visitors), _latest(visitors)
        pairs = [(_arrival(each, latest.get(each.pk), night, facts), pasts[each.pk]) for each in visitors]
        kept += _keep(visitors, answers(pairs, at=[night] * len(pairs)), night)
        if progress is not None:
            progress(f"scoring visitors: {kept:,}")
    return kept


def _away_since(night: datetime, visitors: Sequence[Visitor]) -> list[Visitor]:
    """Those who have begun no session after the moment `night`.

    Asked of a few at a time: in the query of all who wait, PostgreSQL reads every session for each few.
    """
    come = Session.objects.filter(visitor__in=visitors, last_at__gt=night, started_at__gt=night).order_by()
    back = set(come.values_list("visitor_id", flat=True))
    return [each for each in visitors if each.pk not in back]


def _latest(visitors: Sequence[Visitor]) -> dict[int, Session]:
    """Each visitor's latest session, by the visitor's key."""
    newest = Session.objects.filter(visitor=OuterRef("pk")).order_by("-last_at", "-pk").values("pk")[:1]
    keys = Visitor.objects.filter(pk__in=[each.pk for each in visitors]).values_list(Subquery(newest), flat=True)
    shown = Session.objects.filter(pk__in=[key for key in keys if key is not None])
    return {session.visitor_id: session for session in shown.defer("state", "past")}


def _pasts(visitors: Sequence[Visitor]) -> dict[int, Past]:
    """What each visitor's next session would read, by the visitor's key: the past with the news told, on copies."""
    pasts = {visitor.pk: visitor.read_past() for visitor in visitors}
    told = Session.objects.filter(visitor__in=visitors, has_news=True)
    for owner, sessions in groupby(
        told.order_by("visitor_id", "last_at", "started_at", "pk"), key=lambda session: session.visitor_id
    ):
        for session in sessions:
            state = session.read_state()
            if state.events:  # a state of an earlier layout reads as blank and has nothing to tell
                tell(pasts[owner], state)
    return pasts


def _arrival(visitor: Visitor, latest: Session | None, night: datetime, facts: dict[str, int]) -> State:
    """The state of a visitor's next session after its first page."""
    event = Event(
        event_id="next",
        name=EventName.PAGE_VIEW,
        occurred_at=night,
        visitor=visitor.cookie,
        page=Page.HOME,
        device=latest.device if latest else "",
        channel=latest.channel if latest else "",
        country=latest.country if latest else "",
    )
    state = State()
    observe(state, encode(event, zone=config().time_zone, facts=facts))
    return state


def _keep(visitors: Sequence[Visitor], found: Sequence[Intent], night: datetime) -> int:
    """Write the rows to be judged, then the visitors: who has no `scored_at` yet is scored again."""
    scored = [
        (visitor, intent, intent.probability)
        for visitor, intent in zip(visitors, found, strict=True)
        if intent.probability is not None
    ]
    Score.objects.bulk_create(
        [
            Score(visitor=visitor, model_id=intent.model, probability=probability, band=intent.band, moment=night)
            for visitor, intent, probability in scored
            if intent.model is not None
        ],
        ignore_conflicts=True,
    )
    for visitor, intent, probability in scored:
        # One by one: pages write visitors too, and nobody waits for five hundred rows.
        Visitor.objects.filter(pk=visitor.pk).exclude(scored_at__gt=night).update(
            score=probability, band=intent.band, scored_at=night
        )
    return len(scored)
