"""Planned looks: a group-sequential test whose boundaries spend the allowed error as information comes in.

Lan and DeMets (1983): a function says how much error may be spent by a share of the planned information, and each
boundary spends what its look adds. So the looks need not be evenly spaced, nor as many as planned. They only must not
be moved by what was seen. Boundaries are two-sided and symmetric, in standard errors (z).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from math import e, inf, log, log1p, sqrt

from scipy.optimize import brentq
from scipy.stats import norm

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.stats.crossing import Crossing, Running, crossing
from purchase_intent.stats.inference import refuse_alpha

__all__ = ["SPENDING", "Cost", "Spending", "boundaries", "cost", "cost_of", "repeated_p_value", "spent"]

LEAST_ERROR = 1e-280
"""Below this a look may not stop at all."""
HIGHEST = 38.0


class Spending(StrEnum):
    """How the error is spent: hardly any early, or about evenly."""

    OBRIEN_FLEMING = "O'Brien-Fleming"
    POCOCK = "Pocock"


def _obrien_fleming(alpha: float, share: float) -> float:
    return float(4 * norm.sf(norm.isf(alpha / 4) / sqrt(share)))


def _pocock(alpha: float, share: float) -> float:
    return alpha * log1p((e - 1) * share)


SPENDING: dict[Spending, Callable[[float, float], float]] = {
    Spending.OBRIEN_FLEMING: _obrien_fleming,
    Spending.POCOCK: _pocock,
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What looking costs and saves, against one test of the same power at the end, of which all figures are multiples.

    `most` units if no look stops; `expected` units if the effect is the planned one; `expected_without` if none is.
    """

    most: float
    expected: float
    expected_without: float


def spent(share: float, alpha: float, spending: Spending = Spending.OBRIEN_FLEMING) -> float:
    """The two-sided error that may be used up by this share of the planned information."""
    return SPENDING[spending](alpha, min(share, 1.0))


@lru_cache(maxsize=512)
def boundaries(
    shares: tuple[float, ...],
    alpha: float = 0.05,
    spending: Spending = Spending.OBRIEN_FLEMING,
    *,
    final: bool = False,
) -> tuple[float, ...]:
    """The boundary of each look so far, at these shares of the planned information, ascending.

    A share of 1 or more spends all that is left, and there is no look after it; so does the last one if it is `final`,
    for an experiment that ends with less than was planned. Infinity means: do not stop here.
    """
    _refuse_shares(shares)
    refuse_alpha(alpha)
    running, before, found = Running(), 0.0, []
    for look, share in enumerate(shares):
        until = alpha if final and look + 1 == len(shares) else spent(share, alpha, spending)
        found.append(_boundary(running, share, until - before))
        before = until
        if look + 1 < len(shares):
            running = running.after(found[-1], share, shares[look + 1])
    return tuple(found)


def repeated_p_value(shares: tuple[float, ...], z: float, spending: Spending = Spending.OBRIEN_FLEMING) -> float:
    """The smallest alpha whose boundary at the last of these looks |z| reaches: valid at every look.

    Jennison and Turnbull (2000), section 9.3. About 20 ms.
    """

    def margin(logarithm: float) -> float:
        return boundaries(shares, 10**logarithm, spending)[-1] - abs(z)

    if margin(-1e-9) > 0:
        return 1.0
    if margin(-14.0) <= 0:
        return 1e-14
    return float(10 ** brentq(margin, -14.0, -1e-9, xtol=1e-9))


def cost(
    shares: tuple[float, ...], alpha: float = 0.05, power: float = 0.8, spending: Spending = Spending.OBRIEN_FLEMING
) -> Cost:
    """What these looks cost."""
    return cost_of(shares, boundaries(shares, alpha, spending), alpha, power)


def cost_of(shares: Sequence[float], limits: Sequence[float], alpha: float, power: float) -> Cost:
    """What any boundaries at these shares cost, the last share being the end."""
    if not alpha < power < 1:
        raise ExperimentRefused(field="power", reason="share", remedy=f"give a power between alpha and 1, not {power}")
    fixed = _fixed_drift(alpha, power)
    drift = float(brentq(lambda theta: sum(crossing(shares, limits, theta).above) - power, 0.0, 3 * fixed, xtol=1e-9))
    most = (drift / fixed) ** 2 * shares[-1]
    reached, idle = (_expected(crossing(shares, limits, theta), shares) for theta in (drift, 0.0))
    return Cost(most, (drift / fixed) ** 2 * reached, (drift / fixed) ** 2 * idle)


def _expected(found: Crossing, shares: Sequence[float]) -> float:
    leaving = [up + down for up, down in zip(found.above, found.below, strict=True)]
    return sum(at * chance for at, chance in zip(shares, leaving, strict=True)) + shares[-1] * (1 - sum(leaving))


def _fixed_drift(alpha: float, power: float) -> float:
    return float(norm.isf(alpha / 2) + norm.ppf(power))


def _boundary(running: Running, share: float, error: float) -> float:
    if error < LEAST_ERROR:
        return inf

    def excess(boundary: float) -> float:
        leaving = sum(running.leaving(boundary, share))
        return log(max(leaving, 1e-300)) - log(error)

    if excess(0.0) <= 0:
        return 0.0
    return float(brentq(excess, 0.0, HIGHEST, xtol=1e-11))


def _refuse_shares(shares: Sequence[float]) -> None:
    ends = [share for share in shares if share >= 1]
    if not shares or min(shares) <= 0 or list(shares) != sorted(set(shares)) or len(ends) > 1:
        raise ExperimentRefused(
            field="shares",
            reason="looks",
            remedy=f"give rising shares of the planned units above 0, at most one of them 1 or more, not {shares}",
        )
