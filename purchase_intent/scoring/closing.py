"""Sessions that have ended: how they ended is recorded, and what was said of them is compared with it.

A batch of sessions is one short transaction, so that a run that is killed has closed some and left the others. It
waits for nobody: a session that a page is writing goes on, and is left alone. One race is accepted: receivers of
`session_closed` are not told of a batch where the process dies right after the commit; so where there are receivers a
batch is small.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

from django.db import connections, router, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When

from purchase_intent.events import EventName
from purchase_intent.models import Event, Horizon, ModelVersion, Outcome, Score, ScoreQuerySet, Session, Stage
from purchase_intent.models.bulk import listed, note_visits
from purchase_intent.models.session import IDLE
from purchase_intent.signals import session_closed

__all__ = ["Closed", "close_sessions"]

AT_ONCE: Final = 1_000
"""Sessions, or scores, of one transaction."""
AT_ONCE_HEARD: Final = 20
"""The same where the shop has receivers of `session_closed`."""
MOST: Final = 200_000
"""Sessions closed in one run: the next run goes on."""

Progress = Callable[[str], None]


@dataclass
class Closed:
    """What a run did. A busy session went on meanwhile and was left alone."""

    bought: int = 0
    left: int = 0
    busy: int = 0
    judged: int = 0


class _Ended(NamedTuple):
    key: int
    visitor: int
    last: datetime
    stage: int

    @property
    def bought(self) -> bool:
        return self.stage == Stage.BOUGHT


def close_sessions(now: datetime, *, most: int = MOST, progress: Progress | None = None) -> Closed:
    """Close the sessions that have ended by `now`, at most `most`, and judge the scores that waited for them."""
    done = Closed()
    keys = list(Session.objects.idle(now).values_list("pk", flat=True)[:most])
    step = AT_ONCE_HEARD if session_closed.has_listeners(Session) else AT_ONCE
    for begin in range(0, len(keys), step):
        _close(keys[begin : begin + step], now, done)
        if progress is not None:
            progress(f"closing sessions: {min(begin + step, len(keys)):,} of {len(keys):,}")
    done.judged += _judge_late()
    return done


def _close(keys: Sequence[int], now: datetime, done: Closed) -> None:
    # First and on its own: it is true whether or not a session goes on, and so no rows of two tables are held at once.
    visits = Session.objects.filter(pk__in=listed(keys)).order_by("last_at", "pk").values_list("visitor_id", "last_at")
    note_visits(dict(visits))
    with transaction.atomic(using=router.db_for_write(Session)):
        ended = _held(keys, now)
        _record(ended)
        judged = _judge(ended)
        if session_closed.has_listeners(Session):
            transaction.on_commit(partial(_tell, [each.key for each in ended]), using=router.db_for_write(Session))
    bought = sum(each.bought for each in ended)
    done.bought += bought
    done.left += len(ended) - bought
    done.busy += len(keys) - len(ended)
    done.judged += judged


def _held(keys: Sequence[int], now: datetime) -> list[_Ended]:
    """Those of the sessions that have ended and that nobody writes until the transaction ends."""
    alias = router.db_for_write(Session)
    found = Session.objects.using(alias).filter(pk__in=listed(keys)).idle(now).order_by("pk")
    if connections[alias].features.has_select_for_update_skip_locked:
        found = found.select_for_update(skip_locked=True, no_key=True)
    return [_Ended(*row) for row in found.values_list("pk", "visitor_id", "last_at", "stage")]


def _record(ended: Sequence[_Ended]) -> None:
    outcome = Case(When(stage=Stage.BOUGHT, then=Value(Outcome.BOUGHT.value)), default=Value(Outcome.LEFT.value))
    Session.objects.filter(pk__in=listed(each.key for each in ended)).order_by().update(
        closed_at=F("last_at") + IDLE, outcome=outcome, version=F("version") + 1
    )


def _tell(keys: Sequence[int]) -> None:
    for session in Session.objects.filter(pk__in=listed(keys)).order_by("last_at", "pk"):
        session_closed.send_robust(sender=Session, session=session)


def _judge(ended: Sequence[_Ended]) -> int:
    """Compare the waiting scores of closed sessions with how they ended, and of visitors whose next visits they were.

    How many were judged.
    """
    judged = _settle(Score.objects.waiting().filter(session__in=listed(each.key for each in ended)))
    begun = Session.objects.filter(visitor=OuterRef("visitor"), started_at__gt=OuterRef("moment"))
    following = Subquery(begun.order_by("started_at", "pk").values("pk")[:1])
    week = ModelVersion.objects.of(Horizon.WEEK).order_by().values("pk")  # judged when the week is over
    for came_true in (True, False):
        some = [each for each in ended if each.bought == came_true]
        awaited = Score.objects.waiting().filter(visitor__in=listed({each.visitor for each in some}))
        awaited = awaited.exclude(model__in=week)
        awaited = awaited.annotate(following=following).filter(following__in=listed(each.key for each in some))
        judged += awaited.order_by().update(came_true=came_true) if some else 0
    return judged


def _judge_late() -> int:
    """Judge scores of sessions that were closed while the score was being worked out; how many.

    Only scores of open sessions wait beside them, and they have an index of their own.
    """
    late = Score.objects.waiting().of_sessions().filter(session__closed_at__isnull=False)
    judged, after = 0, Q()
    while found := list(late.filter(after).values_list("moment", "pk")[:AT_ONCE]):
        moment, last = found[-1]
        after = Q(moment__gte=moment) & (Q(moment__gt=moment) | Q(pk__gt=last))  # the first half for the index
        judged += _settle(Score.objects.filter(pk__in=listed(key for _, key in found), came_true=None))
        if len(found) < AT_ONCE:
            break
    return judged


def _settle(scores: ScoreQuerySet) -> int:
    """A session's score came true where the session bought after the score's moment."""
    purchase = Event.objects.filter(
        session=OuterRef("session"), name=EventName.PURCHASE.value, occurred_at__gt=OuterRef("moment")
    )
    return scores.order_by().update(came_true=Exists(purchase))
