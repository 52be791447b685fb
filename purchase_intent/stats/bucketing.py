"""Which arm a unit gets: a salted hash to [0, 1), the same in Python and in `static/purchase_intent/bucketing.js`.

Three draws decide, each under a salt of its own, so that none tells anything about another: whether a unit is held out
of every experiment, whether this experiment takes it in, and which arm it gets. The arm never depends on the traffic
share, so that a ramp moves nobody. Standard library only: every page of a shop loads this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from itertools import pairwise
from math import isfinite
from typing import Any, Self

from purchase_intent.exceptions import ExperimentRefused

__all__ = ["Allocation", "Holdout", "Layer", "Outcome", "Placement", "position", "refuse_overlap", "share_told"]

TWO_52 = 2.0**52
SEPARATOR = "\0"
WEIGHTS_TOLERANCE = 1e-9


class Outcome(StrEnum):
    """Why a unit got what it got."""

    ASSIGNED = "assigned"
    HELD_OUT = "held out"
    OTHER_EXPERIMENT = "another experiment of the group"
    NO_TRAFFIC = "outside the traffic share"


def position(*, salt: str, unit: str) -> float:
    """Where a unit falls in [0, 1) under a salt: the first 52 bits of SHA-256 over `salt`, a zero byte and `unit`.

    52 bits are what a double holds exactly in JavaScript too. Neither may be empty, and the salt holds no zero byte.
    """
    if not salt or SEPARATOR in salt:
        raise ExperimentRefused(field="salt", reason="salt", remedy="give some text without a zero byte")
    if not unit:
        raise ExperimentRefused(field="unit", reason="unit", remedy="give the visitor's key, it was empty")
    return _position(salt, unit)


def _position(salt: str, unit: str) -> float:
    digest = sha256(f"{salt}{SEPARATOR}{unit}".encode("utf-8", "replace")).digest()
    return (int.from_bytes(digest[:7], "big") >> 4) / TWO_52


@dataclass(frozen=True, slots=True)
class Layer:
    """A range of an exclusion group: experiments on ranges of one salt that do not overlap never share a unit."""

    salt: str
    start: float
    end: float

    def __post_init__(self) -> None:
        _refuse_salt("layer.salt", self.salt)
        if not 0 <= self.start < self.end <= 1:
            raise ExperimentRefused(
                field="layer", reason="range", remedy=f"needs 0 <= start < end <= 1, got {self.start} to {self.end}"
            )

    def holds(self, unit: str) -> bool:
        """Whether the unit falls into this range."""
        return self.start <= _position(self.salt, unit) < self.end


@dataclass(frozen=True, slots=True)
class Holdout:
    """A share of all units that no experiment ever takes in: the same units for all that name the same salt."""

    salt: str
    share: float

    def __post_init__(self) -> None:
        _refuse_salt("holdout.salt", self.salt)
        _refuse_share("holdout.share", self.share)

    def holds(self, unit: str) -> bool:
        """Whether the unit is held out."""
        return _position(self.salt, unit) < self.share


@dataclass(frozen=True, slots=True)
class Placement:
    """What an experiment does with a unit: its arm, or none and why."""

    arm: str | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Allocation:
    """How an experiment shares out its units. `traffic` may grow at any time: nobody changes arm, nobody leaves.

    Weights are shares that sum to 1 within 1e-9. Salts are for ever: another salt is another experiment.
    """

    salt: str
    arms: tuple[str, ...]
    weights: tuple[float, ...]
    traffic: float = 1.0
    layer: Layer | None = None
    holdout: Holdout | None = None
    _edges: tuple[float, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _refuse_salt("salt", self.salt)
        _refuse_share("traffic", self.traffic)
        _refuse_arms(self.arms, self.weights)
        object.__setattr__(self, "_edges", _edges(self.weights))

    def place(self, unit: str) -> Placement:
        """The unit's arm, or why it has none."""
        if self.holdout is not None and self.holdout.holds(unit):
            return Placement(None, Outcome.HELD_OUT)
        if self.layer is not None and not self.layer.holds(unit):
            return Placement(None, Outcome.OTHER_EXPERIMENT)
        if self.traffic < 1 and _position(f"{self.salt}:traffic", unit) >= self.traffic:
            return Placement(None, Outcome.NO_TRAFFIC)
        return Placement(self.drawn_arm(unit), Outcome.ASSIGNED)

    def arm(self, unit: str) -> str | None:
        """The unit's arm, or None where the experiment leaves it alone."""
        return self.place(unit).arm

    def drawn_arm(self, unit: str) -> str:
        """The arm that the unit has, or would have were it taken in."""
        at = _position(f"{self.salt}:arm", unit)
        for arm, edge in zip(self.arms, self._edges, strict=True):
            if at < edge:
                return arm
        raise AssertionError("the last edge is 1 and every position lies below it")

    def as_json(self) -> dict[str, Any]:
        """Plain values that JSON and `bucketing.js` understand."""
        return {
            "salt": self.salt,
            "arms": list(self.arms),
            "weights": list(self.weights),
            "traffic": self.traffic,
            "layer": self.layer and {"salt": self.layer.salt, "start": self.layer.start, "end": self.layer.end},
            "holdout": self.holdout and {"salt": self.holdout.salt, "share": self.holdout.share},
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `as_json` gave."""
        return cls(
            salt=stored["salt"],
            arms=tuple(stored["arms"]),
            weights=tuple(stored["weights"]),
            traffic=stored["traffic"],
            layer=Layer(**stored["layer"]) if stored["layer"] else None,
            holdout=Holdout(**stored["holdout"]) if stored["holdout"] else None,
        )


def share_told(share: float) -> str:
    """A share as a refusal tells it, to who writes shares and to who writes per cent: "0.1 (10%)"."""
    return f"{share:g} ({share * 100:.10g}%)"


def refuse_overlap(layers: Mapping[str, Layer]) -> None:
    """Refuse experiments, by name, of which two have a unit in common: same salt, ranges that overlap."""
    ordered = sorted(layers.items(), key=lambda item: (item[1].salt, item[1].start))
    for (first, one), (second, other) in pairwise(ordered):
        if one.salt == other.salt and other.start < one.end:
            raise ExperimentRefused(
                field="layer",
                reason="overlap",
                remedy=(
                    f"{first} has {share_told(one.start)} to {share_told(one.end)} and {second} has "
                    f"{share_told(other.start)} to {share_told(other.end)} of one exclusion group: give them ranges "
                    "that do not overlap"
                ),
                experiments=(first, second),
            )


def _edges(weights: tuple[float, ...]) -> tuple[float, ...]:
    """Upper ends of the arms' ranges, added up from the left as JavaScript does; the last one in use is 1 exactly."""
    edges, total = [], 0.0
    for weight in weights:
        total += weight
        edges.append(total)
    last = max(index for index, weight in enumerate(weights) if weight > 0)
    return tuple(edges[:last] + [1.0] * (len(edges) - last))


def _refuse_salt(name: str, salt: str) -> None:
    if not salt or SEPARATOR in salt:
        raise ExperimentRefused(field=name, reason="salt", remedy="give some text without a zero byte")


def _refuse_share(name: str, share: float) -> None:
    if not 0 <= share <= 1:
        raise ExperimentRefused(field=name, reason="share", remedy=f"give a share from 0 to 1, not {share}")


def _refuse_arms(arms: Iterable[str], weights: tuple[float, ...]) -> None:
    names = tuple(arms)
    if len(names) < 2 or len(set(names)) != len(names) or not all(names):
        raise ExperimentRefused(field="arms", reason="arms", remedy=f"name two or more different arms, not {names}")
    if len(weights) != len(names):
        raise ExperimentRefused(
            field="weights", reason="weights", remedy=f"give each arm one: {len(names)} arms, {len(weights)} weights"
        )
    if not all(isfinite(weight) and weight >= 0 for weight in weights):
        raise ExperimentRefused(field="weights", reason="weights", remedy=f"give none below 0, not {weights}")
    if abs(sum(weights) - 1) > WEIGHTS_TOLERANCE:
        raise ExperimentRefused(
            field="weights", reason="weights", remedy=f"make them sum to 1, they sum to {sum(weights)}"
        )
