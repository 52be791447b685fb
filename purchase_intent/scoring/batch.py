"""The open sessions scored, every minute: read a page at a time, scored as one matrix, written in bulk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from django.db.models import F, Q

from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT
from purchase_intent.models import Session, SessionQuerySet, Stage
from purchase_intent.models.bulk import instant, write_said
from purchase_intent.models.copied import Kind, columns
from purchase_intent.models.session import IDLE
from purchase_intent.scoring.columns import Part, Rows, say
from purchase_intent.scoring.shadow import shadows

__all__ = ["score_sessions"]

PAGE: Final = 5_000
"""Rows in memory, at some three kilobytes each, and of one call of the learners."""
MOST: Final = 200_000
"""Sessions scored in one run: the next run goes on with those that have waited longest."""

_READ: Final[Mapping[str, Kind]] = {"pk": int, "last_at": datetime, "state": STATE_LAYOUT, "past": PAST_LAYOUT}

Progress = Callable[[str], None]


def score_sessions(
    now: datetime, *, most: int = MOST, part: Part | None = None, progress: Progress | None = None
) -> int:
    """Score the open sessions of people that have gone on since their latest score; how many got one.

    The score is as of the session's last event, so a second run finds nothing to do. A session that a page is writing
    is left to the next run: it is about to go on.
    """
    waiting = (
        Session.objects.open()
        .of_people()
        .filter(Q(scored_at=None) | Q(scored_at__lt=F("last_at")), last_at__gte=now - IDLE)
        .exclude(stage=Stage.BOUGHT)
        .order_by("last_at", "pk")
    )
    if part is not None:
        waiting = waiting.filter(pk__gte=part.first, pk__lte=part.last)
    seen = kept = 0
    after = Q()
    while seen < most and len(rows := _page(waiting.filter(after)[: min(PAGE, most - seen)])):
        last = instant(int(rows.moments[-1]))
        # The first half says nothing new, but it is what an index can start from.
        after = Q(last_at__gte=last) & (Q(last_at__gt=last) | Q(pk__gt=int(rows.keys[-1])))
        seen += len(rows)
        kept += _write(rows)
        if progress is not None:
            progress(f"scoring sessions: {seen:,}")
    return kept


def _page(sessions: SessionQuerySet) -> Rows:
    """What scoring needs of some sessions, in their order."""
    found = columns(sessions, _READ)
    return Rows(keys=found["pk"], states=found["state"], pasts=found["past"], moments=found["last_at"])


def _write(rows: Rows) -> int:
    """Score and write; how many rows got a score."""
    said = say(rows)
    free = write_said(Session, rows.keys, rows.moments, [said, *shadows(rows, said)])
    return int((free & said.given).sum())
