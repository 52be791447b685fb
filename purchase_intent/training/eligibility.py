"""Whether a shop's stored history is enough to learn from, asked before any work is done.

Below these figures a model could be fitted, but nobody could tell it from chance, and the cold-start rules serve
better: they are labelled as rules.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import QuerySet

from purchase_intent.conf import config
from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning import enough
from purchase_intent.models import Session, Stage
from purchase_intent.training.checks import Finding

__all__ = ["Shortfall", "refuse_too_little", "shortfalls"]

RECENT: Final = timedelta(days=28)
"""The rate of a shop is that of its last four weeks: each weekday four times."""
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What is missing: how much there is and how much is needed, and when that is likely to be reached, or None."""

    name: str
    have: int
    needed: int
    by: date | None

    def __str__(self) -> str:
        when = (
            f"expected about {self.by.isoformat()}"
            if self.by is not None
            else f"no date can be told, for there was none in the last {RECENT.days} days"
        )
        return f"{self.have:,} {self.name} of {self.needed:,} ({when})"


def shortfalls(horizon: str, *, now: datetime, until: datetime | None = None) -> list[Shortfall]:
    """What the stored history lacks for a horizon, as known at `until`; nothing where it suffices.

    Counts stop at what is needed, so the answer costs as little in a shop with millions of sessions. The dates are
    those of the shop's clock, at the rate of its last 28 days before `now`.
    """
    known = Session.objects.of_people().order_by()
    if until is not None:
        known = known.filter(started_at__lt=until)
    needed = enough.ENOUGH[horizon]
    groups = {"sessions": known, "buying sessions": known.filter(stage=Stage.BOUGHT)}
    begin = known.order_by("last_at", "id").values_list("started_at", flat=True).first()
    found = [
        _shortfall(name, group, needed[name], begin, now)
        for name, group in groups.items()
        if _lacks(group, needed[name])
    ]
    end = known.order_by("-last_at", "-id").values_list("last_at", flat=True).first()
    days = (end - begin) // DAY if begin is not None and end is not None else 0
    if days < needed["days"]:
        soonest = now + (needed["days"] - days) * DAY
        found.append(Shortfall("days", days, needed["days"], soonest.astimezone(config().time_zone).date()))
    return found


def refuse_too_little(
    *, horizon: str, now: datetime, until: datetime | None = None, force: bool = False
) -> list[Finding]:
    """Raise TrainingRefused, naming each shortfall, where the stored history is too little to learn from.

    With `force` the finding is answered instead, for the gate; empty where the history suffices. A shop without any
    session is left to the reading of the log, which says how to begin.
    """
    found = shortfalls(horizon, now=now, until=until) if Session.objects.exists() else []
    if not found:
        return []
    said = f"Too little to learn from yet: {'; '.join(map(str, found))}"
    if force:
        return [Finding("too_little", said)]
    raise TrainingRefused(
        f"{said}. Nothing was trained; until a model serves, the cold-start rules answer, labelled as rules.",
        shortfalls=[(each.name, each.have, each.needed) for each in found],
    )


def _lacks(group: QuerySet[Session], needed: int) -> bool:
    return group[:needed].count() < needed


def _shortfall(name: str, group: QuerySet[Session], needed: int, begin: datetime | None, now: datetime) -> Shortfall:
    have = group[:needed].count()
    recent = group.filter(last_at__gt=now - RECENT, last_at__lte=now).count()
    if not recent or begin is None:
        return Shortfall(name, have, needed, None)
    span = max(min(RECENT, now - begin), DAY)
    days = math.ceil((needed - have) * (span / DAY) / recent)
    return Shortfall(name, have, needed, (now + days * DAY).astimezone(config().time_zone).date())
