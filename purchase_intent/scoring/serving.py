"""The champion as this process holds it: loaded once, replaced when another is promoted, dropped at a fork.

With it goes what is on record beside its bundle: the correction of its log-odds, and the rule for the shop's offer.

Two races are accepted. For up to `LOOK_EVERY` seconds after a promotion in another process the former champion still
answers. And while one thread loads a new champion, the others answer with the former one instead of waiting.
"""

from __future__ import annotations

import logging
import math
import os
import sys
import time
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import DatabaseError
from django.db.models import FilteredRelation, OuterRef, Q, Subquery

from purchase_intent.exceptions import BundleRefused, ForkedTooLate, IntentError, MissingExtra, ModelNotFound
from purchase_intent.learning import MEMBERS, Calibration
from purchase_intent.learning.forks import forked_too_late
from purchase_intent.learning.offers import Range
from purchase_intent.learning.shift import shifted
from purchase_intent.metrics import MODEL
from purchase_intent.models import ModelVersion, OfferRule
from purchase_intent.scoring.bundles import heirs, load_bundle
from purchase_intent.scoring.offering import range_of
from purchase_intent.signals import model_promoted

if TYPE_CHECKING:
    from purchase_intent.learning import IntentEnsemble

__all__ = ["LOOK_EVERY", "RETRY_AFTER", "Serving", "champion", "forget", "look_again", "spare_threads"]

LOOK_EVERY: Final = 5.0
"""Seconds between two looks into the database for another champion."""
RETRY_AFTER: Final = 60.0
"""Seconds after which a bundle that was refused, or a learner that was missing, is tried again."""

logger = logging.getLogger(__name__)
clock = time.monotonic
"""Seconds; tests replace it."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A model at work: its record, and the model with the recalibration in force, whose key is `recalibration`.

    `plain` is the model as its bundle holds it, where the two differ. `offer` holds the probabilities that get the
    shop's offer; None where the shop has stored no rule for it.
    """

    version: ModelVersion
    model: IntentEnsemble
    recalibration: int | None = None
    plain: IntentEnsemble | None = None
    offer: Range | None = None


class _OnRecord(NamedTuple):
    """A champion's key, its bundle's SHA-256, the correction of its log-odds and the offer's rule that are in force."""

    key: int
    sha256: str
    recalibration: int | None
    slope: float | None
    intercept: float | None
    offer: int | None


@dataclass(slots=True)
class _Seat:
    """What this process knows of one horizon. Times are those of `clock`."""

    lock: Lock = field(default_factory=Lock)
    serving: Serving | None = None
    found: _OnRecord | None = None
    """The champion as the database held it."""
    looked_at: float = -math.inf
    retry_at: float = math.inf
    told: set[object] = field(default_factory=set)
    """Faults that have been logged."""


_seats: Final[dict[str, _Seat]] = {}
_inherited: Final[list[dict[str, _Seat]]] = []


def champion(horizon: str = "session") -> Serving | None:
    """The model that serves a horizon in this process; None where there is none yet, or none that can be loaded.

    Where the champion's bundle is refused, the last champion before it whose bundle is sound. A fault is logged once.
    Raises ForkedTooLate where a learner would hang, DatabaseError where nothing is known and the database is gone.
    """
    if forked_too_late():
        raise ForkedTooLate
    seat = _seats.setdefault(horizon, _Seat())
    if clock() - seat.looked_at < LOOK_EVERY:
        return seat.serving
    if not seat.lock.acquire(blocking=seat.serving is None):
        return seat.serving
    try:
        if clock() - seat.looked_at >= LOOK_EVERY:
            _look(seat, horizon)
    finally:
        seat.lock.release()
    return seat.serving


def look_again(**_signal: Any) -> None:
    """Ask the database at the next call; what is loaded stays where it still serves."""
    for seat in list(_seats.values()):
        seat.looked_at = -math.inf


def forget() -> None:
    """Drop every model of this process and what it knows of faults; the next call loads anew."""
    _seats.clear()


