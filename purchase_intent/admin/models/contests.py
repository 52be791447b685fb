"""A model against the one that serves, at the desk: what the shadow scores say, and who decided."""

from __future__ import annotations

from typing import Final

from purchase_intent.insights.figures import Table
from purchase_intent.insights.gate import measured
from purchase_intent.insights.words import clock
from purchase_intent.models import ModelChange, ModelVersion, Status
from purchase_intent.scoring.duel import Duel, duel

__all__ = ["duel_of", "duel_table", "trail"]

LATEST: Final = 20
"""Changes shown."""


def duel_of(version: ModelVersion) -> Duel | None:
    """The contest that a version is part of as champion or challenger; None where there is none."""
    if version.status not in (Status.CHAMPION, Status.CHALLENGER):
        return None
    of_horizon = ModelVersion.objects.of(version.horizon)
    champion, challenger = of_horizon.champions().first(), of_horizon.challengers().first()
    return duel(champion, challenger) if champion is not None and challenger is not None else None


def duel_table(contest: Duel) -> Table | None:
    """The figures of a contest; None where there are none yet."""
    rows = {name: each.to_json() for name, each in contest.differences.items()}
    if not rows:
        return None
    caption = (
        f"The latest {contest.moments:,} moments that both scored and whose outcome is known, of "
        f"{contest.subjects:,} {'sessions' if contest.champion.horizon == 'session' else 'customers'}, "
        f"{contest.buyers:,} of which bought"
    )
    return measured(
        caption, f"champion, model {contest.champion.pk}", rows, f"challenger, model {contest.challenger.pk}"
    )


def trail(horizon: str) -> list[tuple[str, str, str, str]]:
    """The latest changes of a horizon: when, what, who, and why."""
    changes = ModelChange.objects.of(horizon).select_related("version", "before")[:LATEST]
    return [(clock(each.at), _change(each), each.who, each.why) for each in changes]


def _change(change: ModelChange) -> str:
    instead = f" in place of model {change.before_id}" if change.before_id is not None else ""
    return f"{change.get_kind_display().capitalize()}: model {change.version_id}{instead}"
