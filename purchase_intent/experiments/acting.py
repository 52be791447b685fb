"""Winners shipped and losers rolled back without anybody's doing: opt-in, and only under the sequential rule."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.design import Design
from purchase_intent.experiments.editing import stop_experiment
from purchase_intent.experiments.results import Result
from purchase_intent.models import Experiment, ExperimentState
from purchase_intent.stats.verdict import Verdict

__all__ = ["AUTOMATIC", "act_on"]

AUTOMATIC: Final = "automatic"
"""Who did it, on record."""


def act_on(experiment: Experiment, result: Result, *, now: datetime) -> bool:
    """End a running experiment as its verdict says, where it was decided beforehand that it may; whether that was done.

    A verdict of SHIP or ROLL BACK is never given but under the sequential rule. What a planned look came to before, and
    what stands, is acted on as well: that it may end by itself can be decided after that look. Done once: what was
    stopped meanwhile stays as it is.
    """
    design, (verdict, arm) = Design.from_json(experiment.design), _concluded(result)
    ships = design.ships and verdict == Verdict.SHIP
    if experiment.state != ExperimentState.RUNNING:
        return False
    if not ships and not (design.rolls_back and verdict == Verdict.ROLL_BACK):
        return False
    try:
        stop_experiment(
            experiment,
            shipped=arm if ships else "",
            who=AUTOMATIC,
            now=now,
            why=f"{verdict}: {' '.join(result.reasons)}",
        )
    except ExperimentRefused as refused:
        if refused.reason != "state":
            raise
        return False
    return True


def _concluded(result: Result) -> tuple[str, str]:
    """The verdict to act on with the arm to ship: this look's, or of a HOLD in between that which stands.

    Not where this look finds worse what that one would have shipped.
    """
    if result.verdict != Verdict.HOLD or result.stands is None or result.stands.arm in result.rolled_back:
        return result.verdict, result.arm
    return result.stands.verdict, result.stands.arm
