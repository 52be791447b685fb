"""The drain: what waits in the stream recorded in batches, acknowledged after the commit, by one process at a time.

One, so that the events of a session are recorded in their order. Who drains holds a lease, which runs out when it is
killed; then everything it had begun is another's to take over. An entry that ends its process again and again is tried
by itself, and in the end becomes a dead letter.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event
from typing import Any, Final

from purchase_intent.conf import config
from purchase_intent.exceptions import EntryRefused
from purchase_intent.models import Origin
from purchase_intent.tracking.recorder import Recorded
from purchase_intent.tracking.sinks.arriving import Arrived, arrived, bury, note_scripts, record_entry, replay_spool
from purchase_intent.tracking.sinks.entry import Entry, loads
from purchase_intent.tracking.sinks.snapshots import open_sessions, packed
from purchase_intent.tracking.sinks.together import Together, record_together
from purchase_intent.tracking.sinks.wire import FIELD, GROUP, STREAM, Done, Wire, live_key, moved_key, tail_key, wire_to

__all__ = ["drain", "drain_stream", "faults"]

BATCH: Final = 500
"""Entries of one transaction."""
LEASE_SECONDS: Final = 15.0
"""How long a lease lasts without being renewed; it is renewed before each batch."""
SUSPECT: Final = 3
"""Deliveries after which an entry is tried by itself."""
HOPELESS: Final = 10
"""Deliveries after which it is a dead letter."""
WAIT: Final = 1000
"""Milliseconds that a drain which goes on waits for news at a time."""

Progress = Callable[[Arrived], None]


def drain(*, follow: bool = False, progress: Progress | None = None) -> Arrived:
    """Record what is in the spool and what waits in the stream; `follow` goes on with what comes, for good.

    Nothing to do where another process is at it. Raises DatabaseError, or one of the server's faults, where one of
    them is gone; what was not recorded waits on.
    """
    done = replay_spool()
    if progress is not None:
        progress(done)
    return done + drain_stream(follow=follow, progress=progress)


def drain_stream(*, follow: bool = False, progress: Progress | None = None) -> Arrived:
    """Record what waits in the stream, as `drain` does."""
    done, url = Arrived(), config().stream
    if not url:
        return done
    wire = wire_to(url, patient=True)
    token = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    with _leased(wire, token, follow=follow) as renew:
        while renew():
            batch = _next(wire, token, follow=follow)
            if batch is None:
                return done
            try:
                done += _recorded(wire, batch)
            except (Exception, SystemExit):
                # The database's fault, or an end in good order: no entry is to blame for it.
                with suppress(*wire.faults):
                    wire.forgive(token, [key for key, _ in batch.lines])
                raise
            if progress is not None:
                progress(done)
    return done


@contextmanager
def _leased(wire: Wire, token: str, *, follow: bool) -> Iterator[Callable[[], bool]]:
    """A function that takes or renews the lease; whether it is ours, waiting for it where asked to."""

    def renew() -> bool:
        while not wire.hold(token, seconds=LEASE_SECONDS):
            if not follow:
                return False
            _pause()
        return True

    try:
        wire.make_group()
        yield renew
    finally:
        with suppress(*wire.faults):
            wire.let_go(token)


def _pause() -> None:
    """A while, before somebody else's lease is looked at again."""
    Event().wait(WAIT / 1000)


class _Batch:
    """Entries of the stream: those to record together, and those to bury."""

    def __init__(self, lines: Sequence[tuple[bytes, bytes]], *, hopeless: bool = False) -> None:
        self.lines, self.hopeless = lines, hopeless


def _next(wire: Wire, token: str, *, follow: bool) -> _Batch | None:
    """What is to be recorded next: first what another has left, then what is new; None where nothing is."""
    if (left := _left(wire, token)) is not None:
        return left
    found: Any = wire.client.xreadgroup(GROUP, token, {STREAM: ">"}, count=BATCH, block=WAIT if follow else None)
    if found:
        return _Batch(_lines(found[0][1]))
    return _Batch([]) if follow else None


