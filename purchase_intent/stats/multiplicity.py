"""Many arms and many metrics: p-values as if there were one.

Holm (1979) keeps the chance of even one false finding at alpha; use it for arms. Benjamini and Hochberg (1995) keep the
expected share of false ones among the findings at alpha; use it for a long list of metrics that are looked through.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from purchase_intent.exceptions import ExperimentRefused

__all__ = ["benjamini_hochberg", "holm"]


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values in the order given: at or below alpha is a finding."""
    found, order = _sorted(p_values)
    size = len(found)
    return _restored(np.maximum.accumulate(found * (size - np.arange(size))), order)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values in the order given: calling all at or below alpha findings keeps false ones to that share."""
    found, order = _sorted(p_values)
    size = len(found)
    return _restored(np.minimum.accumulate((found * size / np.arange(1, size + 1))[::-1])[::-1], order)


def _sorted(p_values: Sequence[float]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    values = np.asarray(p_values, dtype=np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise ExperimentRefused(field="p_values", reason="share", remedy="give probabilities from 0 to 1")
    order = np.argsort(values, kind="stable")
    return values[order], order


def _restored(adjusted: NDArray[np.float64], order: NDArray[np.intp]) -> list[float]:
    restored = np.empty_like(adjusted)
    restored[order] = np.minimum(adjusted, 1.0)
    return [float(value) for value in restored]
