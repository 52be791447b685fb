"""The other end of a detour: lines recorded one by one, each once however often it comes, and none of them lost.

What can never be recorded becomes a dead letter with its reason. What cannot be now, since the database is gone, stays
where it was: the fault is raised.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

from django.db import DatabaseError, DataError, IntegrityError, InterfaceError

from purchase_intent.conf import config
from purchase_intent.events import ClientEvent, Event
from purchase_intent.exceptions import EntryRefused
from purchase_intent.metrics import DEAD, DEDUPLICATED
from purchase_intent.models import DeadLetter, Origin, Visitor
from purchase_intent.models import Event as Row
from purchase_intent.models.session import IDLE
from purchase_intent.tracking.place import earlier_key
from purchase_intent.tracking.recorder import Journey, Recorded
from purchase_intent.tracking.sinks.chain import chain
from purchase_intent.tracking.sinks.entry import Entry, loads
from purchase_intent.tracking.sinks.places import settled
from purchase_intent.tracking.sinks.spool import taken

__all__ = [
    "Arrived",
    "arrived",
    "bury",
    "note_scripts",
    "record_entry",
    "record_lines",
    "replay",
    "replay_dead_letters",
    "replay_spool",
]

logger = logging.getLogger("purchase_intent.tracking")

BATCH: Final = 500
"""Lines held in memory at a time."""
LONGEST_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class Arrived:
    """What became of some lines: events recorded, events there already, and lines that are dead letters now."""

    events: int = 0
    known: int = 0
    dead: int = 0

    def __add__(self, other: Arrived) -> Arrived:
        return Arrived(self.events + other.events, self.known + other.known, self.dead + other.dead)


def replay_spool() -> Arrived:
    """Record what is in the spool, and delete what is recorded. Raises DatabaseError where the database is gone.

    One process at a time does it: for another there is nothing to do. One that is killed leaves the file it was at,
    and the next begins that file again.
    """
    done, folder = Arrived(), config().spool
    if not folder:
        return done
    with taken(Path(folder)) as files:
        for path in files:
            with path.open("rb") as file:
                # One without its end was never acknowledged: its writer was cut off in it.
                lines = (line.removesuffix(b"\n") for line in file if line.endswith(b"\n"))
                while part := list(islice(lines, BATCH)):
                    done += record_lines(part, Origin.SPOOL)
            path.unlink()
    return done


def replay_dead_letters() -> Arrived:
    """Try every dead letter again; those that are recorded are gone, the others stay with their latest reason."""
    done, last = Arrived(), 0
    while letters := list(DeadLetter.objects.filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = letters[-1].pk
        for letter in letters:
            done += replay(letter)
    return done


def replay(letter: DeadLetter) -> Arrived:
    """Try one dead letter again: recorded, it is gone; otherwise it stays with its latest reason."""
    found = _recorded(bytes(letter.line))
    if isinstance(found, str):
        DeadLetter.objects.filter(pk=letter.pk).update(reason=found)
        return Arrived(dead=1)
    DeadLetter.objects.filter(pk=letter.pk).delete()
    chain().recorded_aside()
    return found


def record_lines(lines: Sequence[bytes], origin: Origin) -> Arrived:
    """Record lines in their order. Raises DatabaseError where the database is gone; to be begun again then."""
    done = Arrived()
    for line in lines:
        found = _recorded(line)
        done += bury([(line, found)], origin) if isinstance(found, str) else found
    if done.events:
        chain().recorded_aside()
    return done


def bury(dead: Iterable[tuple[bytes, str]], origin: Origin) -> Arrived:
    """Make dead letters of lines with their reasons."""
    letters = [DeadLetter(origin=origin, reason=reason, line=line) for line, reason in dead]
    DeadLetter.objects.bulk_create(letters)
    DEAD.add(len(letters))
    for letter in letters:
        logger.error("A line of the %s became a dead letter: %s", origin.label, letter.reason)
    return Arrived(dead=len(letters))


def record_entry(entry: Entry) -> Recorded | str:
    """What became of an entry; the reason where it can never be recorded. Raises DatabaseError for now only."""
    try:
        try:
            return _record(entry)
        except IntegrityError:
            if entry.given is None:
                raise
            # Of a model version that is deleted: the events stand without their score.
            return _record(replace(entry, given=None))
    except (DataError, IntegrityError) as error:
        return _reason(error)
    except (DatabaseError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - one that is not fit must not hold up all others
        return _reason(error)


def _recorded(line: bytes) -> Arrived | str:
    """What became of a line; the reason where it can never be recorded."""
    try:
        entry = loads(line)
    except EntryRefused as refusal:
        return refusal.message[:LONGEST_REASON]
    found = record_entry(entry)
    if isinstance(found, str):
        return found
    note_scripts([(entry, found)])
    return arrived(entry, found)


def note_scripts(recorded: Iterable[tuple[Entry, Recorded]]) -> None:
    """Remember in whose browsers the shop's script runs, of entries that are recorded: one query a site, mostly."""
    found: dict[str, dict[str, datetime]] = {}
    for entry, each in recorded:
        if entry.scripted:
            found.setdefault(entry.sender.site, {})[each.visitor] = entry.received
    for site, cookies in found.items():
        Visitor.objects.note_script(cookies.keys(), site=site, now=max(cookies.values()))


def arrived(entry: Entry, recorded: Recorded) -> Arrived:
    """The figures of an entry that is recorded."""
    known = max(len(entry.events) - recorded.added, 0)
    DEDUPLICATED.add(known)
    return Arrived(events=recorded.added, known=known)


def _record(entry: Entry) -> Recorded:
    sender = entry.sender
    if not entry.events:
        return Recorded(sender.visitor, sender.session, 0)
    journey, moments = Journey(sender), [event.occurred_at for event in entry.events]
    session = journey.session(at=min(moments))
    # What came late, after another visit has begun, is of an earlier one than the cookie's.
    if session is not None and max(moments) < session.started_at - IDLE:
        journey = Journey(replace(sender, session=earlier_key(session, min(moments), max(moments))))
        recorded = _written(journey, entry)
        return replace(recorded, visitor=sender.visitor, session=sender.session)
    return _written(journey, entry)


def _written(journey: Journey, entry: Entry) -> Recorded:
    score = None
    if entry.given is not None:
        journey.foreseen, score = entry.given.digest, entry.given.intent
    events = _unknown(journey, settled(journey, entry.events))
    return journey.record(events, score=score, received=entry.received)


def _unknown(journey: Journey, events: list[Event]) -> list[Event]:
    """Without what a client has sent before, as somebody whom a login has made another since: its keys are others."""
    session = journey.session(at=min(event.occurred_at for event in events))
    ids = {event.event_id for event in events if isinstance(event, ClientEvent)}
    if session is None or not ids or session.visitor.cookie == journey.sender.visitor:
        return events
    rows = Row.objects.filter(session=session, event_id__in=ids).order_by()
    stored = set(rows.values_list("event_id", flat=True))
    return [event for event in events if event.event_id not in stored]


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".strip()[:LONGEST_REASON]
