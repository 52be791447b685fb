"""What the app answers when it is asked for a score: a number with its standing, or a reason for having none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from purchase_intent.models import Stage

__all__ = ["UNKNOWN", "Intent", "Reason", "Standing", "bands_of"]


class Standing(StrEnum):
    """Where an answer comes from, or why there is no number in it."""

    SCORED = "scored"
    """By the champion: a calibrated probability."""
    RULES = "rules"
    """No model serves yet: by the cold-start rules, a rough guess and labelled as one."""
    ALREADY_BOUGHT = "already_bought"
    """The session has bought: whether it will is no question any more."""
    UNKNOWN = "unknown"
    """Nothing is known of this session: no consent, no tracking, or a fault that was logged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One cause in words a merchandiser would use; `effect` is what it adds to the log-odds."""

    text: str
    effect: float
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """An answer. `probability` (0 to 1) is None where the standing is ALREADY_BOUGHT or UNKNOWN.

    `bands` holds every band the score reaches ("top_1", "top_5", "top_20"), `band` the narrowest of them, or "".
    `reasons` is empty unless asked for, the strongest first. `model` is the version's key, None for rules;
    `recalibration` the key of the correction that was applied to it, None for none. `offer` says whether the shop's
    offer is for this score; None where the shop stored no rule for it, or no model has scored.
    """

    standing: Standing
    probability: float | None = None
    band: str = ""
    bands: frozenset[str] = frozenset()
    stage: Stage = Stage.NONE
    reasons: tuple[Reason, ...] = ()
    model: int | None = None
    recalibration: int | None = None
    offer: bool | None = None
    moment: datetime | None = None


UNKNOWN = Intent(standing=Standing.UNKNOWN)


def bands_of(probability: float, cutoffs: Mapping[str, float]) -> tuple[str, frozenset[str]]:
    """The narrowest band a probability reaches, or "", and every band it reaches; `cutoffs` by name of the band."""
    reached = [name for name, cutoff in cutoffs.items() if probability >= cutoff]
    narrowest = max(reached, key=cutoffs.__getitem__, default="")
    return narrowest, frozenset(reached)
