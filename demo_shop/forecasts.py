"""Scores of the demo's last days, as its pages would have given them: after each event, from what was known then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from purchase_intent.models import Outcome, Score, Session
from purchase_intent.scoring.keeping import keep_scores
from purchase_intent.scoring.timeline import timeline

__all__ = ["score_history"]


def score_history(since: datetime, *, progress: Callable[[str], None]) -> int:
    """Score people's sessions from `since` on after each event, by the champion, and judge those that have ended.

    Returns how many scores were kept. Each session is done at once, and one that has a score is passed over, so a run
    that was cut short goes on where it stopped.
    """
    waiting = Session.objects.of_people().filter(started_at__gte=since, score=None).order_by("started_at", "pk")
    keys, kept = list(waiting.values_list("pk", flat=True)), 0
    for number, key in enumerate(keys, start=1):
        session = Session.objects.get(pk=key)
        kept += keep_scores((session, moment.intent) for moment in timeline(session))
        if number % 100 == 0 or number == len(keys):
            progress(f"scoring sessions: {number:,} of {len(keys):,}")
    for outcome in (Outcome.BOUGHT, Outcome.LEFT):
        # Every score stands before its session's purchase: what has bought is not asked again.
        Score.objects.waiting().filter(session__outcome=outcome).order_by().update(came_true=outcome == Outcome.BOUGHT)
    return kept
