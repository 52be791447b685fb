"""Chance as a function: the same key gives the same draw, whatever was drawn before.

A generator with a running state makes a log depend on how the work was cut into pieces. Here a draw is a hash of
(seed, who, when, what for), so visitors can be simulated in any order and in batches of any size. The hash is the
finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, pdtr, pdtrik

__all__ = ["Floats", "Ints", "Keys", "join", "mix", "normal", "pick", "poisson", "uniform"]

Keys: TypeAlias = NDArray[np.uint64]
Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_ODD = np.uint64(0xD1342543DE82EF95)
_UNIT = 2.0**-53


def mix(values: Keys) -> Keys:
    """A bijection of 64-bit integers that looks random; distinct inputs stay distinct."""
    out = values ^ (values >> np.uint64(30))
    out *= np.uint64(0xBF58476D1CE4E5B9)
    out ^= out >> np.uint64(27)
    out *= np.uint64(0x94D049BB133111EB)
    out ^= out >> np.uint64(31)
    return out


def join(keys: Keys, numbers: Ints | int) -> Keys:
    """The keys of a part of what `keys` names: visit 3 of a visitor, step 7 of a visit."""
    return mix(keys + np.asarray(numbers).astype(np.uint64) * _ODD + _GOLDEN)


def uniform(keys: Keys, purpose: int) -> Floats:
    """Draws in the open interval (0, 1), one for each key; `purpose` keeps draws from one key apart."""
    salt = np.uint64((purpose * int(_GOLDEN)) & 0xFFFFFFFFFFFFFFFF)
    return ((mix(keys + salt) >> np.uint64(11)).astype(np.float64) + 0.5) * _UNIT


def normal(keys: Keys, purpose: int) -> Floats:
    """Standard normal draws, one for each key."""
    draws: Floats = ndtri(uniform(keys, purpose))
    return draws


def poisson(draws: Floats, means: Floats) -> Ints:
    """Counts with these means, by inverting the distribution at `draws`; the smallest count that reaches the draw."""
    counts = np.ceil(pdtrik(draws, means))
    below = np.maximum(counts - 1, 0)
    return np.asarray(np.where(pdtr(below, means) >= draws, below, counts), dtype=np.int64)


def pick(draws: Floats, shares: Floats) -> Ints:
    """Indices drawn in proportion to `shares` (one row for all draws, or one row for each)."""
    if shares.ndim == 1:
        edges = np.cumsum(shares)
        found = np.searchsorted(edges, draws * edges[-1], side="right")
        return np.asarray(np.minimum(found, len(shares) - 1), dtype=np.int64)
    edges = np.cumsum(shares, axis=1)
    return np.asarray((edges[:, :-1] <= (draws * edges[:, -1])[:, None]).sum(axis=1), dtype=np.int64)
