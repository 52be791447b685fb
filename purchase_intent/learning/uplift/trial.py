"""What an experiment leaves to learn from: who was given the treatment, and what they did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning.table import Codes, Column, Labels, Sample, Table

__all__ = ["LEAST", "Trial", "refuse_small"]

LEAST: Final[Mapping[str, int]] = {"units": 500, "with the outcome": 100, "without the outcome": 100}
"""What each arm needs. With 100 outcomes an arm's rate is known to a tenth; a difference of it between visitors is
known far less well, so that below there is nothing to rank by."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Units of a randomised experiment with two arms, one row a unit.

    `table` holds what was known when each unit was exposed; `treated` uint8 [n]: 1 with the treatment; `labels` uint8
    [n]: 1 with the outcome; `times` int64 [n]: when it was exposed [ms since 1970 UTC]. `chance` float64 [n]: how
    likely the unit was to be treated, where that changed on the way, as under a bandit; the share of the treated where
    None. Raises TrainingRefused, naming the field, where one does not fit.
    """

    table: Table
    treated: Labels
    labels: Labels
    times: Codes
    chance: Column | None = None

    def __post_init__(self) -> None:
        for name in ("treated", "labels", "times", *(() if self.chance is None else ("chance",))):
            if np.shape(getattr(self, name)) != (len(self.table),):
                raise TrainingRefused(
                    f"{name}: shape {np.shape(getattr(self, name))} for {len(self.table)} units; give one value a unit",
                    field=name,
                )
        for name in ("treated", "labels"):
            if not np.isin(getattr(self, name), (0, 1)).all():
                raise TrainingRefused(f"{name}: 0 or 1 for each unit", field=name)
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.uint8))
        if self.chance is not None and not ((self.chance > 0) & (self.chance < 1)).all():
            raise TrainingRefused("chance: more than 0 and less than 1 for each unit", field="chance")
        object.__setattr__(self, "times", np.asarray(self.times, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.table)

    @property
    def share(self) -> float:
        """The share of the treated."""
        return float(self.treated.mean())

    def weights(self) -> Column:
        """How much each unit counts so that both arms stand for the same population, with a mean of 1.

        One over the chance of the arm it got (Horvitz and Thompson 1952); 1 where that chance never changed.
        """
        if self.chance is None:
            return np.ones(len(self))
        weights = 1 / np.where(self.treated == 1, self.chance, 1 - self.chance)
        return np.asarray(weights / weights.mean())

    def pseudo_effects(self) -> Column:
        """For each unit a number whose expectation is its effect, float64 [n] (the transformed outcome)."""
        chance = np.full(len(self), self.share) if self.chance is None else self.chance
        return np.asarray(self.labels * np.where(self.treated == 1, 1 / chance, -1 / (1 - chance)))

    def take(self, rows: NDArray[Any]) -> Trial:
        """The units picked by an index array or a mask."""
        chance = None if self.chance is None else self.chance[rows]
        return Trial(self.table.take(rows), self.treated[rows], self.labels[rows], self.times[rows], chance)

    def with_table(self, table: Table) -> Trial:
        """The same units with other columns."""
        return replace(self, table=table)

    def as_sample(self) -> Sample:
        """The units as cases, each a session of its own."""
        return Sample(self.table, self.labels, np.ones(len(self)), np.arange(len(self)), self.times)


def refuse_small(trial: Trial) -> None:
    """Raise TrainingRefused, with the shortfall of each arm, where there is too little to learn effects from."""
    short = []
    for arm, name in ((0, "control"), (1, "treated")):
        labels = trial.labels[trial.treated == arm]
        found = {"units": len(labels), "with the outcome": int(labels.sum())}
        found["without the outcome"] = found["units"] - found["with the outcome"]
        short += [
            f"{name}: {found[what]:,} {what}, {least:,} needed" for what, least in LEAST.items() if found[what] < least
        ]
    if short:
        raise TrainingRefused(
            f"too few outcomes to learn who is moved ({'; '.join(short)}): let the experiment run on", field="trial"
        )
