"""How much history a shop needs before anything is learnt from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["ENOUGH"]

ENOUGH: Final[Mapping[str, Mapping[str, int]]] = {
    "session": {"sessions": 1_000, "buying sessions": 100, "days": 14},
    "week": {"sessions": 1_000, "buying sessions": 100, "days": 35},
}
"""What each horizon needs at least.

buying sessions  15% of them calibrate: with 15 the base rate is known to a quarter of its odds (1 / sqrt 15), with
                 fewer every probability would be off by more
sessions         who does not buy has to be known as well, and bands are shares of sessions: the top 1% of the 150 last
                 ones is one or two
days             the last 15% of the time is judged: of 14 days two, so that no single day decides; every weekday was
                 seen twice. Of a week, whose outcomes are known a week late, 14 nights to learn from, a week kept apart
                 twice between the slices, and the week of the last outcome: 35
"""
