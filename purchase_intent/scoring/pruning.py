"""What is older than the shop keeps, taken out: events first, then what nothing points at any more. Orders stay.

So do all bundles that a model version names. One that none names was left by a training that was killed between the
bundle's last byte and the record; it goes a week later, when no training can still be about to name it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connections, router, transaction
from django.db.models import Exists, OuterRef, QuerySet

from purchase_intent.conf import config
from purchase_intent.exceptions import ConfigurationError
from purchase_intent.models import (
    DailySalt,
    DeadLetter,
    Event,
    Exposure,
    ModelVersion,
    Order,
    Score,
    SegmentMembership,
    SegmentReport,
    Session,
    TrainingRun,
    UpliftVersion,
    Visitor,
    WatchReport,
)
from purchase_intent.models.partitions import prune_events
from purchase_intent.scoring.bundles import is_ours, remove_bundle, stored_bundles

__all__ = ["Pruned", "prune"]

AT_ONCE: Final = 1_000
"""Rows deleted in one transaction: a run that is killed has lost nothing of what went before."""

ORPHANED: Final = timedelta(days=7)
"""Age at which a bundle that no version names is taken for left behind: a training is given up after six hours."""

logger = logging.getLogger(__name__)

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows of each kind are gone, and how many files of bundles."""

    events: int
    scores: int
    sessions: int
    visitors: int
    reports: int
    bundles: int


def prune(now: datetime, *, progress: Progress | None = None) -> Pruned:
    """Delete what is older than `RETENTION_DAYS` at `now`.

    Events and scores by their own time; closed sessions, and visitors, that were last heard of before then and have
    neither events nor orders left; reports of the watch and of trainings that ended; what was measured of segments,
    counted among the reports, and memberships that ended; exposures whose visitor was never on record; dead letters.
    Orders are kept, with the sessions and visitors they name. Bundles that no version names go after a week; a storage
    that cannot be asked is logged.
    """
    tell = progress or _silent
    before = now - timedelta(days=config().retention_days)
    DailySalt.objects.throw_away(now.date())
    tell("deleting events")
    events = prune_events(before)
    scores = _delete(Score.objects.filter(moment__lt=before), "scores", tell)
    old = Session.objects.filter(closed_at__isnull=False, last_at__lt=before).filter(
        ~_any(Event, "session"), ~_any(Order, "session")
    )
    sessions = _delete(old, "sessions", tell)
    gone = Visitor.objects.filter(last_seen__lt=before).filter(
        ~_any(Event, "visitor"), ~_any(Order, "visitor"), ~_any(Session, "visitor")
    )
    visitors = _delete(gone, "visitors", tell)
    reports = _delete(WatchReport.objects.filter(day__lt=before.date()), "reports", tell)
    reports += _delete(TrainingRun.objects.filter(ended_at__lt=before), "reports", tell)
    _delete(DeadLetter.objects.filter(moment__lt=before), "dead letters", tell)
    reports += _delete(SegmentReport.objects.filter(moment__lt=before), "reports", tell)
    _delete(SegmentMembership.objects.filter(left_at__lt=before), "memberships", tell)
    _delete(Exposure.objects.filter(visitor=None, at__lt=before), "exposures", tell)
    return Pruned(events, scores, sessions, visitors, reports, _orphans_removed(now, tell))


def _orphans_removed(now: datetime, tell: Progress) -> int:
    """Take away the bundles of this shop that no version names and that are a week old; how many.

    Another shop may keep its own in the same place: only what one of this shop's keys has signed is touched. And a
    database without any version may be a fresh one before a storage that is in use: then nothing is.
    """
    if not (ModelVersion.objects.exists() or UpliftVersion.objects.exists()):
        return 0
    tell("looking for bundles that no model names")
    try:
        old = [name for name, written in stored_bundles().items() if written <= now - ORPHANED]
        # Asked after the files were listed: a version that is put on record meanwhile names a file that is not old.
        named = {
            name
            for versions in (ModelVersion.objects, UpliftVersion.objects)
            for name in versions.filter(bundle__in=old).values_list("bundle", flat=True)
        }
        orphans = [name for name in old if name not in named and is_ours(name)]
        for name in orphans:
            remove_bundle(name)
            logger.info("The bundle %s, which no model version names, is removed from the storage.", name)
    except ConfigurationError as fault:
        logger.error("Bundles that no model names were not looked for: %s", fault.message)
        return 0
    return len(orphans)


def _any(model: Any, field: str) -> Exists:
    return Exists(model.objects.filter(**{field: OuterRef("pk")}))


def _delete(rows: QuerySet[Any], what: str, tell: Progress) -> int:
    """Delete the rows of a query, a bounded number at a time; how many, what hangs on them not counted."""
    label, done = rows.model._meta.label, 0  # noqa: SLF001 (documented by Django)
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        with transaction.atomic(using=router.db_for_write(rows.model)):
            # Asked again in the deleting statement: what came meanwhile keeps its row.
            gone = rows.filter(pk__in=_held(rows, keys)).delete()[1].get(label, 0)
        if not gone:
            break
        done += gone
        tell(f"deleting {what}: {done:,}")
    return done


def _held(rows: QuerySet[Any], keys: list[int]) -> list[int]:
    """Those of the rows that nobody else writes until the transaction ends: so no score comes to a row that goes."""
    alias = router.db_for_write(rows.model)
    found = rows.model._default_manager.using(alias).filter(pk__in=keys).order_by("pk")  # noqa: SLF001 (the same)
    if connections[alias].features.has_select_for_update_skip_locked:
        found = found.select_for_update(skip_locked=True)
    return list(found.values_list("pk", flat=True))


def _silent(step: str) -> None:
    """Nobody watches."""
