"""What is asked of tuning, and the parameters it starts from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning.members import MEMBERS, Params
from purchase_intent.learning.members.base import learner

__all__ = ["Tuning", "chosen_params"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """How much to search: `trials` for each member in all, 0 for none; `budget` in minutes, None for no limit.

    `study` is a file that keeps every finished trial, to go on from; without one a search that is ended is lost.
    Raises TrainingRefused, naming the field, where a value makes no sense.
    """

    trials: int = 0
    budget: float | None = None
    study: Path | None = None

    def __post_init__(self) -> None:
        if self.trials < 0:
            raise TrainingRefused(f"trials: {self.trials} is out of range; give 0 for none, or more", field="trials")
        if self.budget is not None and not 0 < self.budget < math.inf:
            raise TrainingRefused(f"budget: {self.budget} is out of range; give minutes above 0", field="budget")
        for field in ("budget", "study"):
            if getattr(self, field) is not None and not self.trials:
                raise TrainingRefused(f"{field}: there is nothing to tune with no trials; give --trials", field=field)


def chosen_params(
    names: tuple[str, ...], params: Mapping[str, Params] | None = None, *, tuning: Tuning | None = None
) -> dict[str, dict[str, object]]:
    """Parameters by member before any tuning: what the caller gives, over each member's defaults.

    Raises TrainingRefused for a member nobody knows, and MissingExtra where there is tuning to do and no Optuna.
    """
    if tuning is not None and tuning.trials:
        learner("optuna", extra="train")
    if not names or len(set(names)) != len(names):
        raise TrainingRefused("members: name at least one member, and each once", field="members")
    if unknown := sorted({*names, *(params or {})} - set(MEMBERS)):
        raise TrainingRefused(f"members: {unknown} unknown; choose from {', '.join(MEMBERS)}", field="members")
    return {name: {**MEMBERS[name].defaults, **(params or {}).get(name, {})} for name in names}
