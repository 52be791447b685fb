"""Memberships told anew, every night or after an edit: who enters a segment, who leaves it, what is measured of it.

What is stored is compared with what the rules say, page by page in short transactions. So a run that was killed, or is
done twice, goes on where it was: whoever stands right already is not touched. Whoever is on a visit keeps what they
had until the next run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from django.db import DatabaseError, connections, router, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from numpy.typing import NDArray

from purchase_intent.exceptions import SegmentRefused
from purchase_intent.learning.intervals import wilson
from purchase_intent.models import Order, Segment, SegmentMembership, SegmentReport
from purchase_intent.models.bulk import listed
from purchase_intent.models.segment import Why
from purchase_intent.scoring.nights import RECENT
from purchase_intent.segments.active import Active, read_active
from purchase_intent.segments.figures import Figure, figures
from purchase_intent.segments.people import pages
from purchase_intent.segments.subject import People
from purchase_intent.segments.tally import Tally, spending

__all__ = ["AFTER", "Filled", "fill_beside", "fill_segments"]

AFTER: Final = timedelta(days=7)
"""Orders within so long after entering are counted."""
MOST_TRIES: Final = 5
AT_ONCE: Final = 1_000
"""Memberships of one statement."""

logger = logging.getLogger(__name__)

Progress = Callable[[str], None]
Masks = NDArray[np.bool_]


@dataclass(slots=True)
class Filled:
    """What a run did: shoppers looked at, memberships begun and ended, members by the segment's key."""

    looked_at: int = 0
    entered: int = 0
    left: int = 0
    sizes: Mapping[str, int] = field(default_factory=dict)


class _Edited(Exception):
    """Somebody changed a segment meanwhile."""


def fill_segments(moment: datetime, *, keys: Collection[str] | None = None, progress: Progress | None = None) -> Filled:
    """Tell the members of the segments that are switched on, as of `moment` (aware), and measure them.

    `keys` limits it to some segments. Where one is edited meanwhile, it begins again with the new conditions; raises
    SegmentRefused where that happens five times.
    """
    done = Filled()
    for attempt in range(MOST_TRIES):
        segments = [each for key, each in sorted(read_active().items()) if keys is None or key in keys]
        try:
            return _filled(segments, moment, done, progress or _silent)
        except _Edited:
            if attempt == MOST_TRIES - 1:
                raise SegmentRefused("The segments kept being edited: run it again.") from None
    return done


def _filled(segments: Sequence[Active], moment: datetime, done: Filled, progress: Progress) -> Filled:
    tally = Tally.empty(len(segments))
    for people in pages(moment):
        masks = _masks(segments, people)
        _write(segments, people, masks, moment, done)
        tally.add(people, masks, spending(people, moment))
        progress(f"looking at shoppers: {int(tally.people[-1]):,}")
    _end_absent(segments, moment, done)
    done.looked_at = int(tally.people[-1])
    done.sizes = {each.key: int(tally.people[place]) for place, each in enumerate(segments)}
    with transaction.atomic(using=router.db_for_write(SegmentReport)):
        _still(segments)
        for place, each in enumerate(segments):
            _report(each, tally, place, moment)
    return done


def _masks(segments: Sequence[Active], people: People) -> Masks:
    if not segments:
        return np.zeros((0, len(people)), np.bool_)
    return np.vstack([each.compiled.mask(people) for each in segments])


def _still(segments: Sequence[Active]) -> None:
    """Raise _Edited where one of the segments is no longer as it was read."""
    wanted = {each.pk: each.version for each in segments}
    now = dict(Segment.objects.active().filter(pk__in=wanted).order_by().values_list("pk", "current_id"))
    if now != wanted:
        raise _Edited


