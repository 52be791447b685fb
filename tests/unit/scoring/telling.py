"""Sessions folded from plain stories, and what is said of them; money is the demo shop's, which sells in EUR."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from purchase_intent.features.live import read_vector
from purchase_intent.features.schema import FEATURES
from purchase_intent.scoring.words import reasons_of
from tests.unit.features.streams import Shop

__all__ = ["DAY", "HOUR", "NAMES", "Story", "only", "said", "told"]

NAMES = [feature.name for feature in FEATURES]
HOUR = 3600.0
DAY = 86_400.0
Story = Callable[[Shop], None]
"""Sends a shop's events; what is asked about is session "now"."""


def only(effects: dict[str, float]) -> NDArray[np.float64]:
    """What each feature adds to a score, 0 where it is not named."""
    return np.array([effects.get(name, 0.0) for name in NAMES])


def told(shop: Shop, session: str, effects: dict[str, float], *, later: float = 0.0, most: int = 9) -> list[str]:
    """The reasons for a session of a shop, `later` seconds after its latest event."""
    slot = shop.journeys.sessions[session]
    state, past = shop.journeys.tables.states[slot], shop.journeys.tables.seen[slot]
    row = read_vector(state, past, state.last + int(later * 1000))
    return [reason.text for reason in reasons_of(only(effects), state, past, row, most=most)]


def said(story: Story, feature: str, *, up: bool = True, later: float = 0.0) -> str:
    """The one sentence to which a feature leads that speaks for a purchase, or against one."""
    shop = Shop()
    story(shop)
    (text,) = told(shop, "now", {feature: 1.0 if up else -1.0}, later=later)
    return text
