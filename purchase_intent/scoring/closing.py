"""Sessions that have ended: how they ended is recorded, and what was said of them is compared with it.

Each session is one transaction of its own, so that a run that is killed has closed some and left the others, and so
that it waits for nobody. One race is accepted: a receiver of `session_closed` is not told where the process dies right
after the commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from purchase_intent.events import EventName
from purchase_intent.models import Event, Outcome, Score, Session, Stage, Visitor
from purchase_intent.models.session import IDLE
from purchase_intent.signals import session_closed

__all__ = ["Closed", "close_sessions"]

AT_ONCE: Final = 500
"""Sessions, or scores, held in memory."""
MOST: Final = 20_000
"""Sessions closed in one run: the next run goes on."""
LATE: Final = timedelta(days=2)
"""How long after its moment a score that was written too late for its session's end is still looked for."""

Progress = Callable[[str], None]


@dataclass
class Closed:
    """What a run did. A busy session went on meanwhile and was left alone."""

    bought: int = 0
    left: int = 0
    busy: int = 0
    judged: int = 0


def close_sessions(now: datetime, *, most: int = MOST, progress: Progress | None = None) -> Closed:
    """Close the sessions that have ended by `now`, at most `most`, and judge the scores that waited for them."""
    done = Closed()
    keys = list(Session.objects.idle(now).values_list("pk", flat=True)[:most])
    for begin in range(0, len(keys), AT_ONCE):
        found = Session.objects.filter(pk__in=keys[begin : begin + AT_ONCE]).idle(now)
        for session in found.defer("state", "past"):
            _close(session, done)
        if progress is not None:
            progress(f"closing sessions: {min(begin + AT_ONCE, len(keys)):,} of {len(keys):,}")
    done.judged += _judge_late(now)
    return done


def _close(session: Session, done: Closed) -> None:
    # First and on its own: it is true whether or not the session goes on, and so no two rows are locked at once.
    Visitor.objects.filter(pk=session.visitor_id, last_seen__lt=session.last_at).update(last_seen=session.last_at)
    bought = session.stage == Stage.BOUGHT
    outcome = Outcome.BOUGHT if bought else Outcome.LEFT
    with transaction.atomic():
        if not Session.objects.swap(session, closed_at=session.last_at + IDLE, outcome=outcome.value):
            done.busy += 1
            return
        done.judged += _judge(session)
        transaction.on_commit(partial(session_closed.send_robust, sender=Session, session=session))
    done.bought += bought
    done.left += not bought


def _judge(session: Session) -> int:
    """Compare the waiting scores of a closed session, and of its visitor's next visit if this was it; how many."""
    own = _settle(Score.objects.waiting().filter(session=session).values_list("pk", flat=True))
    earlier = Session.objects.filter(visitor=session.visitor_id, started_at__gt=OuterRef("moment")).filter(
        Q(started_at__lt=session.started_at) | Q(started_at=session.started_at, pk__lt=session.pk)
    )
    awaited = Score.objects.waiting().filter(visitor=session.visitor_id, moment__lt=session.started_at)
    return own + awaited.filter(~Exists(earlier)).order_by().update(came_true=session.outcome == Outcome.BOUGHT)


def _judge_late(now: datetime) -> int:
    """Judge scores of sessions that were closed while the score was being worked out; how many."""
    late = Score.objects.waiting().filter(session__closed_at__isnull=False, moment__gte=now - LATE)
    judged = 0
    while found := list(late.values_list("pk", flat=True)[:AT_ONCE]):
        judged += _settle(found)
    return judged


def _settle(scores: Iterable[int]) -> int:
    """A session's score came true where the session bought after the score's moment."""
    purchase = Event.objects.filter(
        session=OuterRef("session"), name=EventName.PURCHASE.value, occurred_at__gt=OuterRef("moment")
    )
    keys = list(scores)
    return (
        Score.objects.filter(pk__in=keys, came_true=None).order_by().update(came_true=Exists(purchase)) if keys else 0
    )
