"""Gauss-Legendre nodes, worked out once for each number of them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["nodes_between"]


def nodes_between(low: float, high: float, number: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where to evaluate a smooth function between two ends, and the weights that sum it to its integral."""
    at, weight = _legendre(number)
    half = (high - low) / 2
    return low + (at + 1) * half, weight * half


@lru_cache(maxsize=64)
def _legendre(number: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    at, weight = np.polynomial.legendre.leggauss(number)
    return at, weight
