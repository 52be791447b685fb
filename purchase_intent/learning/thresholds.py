"""Cut-offs chosen once, on the calibration slice, and stored with the model.

A calibrated probability above .8 hardly ever occurs in a real shop, so fixed limits would make empty segments: bands
are quantiles of the scores themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from purchase_intent.learning.metrics import f1_curve
from purchase_intent.learning.table import Column, Labels

__all__ = ["BANDS", "Thresholds", "choose_threshold", "top_share"]

BANDS = MappingProxyType({"top_1": 0.01, "top_5": 0.05, "top_20": 0.20})
"""Bands by name, and the share of the weight of all scores at or above each cut-off."""

PLATEAU = 0.99
"""Thresholds whose F1 comes this close to the best are taken as equal, and the middle one is chosen."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities: at or above `session` (each session weighed once) or `point` (each moment once) F1 is best.

    `bands` maps a band's name to the probability its scores reach at least.
    """

    session: float
    point: float
    bands: Mapping[str, float]

    @classmethod
    def fit(
        cls, labels: Labels, probabilities: Column, by_session: Column, by_point: Column | None = None
    ) -> Thresholds:
        """Choose from labelled probabilities; `by_session` weighs each session once.

        `by_point` weighs each moment of the log once; all alike where None.
        """
        return cls(
            choose_threshold(labels, probabilities, by_session),
            choose_threshold(labels, probabilities, np.ones(len(labels)) if by_point is None else by_point),
            {name: top_share(probabilities, share, by_session) for name, share in BANDS.items()},
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON; floats survive it exactly."""
        return {**asdict(self), "bands": dict(self.bands)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Thresholds:
        """The thresholds that `to_json` described."""
        return cls(
            float(data["session"]), float(data["point"]), {name: float(at) for name, at in data["bands"].items()}
        )


def choose_threshold(labels: Labels, probabilities: Column, weights: Column) -> float:
    """The middle of the thresholds whose F1 is within 1% of the best.

    The F1 curve is flat and jagged at its top; its very peak is a draw of chance, the middle of the plateau holds.
    """
    thresholds, f1 = f1_curve(labels, probabilities, weights)
    near = thresholds[f1 >= PLATEAU * f1.max()]
    return float(near[len(near) // 2])


def top_share(probabilities: Column, share: float, weights: Column) -> float:
    """The lowest probability such that scores at or above it make up at most `share` of the weight.

    Where even the highest score alone exceeds the share, the highest score.
    """
    distinct, group = np.unique(probabilities, return_inverse=True)
    above = np.cumsum(np.bincount(group, weights)[::-1])[::-1] / weights.sum()
    fitting = distinct[above <= share * (1 + 1e-12)]
    return float(fitting[0] if len(fitting) else distinct[-1])
