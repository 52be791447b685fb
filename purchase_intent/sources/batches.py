"""Sorted events as arrays: whole persons, a bounded number of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from purchase_intent.features.hit import HIT
from purchase_intent.sources.clock import LocalClock
from purchase_intent.sources.facts import MEASURES, SUBJECTS, Facts
from purchase_intent.sources.layouts import KEYS

if TYPE_CHECKING:
    import duckdb

__all__ = ["Batch", "read_batches", "sort_events"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of whole persons, by (person, time, row).

    `hits` has dtype HIT; `visitor` and `session` are dense slots from 0, in order of appearance, valid within the
    batch; `row` is the row number over all files; `source` the index of the path; `event_id` the texts, where asked for.
    """

    hits: NDArray[np.void]
    visitor: NDArray[np.int64]
    session: NDArray[np.int64]
    row: NDArray[np.int64]
    source: NDArray[np.int16]
    event_id: NDArray[np.object_] | None


def sort_events(connection: duckdb.DuckDBPyConnection, day: str) -> None:
    """Create `sorted`: the accepted rows by (person, time, row), with the positions of their facts."""
    joins = " ".join(
        f"LEFT JOIN {subject}_facts ON {subject}_facts.key = e.{subject} AND {subject}_facts.day = e.day"
        for subject in SUBJECTS
    )
    positions = ", ".join(f"coalesce({name}_facts.rowid + 1, 0)::INTEGER AS {name}_at" for name in MEASURES)
    connection.execute(
        f"""CREATE TABLE sorted AS
        SELECT coalesce(people.person, e.visitor) AS person, e.visitor, session, time, row, source, kind, page,
            {", ".join(KEYS)}, price, quantity, {positions}
        FROM (SELECT *, rowid AS row, {day} AS day FROM stage WHERE reason IS NULL) AS e
        LEFT JOIN people ON people.visitor = e.visitor
        {joins} LEFT JOIN shop_facts ON shop_facts.day = e.day
        ORDER BY person, time, row"""
    )


def read_batches(
    connection: duckdb.DuckDBPyConnection, *, limit: int, clock: LocalClock, facts: dict[str, Facts], event_ids: bool
) -> Iterator[Batch]:
    """Yield the table `sorted` in batches of at most `limit` rows, except where one person alone has more."""
    begin = 0
    while columns := rows_of_whole_persons(connection, begin, limit):
        begin += len(columns["row"])
        yield batch_of(columns, clock, facts, event_ids=texts(connection, columns["row"]) if event_ids else None)


def rows_of_whole_persons(connection: duckdb.DuckDBPyConnection, begin: int, limit: int) -> dict[str, NDArray[np.generic]]:
    """The rows from `begin` on, cut where a person ends; empty at the end of the table."""
    query = "SELECT * FROM sorted WHERE rowid >= ? AND rowid < ? ORDER BY rowid"
    columns = connection.execute(query, [begin, begin + limit + 1]).fetchnumpy()
    person = columns["person"]
    if len(person) <= limit:
        return columns if len(person) else {}
    changes = np.flatnonzero(person[1:] != person[:-1])
    if len(changes):
        return {name: values[: changes[-1] + 1] for name, values in columns.items()}
    (last,) = connection.execute("SELECT max(rowid) FROM sorted WHERE person = ?", [int(person[0])]).fetchall()[0]
    return connection.execute(query, [begin, last + 1]).fetchnumpy()


def batch_of(
    columns: dict[str, NDArray[np.generic]], clock: LocalClock, facts: dict[str, Facts], *, event_ids: NDArray[np.object_] | None
) -> Batch:
    """The arrays of a batch from the columns of `sorted`."""
    hits = np.zeros(len(columns["row"]), HIT)
    for name in ("time", "kind", "page", *KEYS, "price", "quantity"):
        hits[name] = columns[name]
    hits["hour"] = clock.hour(hits["time"])
    hits["weekday"] = clock.weekday(hits["time"])
    for subject, known in facts.items():
        at = columns[f"{subject}_at"]
        for name, values in known.columns.items():
            hits[name] = values[at]
    return Batch(
        hits=hits,
        visitor=slots(columns["visitor"]),
        session=slots(columns["session"]),
        row=np.asarray(columns["row"], np.int64),
        source=np.asarray(columns["source"], np.int16),
        event_id=event_ids,
    )


def slots(keys: NDArray[np.generic]) -> NDArray[np.int64]:
    """Dense numbers from 0 in order of first appearance. Runs are numbered first: there are far fewer of them."""
    starts = np.concatenate([[True], keys[1:] != keys[:-1]])
    _, first, inverse = np.unique(keys[starts], return_index=True, return_inverse=True)
    order = np.empty(len(first), np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    return order[inverse][np.cumsum(starts) - 1]


def texts(connection: duckdb.DuckDBPyConnection, rows: NDArray[np.int64]) -> NDArray[np.object_]:
    """The event ids of `rows`, in their order."""
    connection.register("wanted", {"row": np.asarray(rows), "position": np.arange(len(rows))})
    query = """SELECT event_id FROM wanted JOIN staged USING (row) ORDER BY position"""
    found = connection.execute(query).fetchnumpy()["event_id"]
    connection.unregister("wanted")
    return np.asarray(found, dtype=object)