def _left(wire: Wire, token: str) -> _Batch | None:
    """What was delivered and never acknowledged: nobody else is at it, for the lease is ours."""
    pending: Any = wire.client.xpending_range(STREAM, GROUP, min="-", max="+", count=BATCH)
    if not pending:
        return None
    fresh = [each["message_id"] for each in pending if each["times_delivered"] < SUSPECT]
    chosen = fresh or [pending[0]["message_id"]]
    hopeless = not fresh and pending[0]["times_delivered"] >= HOPELESS
    claimed: Any = wire.client.xclaim(STREAM, GROUP, token, min_idle_time=0, message_ids=chosen)
    lines = _lines(claimed)
    if gone := set(chosen) - {key for key, _ in lines}:
        wire.client.xack(STREAM, GROUP, *gone)  # taken out of the stream by somebody's hand
    return _Batch(lines, hopeless=hopeless)


def _lines(entries: Sequence[tuple[bytes, Any]]) -> list[tuple[bytes, bytes]]:
    return [(key, fields.get(FIELD, b"")) for key, fields in entries if fields]


def _recorded(wire: Wire, batch: _Batch) -> Arrived:
    """Record a batch and acknowledge it."""
    if not batch.lines:
        return Arrived()
    if batch.hopeless:
        reason = f"the process that recorded it ended, {HOPELESS} times"
        done = bury([(line, reason) for _, line in batch.lines], Origin.STREAM)
        wire.finish([_done(key, line, None) for key, line in batch.lines])
        return done
    entries, dead, finished = list[tuple[bytes, bytes, Entry]](), [], []
    for key, line in batch.lines:
        try:
            entries.append((key, line, loads(line)))
        except EntryRefused as refusal:
            dead.append((line, refusal.message))
            finished.append(_done(key, line, None))
    done, era = bury(dead, Origin.STREAM), wire.era()
    together = record_together([entry for _, _, entry in entries])
    told, alone = list[tuple[Entry, Recorded]](), list[tuple[Entry, Recorded]]()
    for place, (key, line, entry) in enumerate(entries):
        recorded = together.recorded.get(place)
        if recorded is None:
            single = record_entry(entry)
            if isinstance(single, str):
                done += bury([(line, single)], Origin.STREAM)
                finished.append(_done(key, line, entry))
                continue
            recorded = single
            alone.append((entry, recorded))
        done += arrived(entry, recorded)
        told.append((entry, recorded))
        finished.append(_done(key, line, entry, recorded))
    note_scripts(told)
    wire.finish(finished, _snapshots(together, alone), era=era)
    return done


def _snapshots(together: Together, alone: Sequence[tuple[Entry, Recorded]]) -> dict[str, bytes | None]:
    """By key what is to be kept of the sessions, and None for those that more has happened to."""
    found: dict[str, bytes | None] = {live_key(row.site, row.key): packed(row) for row in together.sessions}
    touched: dict[str, set[str]] = {}
    for entry, recorded in alone:
        found[live_key(entry.sender.site, entry.sender.session)] = None
        touched.setdefault(entry.sender.site, set()).update({entry.sender.visitor, recorded.visitor})
    for site, visitors in touched.items():
        found |= {live_key(*each): None for each in open_sessions(visitors, site=site)}
    return found


def _done(key: bytes, line: bytes, entry: Entry | None, recorded: Recorded | None = None) -> Done:
    """What is acknowledged of an entry, with the note for a cookie that is out of date."""
    if entry is None:
        return Done(key, len(line), tail_key("", ""))
    sender, moved = entry.sender, None
    if recorded is not None and (recorded.visitor, recorded.session) != (sender.visitor, sender.session):
        note = json.dumps([recorded.visitor, recorded.session])
        moved = moved_key(sender.site, sender.visitor, sender.session), note
    return Done(key, len(line), tail_key(sender.site, sender.session), moved)


def faults() -> tuple[type[Exception], ...]:
    """What a drain raises where the stream's server is gone."""
    url = config().stream
    return wire_to(url, patient=True).faults if url else ()
