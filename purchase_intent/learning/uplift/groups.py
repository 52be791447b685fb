"""Four kinds of visitors by what an offer does to them, and what the experiment measured of each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from math import sqrt
from typing import Any

import numpy as np

from purchase_intent.learning.intervals import wilson
from purchase_intent.learning.table import Column
from purchase_intent.learning.uplift.model import Effects
from purchase_intent.learning.uplift.trial import Trial

__all__ = ["Cuts", "Group", "GroupFigures", "measured_groups"]


class Group(StrEnum):
    """What the treatment does to a visitor."""

    PERSUADABLE = "persuadable"
    """Buys because of it."""
    SURE = "sure"
    """Buys without it."""
    LOST = "lost"
    """Does not buy with it either."""
    PUT_OFF = "put_off"
    """Buys less because of it."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """Persuadable from an uplift of `gain` on, put off from `-gain` down; of the rest, sure from `chance` on."""

    gain: float
    chance: float

    @classmethod
    def of(cls, effects: Effects) -> Cuts:
        """Half of the average size of the effects: less than that counts as none. The average chance parts the rest."""
        return cls(float(np.abs(effects.uplift).mean()) / 2, float(effects.chance.mean()))

    def group(self, chance: float, uplift: float) -> Group:
        """The group of one visitor."""
        if abs(uplift) >= self.gain and uplift:
            return Group.PERSUADABLE if uplift > 0 else Group.PUT_OFF
        return Group.SURE if chance >= self.chance else Group.LOST

    def masks(self, effects: Effects) -> dict[Group, Any]:
        """Which rows are of each group."""
        moved = (np.abs(effects.uplift) >= self.gain) & (effects.uplift != 0)
        up, likely = effects.uplift > 0, effects.chance >= self.chance
        return {
            Group.PERSUADABLE: moved & up,
            Group.SURE: ~moved & likely,
            Group.LOST: ~moved & ~likely,
            Group.PUT_OFF: moved & ~up,
        }


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """What the experiment measured of a group: units, rates in both arms, their difference with a 95% interval."""

    group: Group
    units: int
    share: float
    control_rate: float
    treated_rate: float
    uplift: float
    low: float
    high: float
    predicted: float

    def as_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self) | {"group": self.group.value}


def measured_groups(effects: Effects, trial: Trial, cuts: Cuts) -> tuple[GroupFigures, ...]:
    """The four groups as measured; `effects` are those of models that had not learnt from the units."""
    return tuple(_measured(group, mask, effects.uplift, trial) for group, mask in cuts.masks(effects).items())


def _measured(group: Group, mask: Any, uplift: Column, trial: Trial) -> GroupFigures:
    weights = trial.weights()
    rates, ends = [], []
    for arm in (0, 1):
        rows = mask & (trial.treated == arm)
        counted = float(weights[rows].sum())
        rate = float((weights[rows] * trial.labels[rows]).sum() / counted) if counted else 0.0
        # Of weighted units, as many as would say as much (Kish 1965).
        units = counted * counted / float((weights[rows] ** 2).sum()) if counted else 0.0
        rates.append(rate)
        ends.append(wilson(rate * units, units))
    control, treated = rates
    # Newcombe's interval of a difference (1998), from Wilson's of either rate.
    down = sqrt((treated - ends[1][0]) ** 2 + (ends[0][1] - control) ** 2)
    up = sqrt((ends[1][1] - treated) ** 2 + (control - ends[0][0]) ** 2)
    return GroupFigures(
        group=group,
        units=int(mask.sum()),
        share=float(mask.mean()),
        control_rate=control,
        treated_rate=treated,
        uplift=treated - control,
        low=treated - control - down,
        high=treated - control + up,
        predicted=float(uplift[mask].mean()) if mask.any() else 0.0,
    )
