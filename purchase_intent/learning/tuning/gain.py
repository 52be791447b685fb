"""Whether one set of parameters beats another by more than the noise, on cases that neither has seen."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final

import numpy as np

from purchase_intent.learning.members import Member
from purchase_intent.learning.table import Column, Sample
from purchase_intent.learning.weights import nats

__all__ = ["CERTAIN", "Gain", "Losses", "gain"]

CERTAIN: Final = 1.645
"""Standard errors a gain must exceed: a gain of nothing passes one time in twenty."""


@dataclass(frozen=True, slots=True)
class Losses:
    """A member's case-weighted log-loss, summed for each session, float32 [s]; kept as text with a trial."""

    sums: Column

    @classmethod
    def of(cls, member: Member, sample: Sample, threads: int) -> Losses:
        """What the member loses on the sample's sessions, in order of their numbers."""
        lost = sample.weights * nats(member.log_odds(sample.table.values, threads=threads), sample.labels)
        # Rounded here, so that a search that goes on from a file compares the same numbers.
        return cls(_by_session(lost, sample).astype(np.float32).astype(np.float64))

    def to_text(self) -> str:
        """The sums as base64 of little-endian float32."""
        return base64.b64encode(self.sums.astype("<f4").tobytes()).decode()

    @classmethod
    def from_text(cls, text: str) -> Losses:
        """The sums that `to_text` wrote."""
        return cls(np.frombuffer(base64.b64decode(text), "<f4").astype(np.float64))


@dataclass(frozen=True, slots=True)
class Gain:
    """How much lower the log-loss became, in nats a case, and the standard error of that."""

    mean: float
    error: float

    @property
    def is_certain(self) -> bool:
        """Whether the gain is more than the noise."""
        return self.mean > CERTAIN * self.error


def gain(before: Losses, after: Losses, sample: Sample) -> Gain:
    """The paired gain over sessions: a ratio of sums, with its linearised standard error (Cochran 1977, 6.3)."""
    weights = _by_session(sample.weights, sample)
    won = before.sums - after.sums
    total, count = weights.sum(), len(weights)
    mean = float(won.sum() / total)
    error = float(np.sqrt(count / (count - 1) * ((won - weights * mean) ** 2).sum()) / total)
    return Gain(mean, error)


def _by_session(values: Column, sample: Sample) -> Column:
    _, place = np.unique(sample.sessions, return_inverse=True)
    return np.bincount(place, values).astype(np.float64)
