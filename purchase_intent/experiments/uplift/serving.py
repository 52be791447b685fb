"""Models of uplift as this process holds them: loaded at the first question, replaced when another serves.

It goes as `scoring.serving` does it for the champion. For up to `LOOK_EVERY` seconds after a change in another process
the former model still answers. A bundle that is refused is logged once and tried again after a minute; meanwhile nobody
is persuadable.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, NamedTuple

from django.db import DatabaseError

from purchase_intent.exceptions import BundleRefused, ForkedTooLate, MissingExtra
from purchase_intent.features.live import read_row
from purchase_intent.features.schema import schema_hash
from purchase_intent.learning.forks import forked_too_late
from purchase_intent.learning.uplift import Cuts, Group, Money, UpliftModel, load_uplift
from purchase_intent.models import UpliftVersion
from purchase_intent.scoring.bundles import opened
from purchase_intent.scoring.serving import spare_threads
from purchase_intent.segments.subject import Subject

__all__ = ["LOOK_EVERY", "RETRY_AFTER", "Persuasion", "forget_uplift", "look_again", "persuasion", "uplift_model"]

LOOK_EVERY: Final = 5.0
RETRY_AFTER: Final = 60.0

logger = logging.getLogger(__name__)
clock = time.monotonic
"""Seconds; tests replace it."""


class Persuasion(NamedTuple):
    """What the treatment of an experiment would do to a visitor now.

    `chance` of the outcome without it, `uplift` added by it. `pays`: whether it is expected to earn more than it costs,
    where the costs are known, else whether the visitor is persuadable. `model` is the key of the version.
    """

    chance: float
    uplift: float
    group: Group
    pays: bool
    model: int


class _OnRecord(NamedTuple):
    key: int
    bundle: str
    sha256: str


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A model at work, and by what it is decided."""

    record: _OnRecord
    model: UpliftModel
    cuts: Cuts
    money: Money | None


@dataclass(slots=True)
class _Seat:
    lock: Lock = field(default_factory=Lock)
    on_record: Mapping[str, _OnRecord] | None = None
    loaded: dict[str, _Loaded] = field(default_factory=dict)
    refused: dict[str, tuple[_OnRecord, float]] = field(default_factory=dict)
    looked_at: float = -math.inf


_seats: Final[list[_Seat]] = [_Seat()]
_inherited: Final[list[_Seat]] = []


def persuasion(key: str, visit: Subject) -> Persuasion | None:
    """What the treatment of an experiment does to a visitor on a visit; None where no model answers.

    Raises ForkedTooLate where a learner would hang, DatabaseError where nothing is known and the database is gone.
    """
    found = uplift_model(key)
    if found is None:
        return None
    effects = found.model.effects(read_row(visit.state, visit.past, visit.now))
    chance, uplift = float(effects.chance[0]), float(effects.uplift[0])
    group = found.cuts.group(chance, uplift)
    pays = group is Group.PERSUADABLE if found.money is None else bool(found.money.worth(chance, uplift) > 0)
    return Persuasion(chance, uplift, group, pays, found.record.key)


def uplift_model(key: str) -> _Loaded | None:
    """The model that answers for an experiment, loaded once a process; one query every five seconds for all of them."""
    if forked_too_late():
        raise ForkedTooLate
    seat = _seats[0]
    record = _on_record(seat).get(key)
    loaded = seat.loaded.get(key)
    if record is None or (loaded is not None and loaded.record == record):
        return loaded if record is not None else None
    with seat.lock:
        loaded = seat.loaded.get(key)
        if loaded is not None and loaded.record == record:
            return loaded
        return _load(seat, key, record)


def look_again() -> None:
    """Ask the database at the next call."""
    _seats[0].looked_at = -math.inf


def forget_uplift() -> None:
    """Drop every model of this process and what it knows of faults."""
    _seats[0] = _Seat()


def _on_record(seat: _Seat) -> Mapping[str, _OnRecord]:
    if seat.on_record is None or clock() - seat.looked_at >= LOOK_EVERY:
        rows = UpliftVersion.objects.serving().order_by()
        columns = ("experiment__key", "pk", "bundle", "bundle_sha256")
        try:
            seat.on_record = {key: _OnRecord(*rest) for key, *rest in rows.values_list(*columns)}
        except DatabaseError:
            if seat.on_record is None:
                raise
        seat.looked_at = clock()
    return seat.on_record


def _load(seat: _Seat, key: str, record: _OnRecord) -> _Loaded | None:
    """The model of a record; None where its bundle is refused, and none is tried again within a minute."""
    refused, until = seat.refused.get(key, (None, -math.inf))
    if refused == record and clock() < until:
        return None
    spare_threads()
    try:
        model = opened(
            record.bundle,
            record.sha256,
            lambda data, signed: load_uplift(data, schema=schema_hash(), key=signed),
            of=f"uplift model {record.key}",
        )
        found = _Loaded(record, model, Cuts(**model.figures["cuts"]), _money(model.figures.get("money")))
    except (BundleRefused, MissingExtra) as fault:
        if refused != record:
            logger.error("Uplift model %s of %s cannot serve: %s", record.key, key, fault.message)
        seat.refused[key] = record, clock() + RETRY_AFTER
        return None
    seat.loaded[key] = found
    return found


def _money(stored: Any) -> Money | None:
    return None if stored is None else Money(**stored)


def _after_fork() -> None:
    """Load anew in the child: what is inherited may be half made, and its lock held by a thread that is not there."""
    if forked_too_late():
        _inherited.extend(_seats)  # to take a used model apart may hang as well
    _seats[:] = [_Seat()]


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_after_fork)
