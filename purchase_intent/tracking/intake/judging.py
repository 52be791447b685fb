"""The events of a batch, judged one by one: what is fit, what is refused and why, what was there already."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from purchase_intent import models
from purchase_intent.events import Event, Reason
from purchase_intent.exceptions import EventRefused
from purchase_intent.metrics import DEDUPLICATED
from purchase_intent.models.session import IDLE
from purchase_intent.tracking.intake.batch import Batch, Verdict
from purchase_intent.tracking.refusals import note_refusal

__all__ = ["Judged", "judged", "stored_ids", "verdicts_of"]


@dataclass(slots=True)
class Judged:
    """By place in the batch: the events that are fit, why the others are refused, and which were recorded just now."""

    fit: dict[int, Event] = field(default_factory=dict)
    refused: dict[int, EventRefused] = field(default_factory=dict)
    accepted: set[int] = field(default_factory=set)

    def visits(self, places: Iterable[int]) -> list[list[int]]:
        """Those places by the time of their events, cut where a session ends."""
        visits: list[list[int]] = []
        for place in sorted(places, key=lambda at: self.fit[at].occurred_at):
            if not visits or self.fit[place].occurred_at - self.fit[visits[-1][-1]].occurred_at > IDLE:
                visits.append([])
            visits[-1].append(place)
        return visits

    def new(self, places: Sequence[int], stored: Collection[str]) -> list[int]:
        """Those places whose events are not stored, each id once."""
        firsts: dict[str, int] = {}
        for place in places:
            firsts.setdefault(self.fit[place].event_id, place)
        return [place for event_id, place in firsts.items() if event_id not in stored]

    def accept(self, places: Sequence[int], recorded: Iterable[Event]) -> None:
        """Note which of the events at those places were recorded."""
        ids = {event.event_id for event in recorded}
        self.accepted.update(place for place in places if self.fit[place].event_id in ids)


def judged(
    payloads: Sequence[Any],
    read: Callable[[int, dict[str, Any]], Event],
    *,
    note: Callable[[str, str], object] = note_refusal,
) -> Judged:
    """Read each event by itself, with its place: one that is not fit takes none of the others with it.

    `note` is told the reason and the field of each refusal.
    """
    found = Judged()
    for place, payload in enumerate(payloads):
        try:
            if not isinstance(payload, dict):
                raise EventRefused(field="events", reason=Reason.NO_OBJECT, remedy="give each event as an object")
            found.fit[place] = read(place, payload)
        except EventRefused as refusal:
            found.refused[place] = refusal
            note(str(refusal.reason), refusal.field)
    return found


def stored_ids(key: str, site: str, events: Iterable[Event]) -> set[str]:
    """Which of the events the session holds already, whoever its visitor was when they came."""
    ids = {event.event_id for event in events}
    there = models.Event.objects.filter(session__key=key, session__site=site, event_id__in=ids).order_by()
    return set(there.values_list("event_id", flat=True))


def verdicts_of(batch: Batch, found: Judged) -> list[Verdict]:
    """What to answer, in the order sent; what was there already is counted."""
    DEDUPLICATED.add(len(found.fit) - len(found.accepted))
    return [
        Verdict.of(place, batch.events[place], "refused", found.refused[place])
        if place in found.refused
        else Verdict.of(place, batch.events[place], "accepted" if place in found.accepted else "duplicate")
        for place in sorted({*found.fit, *found.refused})
    ]
