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
    """What the experiment measured of a group: units, rates in both arms, their difference with a 95% interval.

    A rate is None where that arm has no unit of the group, and so is the difference then.
    """

    group: Group
    units: int
    share: float
    control_rate: float | None
    treated_rate: float | None
    uplift: float | None
    low: float | None
    high: float | None
    predicted: float

    def as_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self) | {"group": self.group.value}


def measured_groups(effects: Effects, trial: Trial, cuts: Cuts) -> tuple[GroupFigures, ...]:
    """The four groups as measured; `effects` are those of models that had not learnt from the units."""
    return tuple(_measured(group, mask, effects.uplift, trial) for group, mask in cuts.masks(effects).items())


def _measured(group: Group, mask: Any, uplift: Column, trial: Trial) -> GroupFigures:
    control, treated = (_rate(mask & (trial.treated == arm), trial) for arm in (0, 1))
    difference = _difference(control, treated) if control is not None and treated is not None else None
    return GroupFigures(
        group=group,
        units=int(mask.sum()),
        share=float(mask.mean()),
        control_rate=control and control[0],
        treated_rate=treated and treated[0],
        uplift=difference and difference[0],
        low=difference and difference[1],
        high=difference and difference[2],
        predicted=float(uplift[mask].mean()) if mask.any() else 0.0,
    )


def _rate(rows: Any, trial: Trial) -> tuple[float, float, float] | None:
    """The weighed rate of these units with Wilson's interval; None of nobody."""
    weights = trial.weights()[rows]
    counted = float(weights.sum())
    if not counted > 0:
        return None
    rate = float((weights * trial.labels[rows]).sum() / counted)
    # Of weighted units, as many as would say as much (Kish 1965).
    units = counted * counted / float((weights**2).sum())
    return rate, *wilson(rate * units, units)


def _difference(control: tuple[float, float, float], treated: tuple[float, float, float]) -> tuple[float, float, float]:
    """Newcombe's interval of a difference (1998), from Wilson's of either rate."""
    value = treated[0] - control[0]
    down = sqrt((treated[0] - treated[1]) ** 2 + (control[2] - control[0]) ** 2)
    up = sqrt((treated[2] - treated[0]) ** 2 + (control[0] - control[1]) ** 2)
    return value, value - down, value + up
