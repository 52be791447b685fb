"""Conditions that a page out of a cache carries, to be judged when a visitor's browser asks.

Only conditions that a page of the shop has put there are judged: they are signed, or else a visitor could find out the
score by asking for one limit after the other. Bands and the offer need no signature, for everybody is told them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.core.signing import BadSignature, Signer

from purchase_intent.learning.thresholds import BANDS
from purchase_intent.scoring.answer import Intent
from purchase_intent.scoring.limits import OFFER, keeps_all
from purchase_intent.segments.live import is_in
from purchase_intent.segments.subject import Subject

__all__ = ["LONGEST", "MOST", "Condition", "intent_condition", "read_conditions", "segment_condition"]

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


@dataclass(frozen=True, slots=True)
class Condition:
    """What a page asks, as it was given: of the score that all `limits` are kept, or of the visit one of `segments`."""

    text: str
    limits: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()

    def holds(self, intent: Intent, subject: Subject | None) -> bool:
        """Whether it holds of an answer, or of the visit; not where it is of a visit that is not given."""
        if self.segments:
            return subject is not None and any(is_in(subject, segment) for segment in self.segments)
        return keeps_all(self.limits, lambda: intent)


def read_conditions(given: Iterable[str]) -> list[Condition]:
    """The conditions that the shop has put into a page; of a forged one nothing is said."""
    return [found for text in given if (found := _read(text)) is not None]


def _signed(kind: str, words: Sequence[str]) -> str:
    # Halves of surrogate pairs cannot be signed, and no template may fail by them.
    return Signer(salt=_SALT).sign(_BETWEEN.join((kind, *words)).encode("utf-8", "replace").decode())


def _read(text: str) -> Condition | None:
    """What a condition asks; None where the shop has not signed it."""
    if text in _OPEN:
        return Condition(text, limits=(text,))
    try:
        kind, *words = Signer(salt=_SALT).unsign(text).split(_BETWEEN)
    except BadSignature:
        return None
    return Condition(text, limits=(*words,)) if kind == _INTENT else Condition(text, segments=(*words,))
