"""Visitors in whose browser the shop's script never ran, and who walk the shelves at an even trot: labelled at night.

No one signal would do: people have scripts blocked, and some are quick. It is judged only where the script runs for
most visitors, so that a shop that does not use it labels nobody.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import F

from purchase_intent.models import Session, Stage, Visitor

__all__ = ["label_scriptless"]

WITHIN: Final = timedelta(days=2)
"""How far back sessions are looked at: a night that was missed is made up for."""
LEAST: Final = 20
"""Events of a session."""
TROT: Final = 5.0
"""Seconds from one event to the next, at the mean."""
USUAL: Final = 0.5
"""Share of the visitors with whom the script has to have run."""


def label_scriptless(now: datetime) -> int:
    """Label anonymous visitors of the last days; how many. Whoever has put something into a basket is none of them."""
    recent = Visitor.objects.people().seen_since(now - WITHIN)
    share = _share(recent.filter(scripted_at__isnull=False).count(), recent.count())
    if share < USUAL:
        return 0
    sessions = Session.objects.filter(
        last_at__gte=now - WITHIN,
        last_at__lt=now,
        sequence__gte=LEAST,
        stage__lte=Stage.PRODUCT,
        visitor__bot="",
        visitor__known=False,
        visitor__scripted_at=None,
    ).annotate(lasted=F("last_at") - F("started_at"))
    labelled = 0
    for visitor, events, lasted in sessions.order_by().values_list("visitor_id", "sequence", "lasted").iterator():
        if lasted.total_seconds() > events * TROT:
            continue
        seconds = lasted.total_seconds()
        reason = f"{events} events within {seconds:.0f} seconds, and no script, which runs for {share:.0%} of visitors"
        labelled += Visitor.objects.filter(pk=visitor, bot="").update(bot="scriptless", bot_reason=reason)
    return labelled


def _share(some: int, all_of_them: int) -> float:
    return some / all_of_them if all_of_them else 0.0
