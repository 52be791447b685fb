"""States and pasts rebuilt from the stored events, so that live scoring goes on where history ends.

The one rule for an import and for an event that came late: what is stored is folded again, in the order (time,
sequence), and only what differs is written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from purchase_intent.features.history import fold
from purchase_intent.models import Outcome, Session, Visitor
from purchase_intent.models.session import IDLE
from purchase_intent.sources.batches import Batch
from purchase_intent.sources.clock import moment
from purchase_intent.sources.orm import StoredLog

__all__ = ["Refolded", "place_visitors", "read_places", "refold"]

AT_ONCE: Final = 20_000
"""Events folded in one transaction; one person's are never cut in two."""

Progress = Callable[[str], None]
Places = dict[str, NDArray[np.int64]]


@dataclass
class Refolded:
    """Rows written because they differed, and rows left alone because the shop had gone on with them meanwhile."""

    sessions: int = 0
    visitors: int = 0
    busy: int = 0


def refold(stored: StoredLog, *, progress: Progress) -> Refolded:
    """Fold every stored event and write the sessions and visitors that differ.

    A session, or a visitor, that has a later event than the log was opened with is left alone and counted as busy.
    """
    done, written = 0, Refolded()
    place_visitors(stored)
    for batch in stored.log.batches(AT_ONCE):
        places = read_places(stored, done, done + len(batch.hits))
        sessions, visitors = folded(batch, places, ended=stored.log.last)
        with transaction.atomic():
            written.sessions += write(Session, sessions, written)
            written.visitors += write(Visitor, visitors, written)
        done += len(batch.hits)
        progress(f"folding events: {done:,} of {stored.log.accepted:,}")
    return written


def place_visitors(stored: StoredLog) -> None:
    """Make the table that leads from the rows of the sorted log back to those of the database."""
    stored.log.connection.execute(
        """CREATE TABLE places AS SELECT visitor_pk, session_pk, sequence
        FROM (SELECT row, rowid AS place FROM sorted) AS s
        JOIN read_parquet(?, file_row_number = true) AS events ON events.file_row_number = s.row ORDER BY place""",
        [str(stored.path)],
    )


def read_places(stored: StoredLog, begin: int, end: int) -> Places:
    """The keys of the rows behind a batch."""
    query = "SELECT * FROM places WHERE rowid >= ? AND rowid < ? ORDER BY rowid"
    found: Places = stored.log.connection.execute(query, [begin, end]).fetchnumpy()
    return found


Values = dict[int, dict[str, Any]]


def folded(batch: Batch, places: Places, *, ended: datetime) -> tuple[Values, Values]:
    """What the rows of a batch's sessions and visitors should hold, by primary key."""
    tables: Any = fold(batch.hits, batch.visitor, batch.session)
    session_pks, visitor_pks = (
        keys_of(batch.session, places["session_pk"]),
        keys_of(batch.visitor, places["visitor_pk"]),
    )
    last = np.full(len(session_pks), np.iinfo(np.int64).min)
    np.maximum.at(last, batch.session, places["sequence"])
    first_seen = np.full(len(visitor_pks), np.iinfo(np.int64).max)
    last_seen = np.zeros(len(visitor_pks), np.int64)
    np.minimum.at(first_seen, batch.visitor, batch.hits["time"])
    np.maximum.at(last_seen, batch.visitor, batch.hits["time"])
    sessions = {
        int(pk): session_values(tables.states[slot], ended)
        | {
            "visitor_id": int(visitor_pks[tables.owner[slot] - 1]),
            "past": tables.seen[slot].tobytes(),
            "sequence": int(last[slot]),
        }
        for slot, pk in enumerate(session_pks)
    }
    # A login has brought along all that was told, and no session has news.
    is_empty = (tables.pasts["sessions"] == 0) & (np.asarray(tables.head) == 0)
    visitors = {
        int(pk): {
            "past": tables.pasts[slot].tobytes(),
            "known": bool(tables.pasts[slot]["known"]),
            "joined": bool(is_empty[slot]),
            "first_seen": moment(int(first_seen[slot])),
            "last_seen": moment(int(last_seen[slot])),
            "told_at": moment(int(last_seen[slot])),
        }
        for slot, pk in enumerate(visitor_pks)
    }
    return sessions, visitors


def keys_of(slots: NDArray[np.int64], keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """The key of each slot: slots are dense, and each has one key."""
    _, first = np.unique(slots, return_index=True)
    return keys[first]


def session_values(state: Any, ended: datetime) -> dict[str, Any]:
    """What a session's row holds of its state, and how the session ended, where `ended` tells."""
    last = moment(int(state["last"]))
    over = last + IDLE < ended
    outcome = Outcome.BOUGHT if state["purchases"] else Outcome.LEFT
    return {
        "state": state.tobytes(),
        "started_at": moment(int(state["start"])),
        "last_at": last,
        "stage": int(state["stage"]),
        "landing": int(state["landing"]),
        # It has told all it has to tell when the telling has caught up.
        "has_news": bool(state["noted_events"] < state["events"]),
        "closed_at": last + IDLE if over else None,
        "outcome": outcome.value if over else "",
    }


def write(model: Any, values: Values, written: Refolded) -> int:
    """Bring the rows of `values` up to date; how many differed."""
    changed = []
    for row in model.objects.select_for_update().in_bulk(list(values)).values():
        wanted = values[row.pk]
        latest = "last_at" if model is Session else "last_seen"
        if getattr(row, latest) > wanted[latest]:
            written.busy += 1
            continue
        if model is Session and row.closed_at is not None and row.last_at == wanted["last_at"]:
            wanted |= {"closed_at": row.closed_at, "outcome": row.outcome}  # recorded once
        # When a past was last read is known here no closer than by the last event: later than that is safe.
        if all(name == "told_at" or same(getattr(row, name), value) for name, value in wanted.items()):
            continue
        for name, value in wanted.items():
            setattr(row, name, value)
        if model is Session:
            row.version += 1
        changed.append(row)
    names = {name.removesuffix("_id") for name in next(iter(values.values()))} | (
        {"version"} if model is Session else set()
    )
    for begin in range(0, len(changed), 1000):
        model.objects.bulk_create(
            changed[begin : begin + 1000], update_conflicts=True, update_fields=sorted(names), unique_fields=["id"]
        )
    return len(changed)


def same(stored: Any, wanted: Any) -> bool:
    """Whether a column holds what it should; PostgreSQL gives bytes as a view of them."""
    return bool((bytes(stored) if isinstance(wanted, bytes) else stored) == wanted)
