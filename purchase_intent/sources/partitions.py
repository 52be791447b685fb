"""A log cut into parts by a hash of the person, as Parquet files that other processes can read and fold by themselves.

What takes the whole log (checking, sessions, persons, facts of the catalogue) is done before; what is left, the sorting
and all that follows, is done part by part. A part is a range of the hash, and `EventLog.batches` goes by that hash: so
the parts one after another hold the events of the log in its own order.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from purchase_intent.exceptions import LogRefused
from purchase_intent.sources.batches import ORDER, Sorted, accepted_sql, joined_as_written, load_tables
from purchase_intent.sources.clock import LocalClock
from purchase_intent.sources.layouts import quoted
from purchase_intent.sources.log import PREFIX, EventLog, connect, enough

if TYPE_CHECKING:
    import duckdb

__all__ = ["MOST_PARTITIONS", "open_partition", "sessions_of_partitions", "write_partitions"]

MOST_PARTITIONS: Final = 1024
OPEN_ROWS: Final = 50_000
"""Rows of one part that a thread holds before it writes them."""
_EVENTS: Final = "events"
_KEPT: Final = "order.json"


def write_partitions(log: EventLog, folder: Path, count: int) -> None:
    """Write a log that was opened to `folder`, which is there and empty, in `count` parts.

    Raises LogRefused where there are fewer than 1 or more than 1,024 parts, or the memory does not suffice.
    """
    if not 1 <= count <= MOST_PARTITIONS:
        raise LogRefused(f"partitions: {count} is out of range; give 1 to {MOST_PARTITIONS}", partitions=count)
    connection, clock = log.connection, log.clock
    with enough(log.memory):
        connection.execute(f"SET partitioned_write_flush_threshold = {OPEN_ROWS}")
        connection.execute(
            f"CREATE VIEW parted AS SELECT *, {_part('person', count)} AS part"
            f" FROM ({accepted_sql(connection, log.stage, clock)})"
        )
        with joined_as_written(connection):
            connection.execute(f"COPY parted TO {quoted(str(folder / _EVENTS))} (FORMAT parquet, PARTITION_BY (part))")
        tables = load_tables(connection, log.stage)
    for code, table in tables.items():
        np.save(folder / f"{code}.npy", table)
    kept = {
        "starts": log.stage.starts,
        "clock": [clock.starts.tolist(), clock.offsets.tolist()],
        "tables": list(tables),
        "columns": _columns(connection),
    }
    (folder / _KEPT).write_text(json.dumps(kept), encoding="utf-8")


def sessions_of_partitions(log: EventLog, count: int) -> list[int]:
    """How many sessions lie in each part."""
    found = log.connection.execute(
        f"""SELECT {_part("coalesce(people.person, one)", count)} AS part, count(*)
        FROM session_days LEFT JOIN people ON people.visitor = one GROUP BY part"""
    ).fetchall()
    sessions = dict(found)
    return [sessions.get(number, 0) for number in range(count)]


@contextmanager
def open_partition(folder: Path, number: int, *, memory: str = "1GB", threads: int = 1) -> Iterator[Sorted]:
    """The events of one part in order; what does not fit into `memory` spills to the system's temporary folder.

    Raises LogRefused where the memory does not suffice, MissingExtra without DuckDB.
    """
    kept = json.loads((folder / _KEPT).read_text(encoding="utf-8"))
    tables = {code: np.load(folder / f"{code}.npy") for code in kept["tables"]}
    clock = LocalClock(*(np.array(values, np.int64) for values in kept["clock"]))
    place = folder / _EVENTS / f"part={number}"
    with tempfile.TemporaryDirectory(prefix=PREFIX) as scratch:
        connection = connect(Path(scratch), memory=memory, threads=threads)
        try:
            with enough(memory):
                connection.execute(f"CREATE TABLE sorted AS {_read(place, kept['columns'])} ORDER BY {ORDER}")
            yield Sorted(connection, clock, np.array(kept["starts"]), tables)
        finally:
            connection.close()


def _part(person: str, count: int) -> str:
    """SQL for the part of a person: equal ranges of a 64-bit hash."""
    return f"((({person} >> 32) * {count}) >> 32)::INTEGER"


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Names and types of the columns that a part has."""
    described: list[tuple[Any, ...]] = connection.execute("DESCRIBE parted").fetchall()
    return {name: kind for name, kind, *_ in described if name != "part"}


def _read(place: Path, columns: dict[str, str]) -> str:
    if not place.is_dir():  # nobody's hash lies in this part
        nothing = ", ".join(f"NULL::{kind} AS {name}" for name, kind in columns.items())
        return f"SELECT {nothing} WHERE false"
    return (
        f"SELECT {', '.join(columns)} FROM read_parquet({quoted(str(place / '*.parquet'))}, hive_partitioning = false)"
    )
