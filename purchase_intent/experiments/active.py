"""Every experiment as this process holds it: read and made ready once, looked for again every five seconds.

One race is accepted: for up to `LOOK_EVERY` seconds after a change in another process the former state stands.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from django.db import DatabaseError

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.design import Design
from purchase_intent.experiments.stored import allocation_of
from purchase_intent.models import Experiment, ExperimentState
from purchase_intent.stats.bucketing import Allocation

__all__ = ["LOOK_EVERY", "Ready", "experiment_called", "experiments", "forget_experiments", "look_again"]

LOOK_EVERY: Final = 5.0
"""Seconds between two looks into the database."""

_MOST_TOLD: Final = 200

logger = logging.getLogger(__name__)
clock = time.monotonic
"""Seconds; tests replace it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """An experiment at work. `default` is the arm of whoever it leaves alone, `arms` holds primary keys by arm.

    `is_bandit`: its weights move, so that the hash of a visitor says the arm only until it was shown.
    """

    pk: int
    key: str
    is_running: bool
    default: str
    segment: str
    is_bandit: bool
    allocation: Allocation
    arms: Mapping[str, int]

    @property
    def kept_back(self) -> str:
        """The control: what whom a holdout keeps out is shown for good."""
        return self.allocation.arms[0]


@dataclass(slots=True)
class _Seat:
    lock: Lock = field(default_factory=Lock)
    found: Mapping[str, Ready] | None = None
    looked_at: float = -math.inf
    told: set[str] = field(default_factory=set)


_seat: Final = _Seat()


def experiments() -> Mapping[str, Ready]:
    """Every experiment by key; some queries every five seconds at most. DatabaseError where nothing is known yet."""
    if _seat.found is not None and clock() - _seat.looked_at < LOOK_EVERY:
        return _seat.found
    with _seat.lock:
        if _seat.found is None or clock() - _seat.looked_at >= LOOK_EVERY:
            try:
                _seat.found = _read()
            except DatabaseError:
                if _seat.found is None:
                    raise
            _seat.looked_at = clock()
        return _seat.found


def experiment_called(key: str) -> Ready | None:
    """The experiment of a key, or None, which is logged once a key."""
    found = experiments().get(key)
    if found is None and key not in _seat.told and len(_seat.told) < _MOST_TOLD:
        _seat.told.add(key)
        logger.warning("No experiment has the key %r: nobody is shown an arm of it.", key)
    return found


def look_again() -> None:
    """Ask the database at the next call."""
    _seat.looked_at = -math.inf


def forget_experiments() -> None:
    """Drop what is known of experiments and of faults in them."""
    _seat.found = None
    _seat.told.clear()


def _read() -> dict[str, Ready]:
    rows = Experiment.objects.select_related("segment", "group", "holdout").prefetch_related("arms", "metrics")
    return {row.key: ready for row in rows if (ready := _ready(row)) is not None}


def _ready(row: Experiment) -> Ready | None:
    try:
        allocation = allocation_of(row)
    except ExperimentRefused as refused:
        if row.key not in _seat.told:
            _seat.told.add(row.key)
            logger.error("Experiment %s is left out: %s.", row.key, refused.message)
        return None
    return Ready(
        pk=row.pk,
        key=row.key,
        is_running=row.state == ExperimentState.RUNNING,
        default=row.shipped or row.control,
        segment=row.segment.key if row.segment is not None else "",
        is_bandit=Design.from_json(row.design).bandit is not None,
        allocation=allocation,
        arms={arm.key: arm.pk for arm in row.arms.all()},
    )