def spare_threads() -> None:
    """Have learners that are about to be imported start no threads."""
    if not any(member.package in sys.modules for member in MEMBERS.values()):
        # They read it when they are first imported; with more threads, a child forked later would hang in them.
        os.environ.setdefault("OMP_NUM_THREADS", "1")


def _look(seat: _Seat, horizon: str) -> None:
    try:
        found = _champion_on_record(horizon)
        if found != seat.found or clock() >= seat.retry_at:
            seat.serving = _offering(_corrected(_loaded(seat, horizon), found), found)
            seat.found = found
            MODEL.set(seat.serving.version.pk if seat.serving is not None else 0, horizon=horizon)
    except DatabaseError:
        if seat.serving is None:
            raise
    seat.looked_at = clock()


def _champion_on_record(horizon: str) -> _OnRecord | None:
    in_force = FilteredRelation("recalibrations", condition=Q(recalibrations__ended_at=None))
    columns = ("pk", "bundle_sha256", "correction__pk", "correction__slope", "correction__intercept")
    rule = OfferRule.objects.in_force().filter(horizon=OuterRef("horizon")).values("pk")[:1]
    champions = ModelVersion.objects.of(horizon).champions().annotate(correction=in_force)
    found = champions.values_list(*columns, Subquery(rule)).first()
    return None if found is None else _OnRecord(*found)


def _corrected(serving: Serving | None, found: _OnRecord | None) -> Serving | None:
    """The model with the correction in force; one that serves in the champion's stead has none."""
    if serving is None or found is None or serving.version.pk != found.key:
        return serving
    if found.slope is None or found.intercept is None:
        return serving
    model = shifted(serving.model, Calibration(found.slope, found.intercept))
    return Serving(serving.version, model, recalibration=found.recalibration, plain=serving.model)


def _offering(serving: Serving | None, found: _OnRecord | None) -> Serving | None:
    """The model with the range of the offer's rule in force, worked out for this very model."""
    if serving is None or found is None or found.offer is None:
        return serving
    rule = OfferRule.objects.filter(pk=found.offer).first()
    if rule is None:
        return serving
    is_corrected = serving.recalibration is not None and found.slope is not None and found.intercept is not None
    shift = Calibration(found.slope or 1.0, found.intercept or 0.0) if is_corrected else Calibration()
    return replace(serving, offer=range_of(rule, serving.plain or serving.model, shift))


def _loaded(seat: _Seat, horizon: str) -> Serving | None:
    """The first heir whose bundle is sound; the model that serves already is not read again."""
    spare_threads()
    seat.retry_at = math.inf
    try:
        for version in heirs(horizon):
            if (serving := _served_by(seat, version)) is not None:
                return serving
    except ModelNotFound:
        return None
    return None


def _served_by(seat: _Seat, version: ModelVersion) -> Serving | None:
    serving = seat.serving
    if serving is not None and _identity(serving.version) == _identity(version):
        return Serving(version, serving.plain or serving.model)
    try:
        return Serving(version, load_bundle(version))
    except (BundleRefused, MissingExtra) as refused:
        seat.retry_at = clock() + RETRY_AFTER
        _tell(seat, version, refused)
        return None


def _tell(seat: _Seat, version: ModelVersion, refused: IntentError) -> None:
    # A learner that is not installed is one fault, however many versions need it.
    fault: object = refused.message if isinstance(refused, MissingExtra) else _identity(version)
    if fault not in seat.told:
        seat.told.add(fault)
        logger.error("Model %s cannot serve: %s", version.pk, refused.message)


def _identity(version: ModelVersion) -> tuple[int, str]:
    return version.pk, version.bundle_sha256


def _after_fork() -> None:
    """Load anew in the child: what is inherited may be half made, and its lock held by a thread that is not there."""
    if forked_too_late():
        _inherited.append(dict(_seats))  # to take a used model apart may hang as well
    _seats.clear()


model_promoted.connect(look_again, dispatch_uid="purchase_intent.scoring.serving")
if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_after_fork)
