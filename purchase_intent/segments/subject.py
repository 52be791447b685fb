"""Whom a rule is asked of: one visit that goes on (`Subject`), or many visitors between two visits (`People`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from purchase_intent.features.live import read_vector
from purchase_intent.features.state import Past, State
from purchase_intent.features.vector import Vector
from purchase_intent.learning.thresholds import BANDS
from purchase_intent.models import Visitor
from purchase_intent.scoring.answer import Intent

__all__ = ["RANKS", "UNKNOWN", "Numbers", "People", "Subject"]

Numbers = NDArray[np.float64]

UNKNOWN: Final = float("nan")
"""What a condition never holds of, whichever it is."""
RANKS: Final = {"": 0, **{name: rank for rank, name in enumerate(sorted(BANDS, key=BANDS.__getitem__)[::-1], start=1)}}
"""Bands by name, the narrowest highest; 0 is below all."""


class Subject:
    """A visit at a moment; what is never asked of it is never worked out.

    `now` is in milliseconds since 1970 UTC. `intent` gives the visit's answer, `visitor` is its row if it has one.
    """

    __slots__ = ("_answer", "_ask", "_vector", "now", "past", "state", "visitor")

    def __init__(
        self, state: State, past: Past, now: int, *, intent: Callable[[], Intent], visitor: Visitor | None = None
    ) -> None:
        self.state = state
        self.past = past
        self.now = now
        self.visitor = visitor
        self._ask = intent
        self._answer: Intent | None = None
        self._vector: Vector | None = None

    @property
    def vector(self) -> Vector:
        """The features of the visit."""
        if self._vector is None:
            self._vector = read_vector(self.state, self.past, self.now)
        return self._vector

    @property
    def intent(self) -> Intent:
        """The visit's answer, asked for once."""
        if self._answer is None:
            self._answer = self._ask()
        return self._answer


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Visitors who are on no visit, a line each; arrays of one length. Not known is NaN.

    `matrix` holds the features of each one's latest visit as it ended, float32 of shape (n, features); `told` the past
    (dtype PAST) as the next visit would read it; `now` is the moment, in milliseconds since 1970 UTC. `scores` holds
    score and band (as its rank) of the latest visit, and of the visitors' rows customer_score, customer_band, churn,
    revenue_28d and value_12m. `manners` are device, channel and country of the latest visit.
    """

    keys: NDArray[np.int64]
    matrix: NDArray[np.float32]
    told: NDArray[np.void]
    now: int
    scores: dict[str, Numbers]
    manners: tuple[tuple[str, str, str], ...]

    def __len__(self) -> int:
        return len(self.keys)
