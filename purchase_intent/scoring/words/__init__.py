"""Why a score is what it is, in sentences that a merchandiser would use."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from purchase_intent.features.schema import FEATURES
from purchase_intent.features.state import Past, State
from purchase_intent.features.vector import Vector
from purchase_intent.models import Session
from purchase_intent.scoring.answer import Reason
from purchase_intent.scoring.words import basket, circumstance, goods, returning, visit
from purchase_intent.scoring.words.theme import Theme, Told

__all__ = ["THEMES", "WORTH_SAYING", "reasons_of"]

THEMES: Final[tuple[Theme, ...]] = (
    *basket.THEMES,
    *visit.THEMES,
    *goods.THEMES,
    *returning.THEMES,
    *circumstance.THEMES,
)
"""Every feature belongs to exactly one theme."""
WORTH_SAYING: Final = 0.02
"""Log-odds: what moves the score by less than this is left out."""
_NAMES: Final = tuple(feature.name for feature in FEATURES)


def reasons_of(
    contributions: NDArray[np.float64],
    state: State,
    past: Past,
    row: Vector,
    *,
    most: int,
    session: Session | None = None,
) -> tuple[Reason, ...]:
    """The causes behind a score, the strongest first, at most `most`.

    `contributions` is float64 [features] in log-odds, in the order of the schema; `row` the features they explain.
    Features that say one thing are added up; themes that come down to the same sentence are one cause. `session`
    gives the names of device, channel and country, which are only keys in the row.
    """
    parts = dict(zip(_NAMES, contributions.tolist(), strict=True))
    causes: dict[str, dict[str, float]] = {}
    for theme in THEMES:
        own = {name: parts[name] for name in theme.sayings}
        if any(own.values()):
            causes.setdefault(_said(theme, own, state, past, row, session), {}).update(own)
    reasons = [_reason(text, own) for text, own in causes.items()]
    worth = [reason for reason in reasons if abs(reason.effect) >= WORTH_SAYING]
    return tuple(sorted(worth, key=lambda reason: -abs(reason.effect))[: max(0, most)])


def _said(theme: Theme, own: dict[str, float], state: State, past: Past, row: Vector, session: Session | None) -> str:
    up = sum(own.values()) >= 0
    lead = max(own, key=lambda name: own[name] if up else -own[name])
    return theme.sayings[lead](Told(state=state, past=past, row=row, up=up, session=session))


def _reason(text: str, own: dict[str, float]) -> Reason:
    strongest_first = sorted((name for name in own if own[name]), key=lambda name: -abs(own[name]))
    return Reason(text=text, effect=sum(own.values()), features=tuple(strongest_first))
