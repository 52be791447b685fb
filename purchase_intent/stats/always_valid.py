"""Unplanned looks: intervals that hold at every moment at once, however often and for whatever reason one looks.

The normal-mixture sequential probability ratio test (Robbins, 1970; Johari, Koomen, Pekelis and Walsh, 2022) and its
confidence sequence, asymptotic as in Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024): right once each arm has
enough units for a bell curve. With r the mixture's variance over that of the difference at the planned end, and t the
share of the planned information, the likelihood ratio against no effect is exp(z^2 rt / (2 (1 + rt))) / sqrt(1 + rt).
"""

from __future__ import annotations

from math import exp, inf, log, log1p, sqrt

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.boundaries import Cost, cost_of
from purchase_intent.stats.inference import refuse_alpha

__all__ = ["TUNED", "always_valid_boundary", "always_valid_cost", "always_valid_p_value"]

TUNED = 9.0
"""r, fixed beforehand: with it the interval at the planned end is as narrow as it gets for an alpha of 0.05."""


def always_valid_boundary(share: float, alpha: float = 0.05, tuned: float = TUNED) -> float:
    """How many standard errors the interval reaches, at this share of the planned information, above 0."""
    refuse_alpha(alpha)
    scale = tuned * _positive(share)
    return sqrt((1 + 1 / scale) * (2 * log(1 / alpha) + log1p(scale)))


def always_valid_p_value(share: float, z: float, tuned: float = TUNED) -> float:
    """The smallest alpha whose interval excludes no effect here: one over the likelihood ratio, at most 1."""
    scale = tuned * _positive(share)
    ratio = z * z * scale / (2 * (1 + scale)) - log1p(scale) / 2
    return exp(-ratio) if ratio > 0 else 1.0


def always_valid_cost(shares: tuple[float, ...], alpha: float = 0.05, power: float = 0.8, tuned: float = TUNED) -> Cost:
    """What the rule costs if one looks at these shares, the last being the end; the mixture is tuned to share 1."""
    return cost_of(shares, [always_valid_boundary(share, alpha, tuned) for share in shares], alpha, power)


def _positive(share: float) -> float:
    if not 0 < share < inf:
        raise ExperimentRefused(
            field="share", reason="looks", remedy=f"give a share of the planned information above 0, not {share}"
        )
    return share
