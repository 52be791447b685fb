"""What an experiment's visitors were like before it: how many would have come, their figure, what the score foretold.

Whoever would have been exposed is found by what was known at that moment, and what they did is counted after it. Of
everybody that is the first visit. Of a segment it is the first moment at which a visit belonged to it: visits are lived
through once more, a part of them drawn by the visitor, and judged after each event. Conditions on the nightly scores
cannot be judged so, since only the latest of these are kept, nor those on a score where none was stored: there the
nightly look before the visit says who was a member.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from django.db.models import F

from purchase_intent.exceptions import ExperimentRefused
from purchase_intent.experiments.definition import MetricSpec
from purchase_intent.experiments.measuring.measure import sums
from purchase_intent.experiments.measuring.outcomes import kind_of
from purchase_intent.experiments.measuring.past import Entry, PastEntries, PastVisits
from purchase_intent.experiments.measuring.sql import Statements
from purchase_intent.models import Session
from purchase_intent.segments.active import Active, active_segments
from purchase_intent.segments.lived import visits_lived
from purchase_intent.stats.cuped import Adjustment
from purchase_intent.stats.inference import Kind
from purchase_intent.stats.summaries import Summary

__all__ = ["PERIOD", "Past", "past_of"]

PERIOD: Final = timedelta(days=28)
"""How long: four of each weekday."""
LEAST_SCORED: Final = 100
"""Visitors with a stored score, below whom nothing is said of what scores foretell."""
ENOUGH: Final = 400
"""Entries into a segment from which on no more visits are lived through."""
MOST_VISITS: Final = 6_000
"""Visits that are lived through at most: some seconds of a processor."""
PART: Final = 500
"""Visits of one draw, about."""
_NIGHTLY: Final = frozenset({"customer_score", "customer_band", "churn", "revenue_28d", "value_12m"})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is known of `since` to before `until`.

    `summary` is of the `units` who would have been exposed, and `per_day` their number a day, reckoned up where only a
    `share` of all visits was lived through. `reduction` is the share of the variance that the scores stored then take
    off, told by `scored` visitors; 0.0 of fewer than 100. `by_night`: the segment is told by the nightly look before.
    """

    since: datetime
    until: datetime
    summary: Summary
    units: int
    per_day: float
    share: float = 1.0
    scored: int = 0
    reduction: float = 0.0
    by_night: bool = False


def past_of(metric: MetricSpec, *, segment: str, adjusted: bool, quantile: float, now: datetime) -> Past:
    """Of everybody, or of who belonged to the `segment` of a key, in the 28 days whose window is over at `now`."""
    until = now - timedelta(days=metric.window_days)
    asking = _Asking(metric, quantile, until - PERIOD, until, now)
    if not segment:
        return asking.of_visits(scored=adjusted)
    active = active_segments().get(segment)
    if active is None:  # switched off: nobody belongs to it
        return asking.of_entries([], 1.0, scored=False)
    if not _reads_nightly(active):
        entries, share = _entries(active, asking.since, until)
        if entries:
            return asking.of_entries(entries, share, scored=adjusted)
    return asking.of_visits(scored=adjusted, member=active.pk)


@dataclass(frozen=True, slots=True)
class _Asking:
    metric: MetricSpec
    quantile: float
    since: datetime
    until: datetime
    now: datetime

    def of_visits(self, *, scored: bool, member: int | None = None) -> Past:
        """Each visitor from the first visit on; `member` as in `PastVisits`."""
        visits = partial(PastVisits, since=self.since, until=self.until, now=self.now, segment=member)
        return self._past(visits(), visits(scored=True) if scored else None, by_night=member is not None)

    def of_entries(self, entries: list[Entry], share: float, *, scored: bool) -> Past:
        """Each visitor from an entry on, found in a share of all visits."""
        entered = partial(PastEntries, since=self.since, until=self.until, now=self.now)
        known = [each for each in entries if each.score is not None]
        return self._past(entered(entries), entered(known) if scored else None, share=share)

    def _past(
        self, everybody: Statements, told: Statements | None, *, share: float = 1.0, by_night: bool = False
    ) -> Past:
        summary, units = self._summed(everybody)
        scored, reduction = self._foretold(told) if told is not None else (0, 0.0)
        return Past(
            since=self.since,
            until=self.until,
            summary=summary,
            units=units,
            per_day=units / share / PERIOD.days,
            share=share,
            scored=scored,
            reduction=reduction,
            by_night=by_night,
        )

    def _summed(self, statements: Statements) -> tuple[Summary, int]:
        found = sums(
            statements,
            moment=self.now,
            edges=(self.since, self.until),
            arms={0: ""},
            metrics=(self.metric,),
            quantile=self.quantile,
        )
        return found.summaries(self.metric.name)[""], found.exposed()[""]

    def _foretold(self, statements: Statements) -> tuple[int, float]:
        """How many had a score, and the squared correlation, less what chance alone makes of so many."""
        summary, count = self._summed(statements)
        if count < LEAST_SCORED:
            return count, 0.0
        kind = Kind.RATIO if kind_of(self.metric) is Kind.RATIO else Kind.MEAN
        try:
            found = Adjustment.of([summary], kind).reduction
        except ExperimentRefused:
            return count, 0.0
        return count, min(max(1 - (1 - found) * (count - 1) / (count - 2), 0.0), 0.99)


def _reads_nightly(active: Active) -> bool:
    return any(each.field.name in _NIGHTLY for each in active.compiled.rule.conditions)


def _entries(active: Active, since: datetime, until: datetime) -> tuple[list[Entry], float]:
    """The first moment at which each visitor's visits belonged to a segment, and the share of all visits looked at."""
    visits = Session.objects.of_people().filter(started_at__gte=since, started_at__lt=until).order_by()
    total = visits.count()
    parts = max(-(-total // PART), 1)
    first: dict[int, Entry] = {}
    walked, done = 0, 0
    while done < parts and walked < MOST_VISITS and len(first) < ENOUGH:
        drawn = visits.alias(rest=F("visitor_id") % parts).filter(rest=done).order_by("visitor_id", "pk")
        keys = list(drawn.values_list("pk", flat=True))
        for entry in _first_moments(active, keys):
            known = first.get(entry.visitor)
            if since <= entry.at < until and (known is None or entry.at < known.at):
                first[entry.visitor] = entry
        walked, done = walked + len(keys), done + 1
    return sorted(first.values()), done / parts


def _first_moments(active: Active, keys: list[int]) -> list[Entry]:
    found = []
    for visit, subjects in visits_lived(keys):
        for subject in subjects:
            if active.compiled.holds(subject):
                at = _EPOCH + timedelta(milliseconds=subject.now)
                found.append(Entry(visit.pk, visit.visitor_id, at, subject.intent.probability))
                break
    return found
