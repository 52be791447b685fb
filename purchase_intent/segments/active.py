"""The segments that are switched on, as this process holds them: read and compiled once, looked for again every 5 s.

One race is accepted: for up to `LOOK_EVERY` seconds after an edit in another process the former conditions stand.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from types import MappingProxyType
from typing import Any, Final

from django.db import DatabaseError

from purchase_intent.exceptions import SegmentRefused
from purchase_intent.models import Segment
from purchase_intent.segments.compiled import Compiled, compiled
from purchase_intent.segments.rules import Rule

__all__ = ["LOOK_EVERY", "Active", "active_segments", "forget_segments", "look_again", "read_active"]

LOOK_EVERY: Final = 5.0
"""Seconds between two looks into the database."""

logger = logging.getLogger(__name__)
clock = time.monotonic
"""Seconds; tests replace it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Active:
    """A segment at work: its primary key, its key, the version in force, and the rule made ready."""

    pk: int
    key: str
    version: int
    compiled: Compiled


@dataclass(slots=True)
class _Seat:
    lock: Lock = field(default_factory=Lock)
    found: Mapping[str, Active] | None = None
    looked_at: float = -math.inf
    told: set[int] = field(default_factory=set)
    """Versions that cannot be used and of which that was logged."""


_seat: Final = _Seat()


def active_segments() -> Mapping[str, Active]:
    """Every segment that is switched on, by key; a query every five seconds at most.

    DatabaseError where nothing is known yet and the database is gone.
    """
    seat = _seat
    if seat.found is not None and clock() - seat.looked_at < LOOK_EVERY:
        return seat.found
    with seat.lock:
        if seat.found is None or clock() - seat.looked_at >= LOOK_EVERY:
            try:
                seat.found = MappingProxyType(read_active(seat.found))
            except DatabaseError:
                if seat.found is None:
                    raise
            seat.looked_at = clock()
        return seat.found


def look_again() -> None:
    """Ask the database at the next call."""
    _seat.looked_at = -math.inf


def forget_segments() -> None:
    """Drop what is known of segments and of faults in them."""
    _seat.found = None
    _seat.told.clear()


def read_active(known: Mapping[str, Active] | None = None) -> dict[str, Active]:
    """The segments switched on now, by key; what is in `known` at the same version is not compiled again."""
    before = {each.version: each for each in (known or {}).values()}
    rows = Segment.objects.active().order_by("pk").values_list("pk", "key", "current_id", "current__rule")
    found = {}
    for pk, key, version, rule in rows:
        ready = before[version].compiled if version in before else _ready(key, version, rule)
        if ready is not None:
            found[key] = Active(pk=pk, key=key, version=version, compiled=ready)
    return found


def _ready(key: str, version: int, rule: Any) -> Compiled | None:
    try:
        return compiled(Rule.from_json(rule))
    except SegmentRefused as refused:
        if version not in _seat.told:
            _seat.told.add(version)
            logger.error("Segment %s is left out until its conditions are edited: %s.", key, refused.message)
        return None
