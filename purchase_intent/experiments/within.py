"""The primary metric within segments: of those who belonged to them when they were first shown an arm.

An exposure names the segments that the visit belonged to then, by the conditions of that moment: whoever is new is new,
and what was done within the visit counts. Of exposures that are older than that record, the nightly look before says
who was a member; nobody new was one. A segment that was made later has nobody before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final

from django.db.models import Exists, OuterRef, QuerySet

from purchase_intent.experiments.definition import MetricSpec
from purchase_intent.experiments.measuring.measure import Measured, measure, statements_of
from purchase_intent.experiments.measuring.stream import rows_of
from purchase_intent.experiments.results import ArmFigure, SegmentResult, Versus
from purchase_intent.models import Experiment, Exposure, Segment, SegmentMembership

__all__ = ["MOST_SEGMENTS", "segment_results"]

MOST_SEGMENTS: Final = 20
"""Segments that are looked into: each takes the primary metric once more."""

Figures = Callable[[Measured], tuple[tuple[ArmFigure, ...], tuple[Versus, ...]]]


def segment_results(
    experiment: Experiment, whole: Measured, primary: MetricSpec, *, edges: Sequence[datetime], figures: Figures
) -> Iterator[SegmentResult]:
    """Each segment that somebody exposed belonged to, the built-in ones first; not the one it is for, which all are in.

    `figures` makes those of the arms from what was measured of some of the people of `whole`.
    """
    told = _told(experiment, whole)
    unknown = told.pop(None, 0)
    at_once: dict[int, int] = {}
    for text, count in told.items():
        for key in Exposure.unlisted(text or ""):
            at_once[key] = at_once.get(key, 0) + count
    for segment in _looked_into(experiment, at_once, whole.moment if unknown else None):
        part = measure(
            experiment,
            moment=whole.moment,
            edges=edges,
            metrics=(primary,),
            segment=segment.pk,
            caps=whole.caps,
            gone=whole.gone,
        )
        if any(each.n for each in part.summaries(primary.name).values()):
            arms, versus = figures(part)
            by_night = int(part.n.sum()) - at_once.get(segment.pk, 0)
            yield SegmentResult(key=segment.key, title=segment.title, arms=arms, versus=versus, by_night=by_night)


def _told(experiment: Experiment, whole: Measured) -> dict[str | None, int]:
    """How many exposures that count name which segments together; of None that is not known."""
    statements = statements_of(experiment, whole.moment, gone=whole.gone)
    return dict(rows_of(statements, statements.sets()))


def _looked_into(experiment: Experiment, named: dict[int, int], by_night: datetime | None) -> list[Segment]:
    """The segments that exposures name, and where some say nothing, those that had members before a moment."""
    known: QuerySet[Segment] = Segment.objects.active().order_by("title", "pk")
    if experiment.segment_id is not None:
        known = known.exclude(pk=experiment.segment_id)
    if by_night is not None:
        joined = SegmentMembership.objects.filter(segment=OuterRef("pk"), entered_at__lt=by_night)
        members = set(known.filter(Exists(joined)).values_list("pk", flat=True))
        found = [each for each in known if each.pk in named or each.pk in members]
    else:
        found = [each for each in known if each.pk in named]
    return sorted(found, key=lambda each: not each.origin)[:MOST_SEGMENTS]
