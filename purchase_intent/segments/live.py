"""Live membership: which segments a visit belongs to at this moment."""

from __future__ import annotations

import logging
from typing import Final

from purchase_intent.segments.active import active_segments
from purchase_intent.segments.subject import Subject

__all__ = ["forget_unknown", "is_in", "segment_rows_of", "segments_of"]

logger = logging.getLogger(__name__)
_MOST: Final = 200
_unknown: Final[set[str]] = set()


def is_in(subject: Subject, name: str) -> bool:
    """Whether a visit belongs to the segment of a key, in which an underscore may stand for a hyphen.

    False of a key that no active segment has, which is logged once. DatabaseError where the database is gone.
    """
    segments = active_segments()
    found = segments.get(name) or segments.get(name.replace("_", "-"))
    if found is None:
        _tell(name)
        return False
    return found.compiled.holds(subject)


def segments_of(subject: Subject) -> tuple[str, ...]:
    """The keys of all segments that a visit belongs to, in alphabetical order. DatabaseError as above."""
    return tuple(sorted(key for key, each in active_segments().items() if each.compiled.holds(subject)))


def segment_rows_of(subject: Subject) -> tuple[int, ...]:
    """The same as the keys of their rows, in order, which name them for good. DatabaseError as above."""
    return tuple(sorted(each.pk for each in active_segments().values() if each.compiled.holds(subject)))


def forget_unknown() -> None:
    """Log unknown keys anew."""
    _unknown.clear()


def _tell(name: str) -> None:
    if name in _unknown or len(_unknown) >= _MOST:
        return
    _unknown.add(name)
    logger.warning("No active segment has the key %r: nobody is in it. See the list of segments.", name)
