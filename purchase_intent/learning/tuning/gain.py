"""Whether one model beats another by more than the noise, on cases that neither has seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from purchase_intent.learning.table import Column, Sample
from purchase_intent.learning.weights import nats

__all__ = ["PLAIN", "Gain", "gain"]

PLAIN: Final = 1.0
"""Standard errors a gain must exceed. One of nothing passes one time in six, and then costs nothing on average."""


@dataclass(frozen=True, slots=True)
class Gain:
    """How much lower the log-loss became, in nats a case, and the standard error of that."""

    mean: float
    error: float

    @property
    def is_plain(self) -> bool:
        """Whether the gain stands out of the noise."""
        return self.mean > PLAIN * self.error


def gain(before: Column, after: Column, sample: Sample) -> Gain:
    """The paired gain in case-weighted log-loss over sessions, from two answers in log-odds, float64 [n].

    A ratio of sums over sessions, or over their owners where one has several, with its linearised standard error
    (Cochran 1977, 6.3).
    """
    _, place = np.unique(sample.clusters, return_inverse=True)
    won = np.bincount(place, sample.weights * (nats(before, sample.labels) - nats(after, sample.labels)))
    weights = np.bincount(place, sample.weights)
    total, count = weights.sum(), len(weights)
    mean = float(won.sum() / total)
    error = float(np.sqrt(count / (count - 1) * ((won - weights * mean) ** 2).sum()) / total)
    return Gain(mean, error)
