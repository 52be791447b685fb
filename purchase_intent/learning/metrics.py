"""Figures that judge probabilities, all with case weights.

Equal scores always count as one group, so that no figure depends on the order of rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from purchase_intent.learning.table import Column

__all__ = [
    "auc",
    "average_precision",
    "best_f1",
    "brier",
    "expected_calibration_error",
    "f1_curve",
    "figures",
    "log_loss",
    "operating_point",
]

ECE_BINS = 20
_TINY = 1e-15


def _columns(labels: NDArray[Any], scores: NDArray[Any], weights: NDArray[Any] | None) -> tuple[Column, Column, Column]:
    labels, scores = np.asarray(labels, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    weights = np.ones(len(labels)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not labels.shape == scores.shape == weights.shape or labels.ndim != 1:
        raise ValueError(
            f"labels {labels.shape}, scores {scores.shape} and weights {weights.shape} must be of one length"
        )
    if not np.isfinite(scores).all():
        raise ValueError("scores: must be finite")
    return labels, scores, weights


def _groups(labels: NDArray[Any], scores: NDArray[Any], weights: NDArray[Any] | None) -> tuple[Column, Column, Column]:
    """Distinct scores ascending, with the weight of negatives and of positives at each."""
    labels, scores, weights = _columns(labels, scores, weights)
    distinct, group = np.unique(scores, return_inverse=True)
    positive = np.bincount(group, weights * labels).astype(np.float64)
    negative = np.bincount(group, weights * (1 - labels)).astype(np.float64)
    return distinct, negative, positive


def auc(labels: NDArray[Any], scores: NDArray[Any], weights: NDArray[Any] | None = None) -> float:
    """The chance that a positive outranks a negative, ties counting half; NaN where one class has no weight."""
    _, negative, positive = _groups(labels, scores, weights)
    total = negative.sum() * positive.sum()
    if not total > 0:
        return float("nan")
    below = np.cumsum(negative) - negative
    return float((positive * (below + negative / 2)).sum() / total)


def average_precision(labels: NDArray[Any], scores: NDArray[Any], weights: NDArray[Any] | None = None) -> float:
    """Sum over thresholds of the gain in recall times the precision there; NaN without positives."""
    _, negative, positive = _groups(labels, scores, weights)
    if not positive.sum() > 0:
        return float("nan")
    hits = np.cumsum(positive[::-1])
    flagged = hits + np.cumsum(negative[::-1])
    precision = np.divide(hits, flagged, out=np.zeros_like(hits), where=flagged > 0)
    return float((positive[::-1] * precision).sum() / positive.sum())


def brier(labels: NDArray[Any], probabilities: NDArray[Any], weights: NDArray[Any] | None = None) -> float:
    """Mean squared distance of probability and outcome, 0 to 1, lower is better."""
    labels, probabilities, weights = _columns(labels, probabilities, weights)
    return float(np.average((labels - probabilities) ** 2, weights=weights))


def log_loss(labels: NDArray[Any], probabilities: NDArray[Any], weights: NDArray[Any] | None = None) -> float:
    """Mean surprise at the outcome, in nats; probabilities are kept 1e-15 away from 0 and 1."""
    labels, probabilities, weights = _columns(labels, probabilities, weights)
    safe = np.clip(probabilities, _TINY, 1 - _TINY)
    return float(np.average(-np.where(labels > 0, np.log(safe), np.log1p(-safe)), weights=weights))


def expected_calibration_error(
    labels: NDArray[Any], probabilities: NDArray[Any], weights: NDArray[Any] | None = None, *, bins: int = ECE_BINS
) -> float:
    """Mean gap between probability and observed rate over bins of equal weight; equal scores stay in one bin."""
    distinct, negative, positive = _groups(labels, probabilities, weights)
    mass = negative + positive
    total = mass.sum()
    edges = np.searchsorted(np.cumsum(mass), np.linspace(0, total, bins + 1)[1:-1])
    gap = positive - mass * distinct
    return float(sum(abs(part.sum()) for part in np.split(gap, edges)) / total)


def f1_curve(labels: NDArray[Any], scores: NDArray[Any], weights: NDArray[Any] | None = None) -> tuple[Column, Column]:
    """Thresholds ascending, and the F1 of calling every score at or above each a buyer."""
    distinct, negative, positive = _groups(labels, scores, weights)
    hits = np.cumsum(positive[::-1])[::-1]
    flagged = hits + np.cumsum(negative[::-1])[::-1]
    both = flagged + positive.sum()
    return distinct, np.divide(2 * hits, both, out=np.zeros_like(hits), where=both > 0)


def best_f1(labels: NDArray[Any], scores: NDArray[Any], weights: NDArray[Any] | None = None) -> tuple[float, float]:
    """The highest F1 over all thresholds, and the threshold that reaches it."""
    thresholds, f1 = f1_curve(labels, scores, weights)
    best = int(np.argmax(f1))
    return float(f1[best]), float(thresholds[best])


def operating_point(
    labels: NDArray[Any], scores: NDArray[Any], threshold: float, weights: NDArray[Any] | None = None
) -> dict[str, float]:
    """Precision, recall and F1 of calling every score at or above `threshold` a buyer; 0 where nothing is flagged."""
    labels, scores, weights = _columns(labels, scores, weights)
    flagged = scores >= threshold
    hits = float((weights * labels)[flagged].sum())
    mass, positives = float(weights[flagged].sum()), float((weights * labels).sum())
    both = mass + positives
    return {
        "precision": hits / mass if mass > 0 else 0.0,
        "recall": hits / positives if positives > 0 else 0.0,
        "f1": 2 * hits / both if both > 0 else 0.0,
    }


def figures(labels: NDArray[Any], probabilities: NDArray[Any], weights: NDArray[Any] | None = None) -> dict[str, float]:
    """Every figure of this module for one set of predictions, by name; NaN figures are left out."""
    labels, probabilities, weights = _columns(labels, probabilities, weights)
    found = {
        "rows": float(len(labels)),
        "positives": float(labels.sum()),
        "base_rate": float(np.average(labels, weights=weights)),
        "auc": auc(labels, probabilities, weights),
        "average_precision": average_precision(labels, probabilities, weights),
        "brier": brier(labels, probabilities, weights),
        "log_loss": log_loss(labels, probabilities, weights),
        "ece": expected_calibration_error(labels, probabilities, weights),
        "best_f1": best_f1(labels, probabilities, weights)[0],
    }
    return {name: value for name, value in found.items() if not np.isnan(value)}