def _write(segments: Sequence[Active], people: People, masks: Masks, moment: datetime, done: Filled) -> None:
    """Bring the memberships of a page of visitors up to date, all or nothing."""
    judged = people.keys.tolist()
    with transaction.atomic(using=router.db_for_write(SegmentMembership)):
        _still(segments)
        held = _held(segments, judged)
        fresh: list[SegmentMembership] = []
        ended: dict[str, list[int]] = {Why.RULE: [], Why.EDIT: []}
        for each, mask in zip(segments, masks, strict=True):
            members = set(people.keys[mask].tolist())
            mine = held.get(each.pk, {})
            for visitor, (row, version) in mine.items():
                if visitor not in members:
                    ended[Why.RULE if version == each.version else Why.EDIT].append(row)
                elif version != each.version:
                    ended[Why.EDIT].append(row)
            stay = {visitor for visitor, (_, version) in mine.items() if version == each.version}
            fresh += [
                SegmentMembership(segment_id=each.pk, version_id=each.version, visitor_id=visitor, entered_at=moment)
                for visitor in sorted(members - stay)
            ]
        for why, rows in ended.items():
            done.left += _end(Q(pk__in=listed(rows)), moment, why) if rows else 0
        SegmentMembership.objects.bulk_create(fresh, batch_size=AT_ONCE, ignore_conflicts=True)
        done.entered += len(fresh)


def _held(segments: Sequence[Active], visitors: Sequence[int]) -> dict[int, dict[int, tuple[int, int]]]:
    """Open memberships by segment and visitor: each one's row and version."""
    found: dict[int, dict[int, tuple[int, int]]] = {each.pk: {} for each in segments}
    rows = SegmentMembership.objects.open().filter(segment__in=list(found), visitor__in=listed(visitors)).order_by()
    for pk, segment, visitor, version in rows.values_list("pk", "segment_id", "visitor_id", "version_id"):
        found[segment][visitor] = pk, version
    return found


def _end(which: Q, moment: datetime, why: str) -> int:
    """End memberships; how many. One that began later than `moment` was written by a later run, and stays."""
    rows = SegmentMembership.objects.open().filter(which, entered_at__lte=moment).order_by()
    return rows.update(left_at=moment, why=why)


def _end_absent(segments: Sequence[Active], moment: datetime, done: Filled) -> None:
    """End the memberships of who has not been seen for 90 days, or turned out to be no shopper."""
    gone = Q(visitor__last_seen__lt=moment - RECENT) | ~Q(visitor__bot="") | Q(visitor__joined=True)
    waiting = SegmentMembership.objects.open().filter(gone, segment__in=[each.pk for each in segments]).order_by("pk")
    last = 0
    while rows := list(waiting.filter(pk__gt=last).values_list("pk", flat=True)[:AT_ONCE]):
        last = rows[-1]
        done.left += _end(Q(pk__in=listed(rows)), moment, Why.AWAY)


def _report(segment: Active, tally: Tally, place: int, moment: datetime) -> None:
    found: dict[str, Any] = figures(tally, place, told=segment.compiled.rule.fields)
    SegmentReport.objects.update_or_create(
        segment_id=segment.pk,
        moment=moment,
        defaults={
            "version_id": segment.version,
            "size": int(tally.people[place]),
            "looked_at": int(tally.people[-1]),
            "figures": found | {"after": _after(segment, moment)},
        },
    )


def _after(segment: Active, moment: datetime) -> Figure | None:
    """Of those who entered by this version, seven days ago or more, the share that ordered within seven days."""
    placed = Order.objects.filter(
        visitor=OuterRef("visitor"), placed_at__gt=OuterRef("entered_at"), placed_at__lte=OuterRef("entered_at") + AFTER
    )
    entered = SegmentMembership.objects.filter(
        segment=segment.pk, version=segment.version, entered_at__lte=moment - AFTER, entered_at__gt=moment - RECENT
    ).order_by()
    total = entered.count()
    if not total:
        return None
    hits = entered.filter(Exists(placed)).count()
    low, high = wilson(hits, total)
    return {"value": hits / total, "low": low, "high": high, "of": float(total)}


def _silent(step: str) -> None:
    """Nobody watches."""


def fill_beside(key: str) -> None:
    """Tell one segment's members, in a thread beside a page."""
    try:
        fill_segments(timezone.now(), keys=[key])
    except DatabaseError:
        logger.exception("The members of %s were not told: the nightly task does it.", key)
    finally:
        connections.close_all()
