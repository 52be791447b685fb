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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, NamedTuple, TypeAlias

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

__all__ = ["LOOK_EVERY", "RETRY_AFTER", "Persuasion", "forget_uplift", "look_again", "persuasion", "uplift_models"]

LOOK_EVERY: Final = 5.0
RETRY_AFTER: Final = 60.0

logger = logging.getLogger(__name__)
clock = time.monotonic
"""Seconds; tests replace it."""


class Persuasion(NamedTuple):
    """What a treatment of an experiment would do to a visitor now.

    `chance` of the outcome without it, `uplift` added by it. `pays`: whether it is expected to earn more than it costs,
    where the costs are known, else whether the visitor is persuadable. `model` is the key of the version, `arm` that of
    the treatment.
    """

    chance: float
    uplift: float
    group: Group
    pays: bool
    model: int
    arm: str = ""


class _OnRecord(NamedTuple):
    treatment: str
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


_Name: TypeAlias = tuple[str, str]
"""An experiment and one of its treatments."""


@dataclass(slots=True)
class _Seat:
    lock: Lock = field(default_factory=Lock)
    on_record: Mapping[str, Sequence[_OnRecord]] | None = None
    loaded: dict[_Name, _Loaded] = field(default_factory=dict)
    refused: dict[_Name, tuple[_OnRecord, float]] = field(default_factory=dict)
    looked_at: float = -math.inf


_seats: Final[list[_Seat]] = [_Seat()]
_inherited: Final[list[_Seat]] = []


def persuasion(key: str, visit: Subject, *, arm: str = "") -> Persuasion | None:
    """What a treatment of an experiment does to a visitor on a visit; None where no model answers.

    Without `arm`, of several treatments, the one that is expected to earn most; where the costs of one of them are not
    known, the one that adds most. Raises ForkedTooLate where a learner would hang, DatabaseError where nothing is known
    and the database is gone.
    """
    models = uplift_models(key, arm=arm)
    if not models:
        return None
    row = read_row(visit.state, visit.past, visit.now)
    told = [_answered(each, row) for each in models]
    by = 1 if all(worth is not None for _, worth in told) else 0
    return max(told, key=lambda each: (each[0].uplift, each[1])[by] or 0.0)[0]


def _answered(found: _Loaded, row: Any) -> tuple[Persuasion, float | None]:
    """What one model says, and what treating is expected to earn, where the costs are known."""
    effects = found.model.effects(row)
    chance, uplift = float(effects.chance[0]), float(effects.uplift[0])
    group = found.cuts.group(chance, uplift)
    worth = None if found.money is None else float(found.money.worth(chance, uplift))
    pays = group is Group.PERSUADABLE if worth is None else worth > 0
    return Persuasion(chance, uplift, group, pays, found.record.key, found.record.treatment), worth


def uplift_models(key: str, *, arm: str = "") -> list[_Loaded]:
    """The models that answer for an experiment, or for one of its treatments; each is loaded once a process.

    One query every five seconds for all experiments.
    """
    if forked_too_late():
        raise ForkedTooLate
    seat = _seats[0]
    records = [each for each in _on_record(seat).get(key, ()) if not arm or each.treatment == arm]
    return [found for each in records if (found := _model(seat, key, each)) is not None]


def _model(seat: _Seat, key: str, record: _OnRecord) -> _Loaded | None:
    name = key, record.treatment
    loaded = seat.loaded.get(name)
    if loaded is not None and loaded.record == record:
        return loaded
    with seat.lock:
        loaded = seat.loaded.get(name)
        if loaded is not None and loaded.record == record:
            return loaded
        return _load(seat, name, record)


def look_again() -> None:
    """Ask the database at the next call."""
    _seats[0].looked_at = -math.inf


def forget_uplift() -> None:
    """Drop every model of this process and what it knows of faults."""
    _seats[0] = _Seat()


def _on_record(seat: _Seat) -> Mapping[str, Sequence[_OnRecord]]:
    if seat.on_record is None or clock() - seat.looked_at >= LOOK_EVERY:
        rows = UpliftVersion.objects.serving().order_by("pk")
        columns = ("experiment__key", "treatment", "pk", "bundle", "bundle_sha256")
        found: dict[str, list[_OnRecord]] = {}
        try:
            for key, *rest in rows.values_list(*columns):
                found.setdefault(key, []).append(_OnRecord(*rest))
            seat.on_record = found
        except DatabaseError:
            if seat.on_record is None:
                raise
        seat.looked_at = clock()
    return seat.on_record


def _load(seat: _Seat, name: _Name, record: _OnRecord) -> _Loaded | None:
    """The model of a record; None where its bundle is refused, and none is tried again within a minute."""
    refused, until = seat.refused.get(name, (None, -math.inf))
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
            logger.error("Uplift model %s of %s cannot serve: %s", record.key, name[0], fault.message)
        seat.refused[name] = record, clock() + RETRY_AFTER
        return None
    seat.loaded[name] = found
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
