"""The shop's own events as a log: what the database holds, read back for learning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from purchase_intent.events import EventName, Page
from purchase_intent.exceptions import LogRefused, MissingExtra
from purchase_intent.models import Event
from purchase_intent.sources.log import PREFIX, EventLog, open_log

__all__ = ["StoredLog", "stored_events"]

AT_ONCE: Final = 20_000
"""Events held in memory on their way out of the database."""

SITE_MARK: Final = "\x1f"  # keeps the ids of two sites apart; no id holds it

COLUMNS: Final = {
    "event_id": "string",
    "event_time": "time",
    "event_type": "string",
    "user_id": "string",
    "user_session": "string",
    "product_id": "string",
    "category_code": "string",
    "brand": "string",
    "price": "double",
    "quantity": "int64",
    "order_id": "string",
    "revenue": "double",
    "page": "string",
    "search_term": "string",
    "device": "string",
    "channel": "string",
    "country": "string",
    "visitor_pk": "int64",
    "session_pk": "int64",
    "sequence": "int64",
}
"""The generic layout, and what leads back to the rows; the layout leaves that unread."""

FIELDS: Final = (
    *("key", "occurred_at", "name", "visitor__cookie", "session__key", "product", "category", "brand", "price"),
    *("quantity", "order", "revenue", "page", "search", "device", "channel", "country", "visitor_id", "session_id"),
    *("sequence", "visitor__site", "session__site"),
)

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class StoredLog:
    """An opened log of stored events, and the Parquet file behind it (columns as COLUMNS says)."""

    log: EventLog
    path: Path


@contextmanager
def stored_events(
    *,
    zone: str,
    until: datetime | None = None,
    memory: str = "2GB",
    threads: int = 2,
    scratch: Path | None = None,
    progress: Progress,
) -> Iterator[StoredLog]:
    """The events of people, bots left out, in the order (time, sequence), as `open_log` opens a file.

    With `until`, an aware moment, what happened or arrived at it or later is left out: what was not known then. The
    events pass through a Parquet file in a folder under `scratch`, removed at the end. Raises LogRefused where no event
    is stored, MissingExtra without DuckDB or PyArrow.
    """
    with TemporaryDirectory(prefix=PREFIX, dir=scratch) as folder:
        path = Path(folder) / "events.parquet"
        if not export(path, until=until, progress=progress):
            raise LogRefused(
                "no event is stored yet: track some, or load a log with intent_import; or name logs with --events"
            )
        with open_log(
            [path], layout="generic", zone=zone, until=until, memory=memory, threads=threads, scratch=Path(folder)
        ) as log:
            yield StoredLog(log, path)


def export(path: Path, *, until: datetime | None, progress: Progress) -> int:
    """Write the stored events to a Parquet file; how many."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtra(extra="train", package="pyarrow") from error

    types = {"string": pa.string(), "double": pa.float64(), "int64": pa.int64()}
    types["time"] = pa.timestamp("ms", tz="UTC")
    schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    done = 0
    with parquet.ParquetWriter(path, schema) as writer:
        for rows in chunks(until):
            columns = list(zip(*rows, strict=True))
            arrays = [pa.array(values, types[kind]) for values, kind in zip(columns, COLUMNS.values(), strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            done += len(rows)
            progress(f"reading events from the database: {done:,}")
    return done


def chunks(until: datetime | None) -> Iterator[list[tuple[Any, ...]]]:
    """Stored events as rows of COLUMNS, a bounded number at a time."""
    events = Event.objects.of_people() if until is None else Event.objects.of_people().known_by(until)
    rows = (row_of(*values) for values in events.in_order().values_list(*FIELDS).iterator(chunk_size=AT_ONCE))
    while part := list(islice(rows, AT_ONCE)):
        yield part


def row_of(*values: Any) -> tuple[Any, ...]:
    """One row of COLUMNS from the values of FIELDS."""
    key, occurred_at, name, cookie, session, *item, price, quantity, order, revenue, page = values[:13]
    visitor_pk, session_pk, sequence, visitor_site, session_site = values[17:]
    return (
        key.hex,
        occurred_at,
        EventName(name).label,
        named(visitor_site, cookie),
        named(session_site, session),
        *item,
        price,
        quantity,
        named(session_site, order) if order else "",
        revenue,
        Page(page).label,
        *values[13:17],
        visitor_pk,
        session_pk,
        sequence,
    )


def named(site: str, text: str) -> str:
    """An id, told apart from the same id of another site."""
    return f"{site}{SITE_MARK}{text}" if site else text
