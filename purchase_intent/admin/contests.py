"""A model against the one that serves, at the desk: what the gate measured, what the shadow scores say, who decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from purchase_intent.admin.figures import Table, numbers, within
from purchase_intent.admin.saying import clock
from purchase_intent.models import ModelChange, ModelVersion, Status
from purchase_intent.scoring.duel import Duel, duel

__all__ = ["duel_of", "duel_table", "gate_tables", "trail"]

LATEST: Final = 20
"""Changes shown."""
_MEASURES: Final = {
    "average_precision": "average precision (higher is better)",
    "log_loss": "log-loss (lower is better)",
    "brier": "Brier score (lower is better)",
}
_CALIBRATION: Final = {"slope": "slope (1 is right)", "intercept": "intercept, in log-odds (0 is right)"}


def gate_tables(version: ModelVersion) -> list[Table]:
    """What the gate compared and how the calibration held, from the stored figures; nothing where it did not."""
    gate = within(version.figures, "gate")
    measures = {name: row for name in _MEASURES if len(row := numbers(gate, "measures", name)) == 5}
    holds = numbers(gate, "calibration")
    found = []
    if measures:
        against = f"model {gate.get('against')}"
        caption = (
            f"Against {against}, on {gate.get('sessions')} sessions that neither had learnt from, {gate.get('buyers')} "
            "of which bought"
        )
        found.append(_measured(caption, against, measures))
    rows = [
        (said, f"{holds[name]:.2f}", f"{holds[f'{name}_low']:.2f} to {holds[f'{name}_high']:.2f}")
        for name, said in _CALIBRATION.items()
        if {name, f"{name}_low", f"{name}_high"} <= holds.keys()
    ]
    if {"ece", "ece_by_chance"} <= holds.keys():
        rows.append(("calibration error", f"{holds['ece']:.4f}", f"0 to {holds['ece_by_chance']:.4f} by chance alone"))
    if rows:
        found.append(Table("How its probabilities held on those sessions", ("", "found", "95% interval"), tuple(rows)))
    return found


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
        f"{contest.subjects:,} {'sessions' if contest.champion.horizon == 'session' else 'visitors'}, "
        f"{contest.buyers:,} of which bought"
    )
    return _measured(
        caption, f"champion, model {contest.champion.pk}", rows, f"challenger, model {contest.challenger.pk}"
    )


def trail(horizon: str) -> list[tuple[str, str, str, str]]:
    """The latest changes of a horizon: when, what, who, and why."""
    changes = ModelChange.objects.of(horizon).select_related("version", "before")[:LATEST]
    return [(clock(each.at), _change(each), each.who, each.why) for each in changes]


def _change(change: ModelChange) -> str:
    instead = f" in place of model {change.before_id}" if change.before_id is not None else ""
    return f"{change.get_kind_display().capitalize()}: model {change.version_id}{instead}"


def _measured(caption: str, first: str, rows: Mapping[str, Mapping[str, Any]], second: str = "this model") -> Table:
    return Table(
        caption,
        ("measure", first, second, "better by", "95% interval"),
        tuple(
            (
                _MEASURES[name],
                f"{row['first']:.4f}",
                f"{row['second']:.4f}",
                f"{row['gain']:+.4f}",
                f"{row['low']:+.4f} to {row['high']:+.4f}",
            )
            for name, row in rows.items()
        ),
    )
