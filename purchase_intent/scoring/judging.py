"""Scores of the week compared with what then happened, once the seven days are over.

An order counts for the visitor that placed it, and for the anonymous one whose session it was before a login.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, Min

from purchase_intent.models import Event, Horizon, ModelVersion, Order, Score

__all__ = ["WEEK", "judge_weeks"]

WEEK: Final = timedelta(days=7)
AT_ONCE: Final = 500

Progress = Callable[[str], None]
Waiting = Sequence[tuple[int, int, datetime]]


def judge_weeks(now: datetime, *, progress: Progress | None = None) -> int:
    """Judge the scores whose seven days are over by `now`; how many. A run that was killed goes on where it was."""
    models = list(ModelVersion.objects.of(Horizon.WEEK).values_list("pk", flat=True))
    waiting = Score.objects.waiting().filter(model__in=models, visitor__isnull=False, moment__lte=now - WEEK)
    judged = 0
    while found := list(waiting.values_list("pk", "visitor_id", "moment")[:AT_ONCE]):
        came_true = _bought(found)
        mine = Score.objects.filter(pk__in=[pk for pk, _, _ in found], came_true=None).order_by()
        mine.filter(pk__in=came_true).update(came_true=True)
        mine.exclude(pk__in=came_true).update(came_true=False)
        judged += len(found)
        if progress is not None:
            progress(f"judging scores of the week: {judged:,}")
    return judged


def _bought(waiting: Waiting) -> list[int]:
    """The scores whose visitor ordered within seven days after the moment."""
    visitors = {visitor for _, visitor, _ in waiting}
    begin, end = min(moment for *_, moment in waiting), max(moment for *_, moment in waiting) + WEEK
    orders = Order.objects.filter(placed_at__gt=begin, placed_at__lte=end).order_by()
    placed: defaultdict[int, list[datetime]] = defaultdict(list)
    for visitor, at in orders.filter(visitor__in=visitors).values_list("visitor_id", "placed_at"):
        placed[visitor].append(at)
    left = (
        Event.objects.filter(visitor__in=visitors, occurred_at__lte=end, session__last_at__gt=begin)
        .exclude(session__visitor=F("visitor"))
        .order_by()
        .values_list("visitor_id", "session_id")
        .annotate(first=Min("occurred_at"))
    )
    gone_on = list(left)
    by_session = orders.filter(session__in={session for _, session, _ in gone_on}).values_list(
        "session_id", "placed_at"
    )
    of_session: defaultdict[int | None, list[datetime]] = defaultdict(list)
    for session, at in by_session:
        of_session[session].append(at)
    for visitor, session, first in gone_on:
        placed[visitor] += [at for at in of_session[session] if at >= first]
    return [pk for pk, visitor, moment in waiting if any(moment < at <= moment + WEEK for at in placed[visitor])]
