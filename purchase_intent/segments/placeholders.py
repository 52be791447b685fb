"""Conditions that a page out of a cache carries, to be judged when a visitor's browser asks.

Only conditions that a page of the shop has put there are judged: they are signed, or else a visitor could find out the
score by asking for one limit after the other. Bands and the offer need no signature, for everybody is told them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from django.core.signing import BadSignature, Signer

from purchase_intent.learning.thresholds import BANDS
from purchase_intent.scoring.limits import OFFER, keeps_all
from purchase_intent.segments.live import is_in
from purchase_intent.segments.subject import Subject

__all__ = ["LONGEST", "MOST", "holding", "intent_condition", "segment_condition"]

MOST: Final = 30
"""Conditions judged at once."""
LONGEST: Final = 500
"""Characters of one."""
_SALT: Final = "purchase_intent.placeholder"
_BETWEEN: Final = "|"
_INTENT: Final = "intent"
_SEGMENT: Final = "segment"
_OPEN: Final = frozenset({*BANDS, OFFER})


def intent_condition(limits: Sequence[str]) -> str:
    """The text that stands for "keeps all these limits" in a page."""
    return limits[0] if len(limits) == 1 and limits[0] in _OPEN else _signed(_INTENT, limits)


def segment_condition(keys: Sequence[str]) -> str:
    """The text that stands for "belongs to one of these segments" in a page."""
    return _signed(_SEGMENT, keys)


def holding(conditions: Sequence[str], subject: Subject) -> list[str]:
    """Those of the conditions that hold for a visit, as they were given; of a forged one nothing is said."""
    return [each for each in conditions if (test := _read(each)) is not None and test(subject)]


def _signed(kind: str, words: Sequence[str]) -> str:
    # Halves of surrogate pairs cannot be signed, and no template may fail by them.
    return Signer(salt=_SALT).sign(_BETWEEN.join((kind, *words)).encode("utf-8", "replace").decode())


def _read(condition: str) -> Callable[[Subject], bool] | None:
    """What a condition asks; None where the shop has not signed it."""
    if condition in _OPEN:
        return lambda subject: keeps_all([condition], lambda: subject.intent)
    try:
        kind, *words = Signer(salt=_SALT).unsign(condition).split(_BETWEEN)
    except BadSignature:
        return None
    if kind == _INTENT:
        return lambda subject: keeps_all(words, lambda: subject.intent)
    return lambda subject: any(is_in(subject, word) for word in words)
