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

    A verdict of SHIP or ROLL BACK is never given but under the sequential rule. Done once: what was stopped meanwhile
    stays as it is.
    """
    design = Design.from_json(experiment.design)
    ships = design.ships and result.verdict == Verdict.SHIP
    if experiment.state != ExperimentState.RUNNING:
        return False
    if not ships and not (design.rolls_back and result.verdict == Verdict.ROLL_BACK):
        return False
    try:
        stop_experiment(
            experiment,
            shipped=result.arm if ships else "",
            who=AUTOMATIC,
            now=now,
            why=f"{result.verdict}: {' '.join(result.reasons)}",
        )
    except ExperimentRefused as refused:
        if refused.reason != "state":
            raise
        return False
    return True
