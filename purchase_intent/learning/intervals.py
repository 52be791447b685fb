"""How sure a figure is: intervals for shares, and for any figure of sessions by drawing whole sessions again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from purchase_intent.learning.table import Codes, Column

__all__ = ["DRAWS", "resampled", "session_draws", "wilson"]

DRAWS: Final = 200
"""Samples drawn for an interval: its ends are known to about a tenth of its width."""
LEVEL: Final = 0.95


def wilson(hits: float, total: float, *, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval (1927) of a share, 95% by default; (0, 1) where nothing was counted."""
    if not total > 0:
        return 0.0, 1.0
    share = hits / total
    middle = share + z * z / (2 * total)
    reach = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)


def session_draws(sessions: Codes, *, seed: int, draws: int = DRAWS) -> Sequence[Column]:
    """For each draw how often each row counts: whole sessions are drawn with replacement, as they are the cases."""
    _, place = np.unique(sessions, return_inverse=True)
    count = int(place.max()) + 1 if len(place) else 0
    rng = np.random.default_rng(seed)
    return [rng.multinomial(count, np.full(count, 1 / count))[place].astype(np.float64) for _ in range(draws)]


def resampled(
    figure: Callable[[Column], float], weights: Column, draws: Sequence[NDArray[Any]]
) -> tuple[float, float] | None:
    """The 95% percentile interval (Efron 1979) of a figure of case weights; None where most draws give no figure."""
    values = np.array([figure(weights * draw) for draw in draws])
    values = values[np.isfinite(values)]
    if len(values) < len(draws) / 2 or not len(values):
        return None
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
