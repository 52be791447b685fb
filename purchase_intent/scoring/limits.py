"""What a template may ask of an answer: a limit on the probability, a band, or the shop's offer."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import ge, gt, le, lt
from typing import Final

from purchase_intent.learning.thresholds import BANDS
from purchase_intent.scoring.answer import Intent

__all__ = ["OFFER", "keeps_all"]

logger = logging.getLogger(__name__)

OFFER: Final = "offer"
"""Kept by whom the shop's offer is for."""
_LIMIT: Final = re.compile(r"\s*(>=|>|<=|<)\s*(\d+(?:\.\d+)?|\.\d+)\s*(%?)\s*")
_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {">=": ge, ">": gt, "<=": le, "<": lt}


def keeps_all(limits: Sequence[str], ask: Callable[[], Intent]) -> bool:
    """Whether an answer keeps every limit: ">= 0.8", "< 5%", the name of a band, or "offer"; false of no limit at all.

    `ask` is called where every limit is one; a limit that is none is kept by nobody, and logged once.
    """
    tests = [_test(limit) for limit in limits]
    return bool(tests) and all(test is not None and test(ask()) for test in tests)


@lru_cache(maxsize=256)
def _test(limit: str) -> Callable[[Intent], bool] | None:
    """What a limit asks of an answer; None, logged once, where it is none."""
    if limit in BANDS:
        return lambda intent: limit in intent.bands
    if limit == OFFER:
        return lambda intent: intent.offer is True
    match = _LIMIT.fullmatch(limit)
    if match is None:
        logger.warning(
            "ifintent: %r is no limit, so nobody keeps it: write one such as '>= 0.8', '< 5%%', offer, or a band: %s.",
            limit,
            ", ".join(BANDS),
        )
        return None
    compare, bound = _COMPARISONS[match[1]], float(match[2]) / (100 if match[3] else 1)
    return lambda intent: intent.probability is not None and compare(intent.probability, bound)
