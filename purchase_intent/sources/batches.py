"""Sorted events as arrays: whole persons, a bounded number of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from purchase_intent.features.hit import HIT
from purchase_intent.sources.clock import LocalClock
from purchase_intent.sources.facts import ITEM_DAY, load_item_days
from purchase_intent.sources.staging import GROUPS, Stage

if TYPE_CHECKING:
    import duckdb

__all__ = ["ORDER", "Batch", "Sorted", "accepted_sql", "joined_as_written", "load_tables", "sort_events"]

ORDER = "person, time, row"
Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of whole persons, by (person, time, row).

    `hits` has dtype HIT; `person`, `visitor` and `session` are dense slots from 0, in order of appearance, valid within
    the batch; `row` is the row number over all files, `source` the index of the path, `event_id` the texts where asked
    for.
    """

    hits: NDArray[np.void]
    person: NDArray[np.int64]
    visitor: NDArray[np.int64]
    session: NDArray[np.int64]
    row: NDArray[np.int64]
    source: NDArray[np.int16]
    event_id: NDArray[np.object_] | None


@dataclass(frozen=True, slots=True)
class Sorted:
    """The table `sorted` with what its rows point at: `tables` maps a group to one row of numbers a position."""

    connection: duckdb.DuckDBPyConnection
    clock: LocalClock
    starts: NDArray[np.int64]
    tables: dict[str, NDArray[np.int64]]

    def batches(self, limit: int, *, event_ids: bool) -> Iterator[Batch]:
        """Batches of at most `limit` rows, except where one person alone has more."""
        begin = 0
        while columns := self.whole_persons(begin, limit):
            begin += len(columns["row"])
            yield self.batch(columns, event_ids=event_ids)

    def whole_persons(self, begin: int, limit: int) -> Columns:
        """The rows from `begin` on, cut where a person ends; empty at the end of the table."""
        columns = self.rows(begin, begin + limit + 1)
        person = columns["person"]
        if len(person) <= limit:
            return columns if len(person) else {}
        changes = np.flatnonzero(person[1:] != person[:-1])
        if len(changes):
            return {name: values[: changes[-1] + 1] for name, values in columns.items()}
        query = "SELECT max(rowid) FROM sorted WHERE person = ?"
        (last,) = self.connection.execute(query, [int(person[0])]).fetchall()[0]
        return self.rows(begin, last + 1)

    def rows(self, begin: int, end: int) -> Columns:
        """Rows of the table by position."""
        query = "SELECT * FROM sorted WHERE rowid >= ? AND rowid < ?"
        found: Columns = self.connection.cursor().execute(query, [begin, end]).fetchnumpy()
        return found

    def batch(self, columns: Columns, *, event_ids: bool) -> Batch:
        """The arrays of a batch from the columns of `sorted`."""
        hits = np.zeros(len(columns["row"]), HIT)
        numbers = hits.view(np.int64).reshape(len(hits), -1)
        for name in ("time", "kind", "page", "price", "quantity"):
            if name in columns:
                hits[name] = columns[name]
        for code, table in self.tables.items():
            taken = table.take(columns[f"{code}_at"], axis=0)
            for names in runs(ITEM_DAY if code == "item" else GROUPS[code]):
                first = (HIT.names or ()).index(names[0])
                at = (ITEM_DAY if code == "item" else GROUPS[code]).index(names[0])
                numbers[:, first : first + len(names)] = taken[:, at : at + len(names)]
        hits["hour"] = self.clock.hour(hits["time"])
        hits["weekday"] = self.clock.weekday(hits["time"])
        row = np.asarray(columns["row"], np.int64)
        return Batch(
            hits=hits,
            person=slots(columns["person"]),
            visitor=slots(columns.get("visitor", columns["person"])),
            session=slots(columns["session"]),
            row=row,
            source=(np.searchsorted(self.starts, row, side="right") - 1).astype(np.int16),
            event_id=self.texts(row) if event_ids else None,
        )

    def texts(self, rows: NDArray[np.int64]) -> NDArray[np.object_]:
        """The event ids of `rows`, in their order."""
        cursor = self.connection.cursor()
        cursor.register("wanted", {"row": rows, "position": np.arange(len(rows))})
        found = cursor.execute("SELECT event_id FROM wanted JOIN staged USING (row) ORDER BY position").fetchnumpy()
        return np.asarray(found["event_id"], dtype=object)


@contextmanager
def joined_as_written(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Have statements join in the order written: a planner that takes a log for small builds a table over all of it."""
    connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
    try:
        yield
    finally:
        connection.execute("RESET disabled_optimizers")


def sort_events(connection: duckdb.DuckDBPyConnection, stage: Stage, clock: LocalClock) -> Sorted:
    """Create `sorted`: the accepted rows by (person, time, row), with positions in the tables of their groups."""
    with joined_as_written(connection):
        connection.execute(f"CREATE TABLE sorted AS {accepted_sql(connection, stage, clock)} ORDER BY {ORDER}")
    return Sorted(connection, clock, np.array(stage.starts), load_tables(connection, stage))


def accepted_sql(connection: duckdb.DuckDBPyConnection, stage: Stage, clock: LocalClock) -> str:
    """SELECT of the accepted rows in no order, with positions in the tables of their groups."""
    others = [code for code in stage.groups if code != "item"]
    joins = " ".join(f"JOIN {code}s ON {code}s.code = e.{code}" for code in others)
    linked = connection.execute("SELECT count(*) FROM people").fetchall()[0][0] > 0
    columns = ["coalesce(people.person, e.visitor) AS person", "e.visitor"] if linked else ["e.visitor AS person"]
    columns += ["session", "time", "row", "kind", "page", "price", *(["quantity"] if stage.has("quantity") else [])]
    columns += ["item_days.rowid::INTEGER AS item_at", *(f"{code}s.rowid::INTEGER AS {code}_at" for code in others)]
    return f"""SELECT {", ".join(columns)}
        FROM (SELECT *, rowid AS row, {clock.day_sql("time")} AS day FROM stage WHERE reason IS NULL) AS e
        {"LEFT JOIN people ON people.visitor = e.visitor" if linked else ""}
        JOIN item_days ON item_days.code = e.item AND item_days.day = e.day {joins}"""


def load_tables(connection: duckdb.DuckDBPyConnection, stage: Stage) -> dict[str, NDArray[np.int64]]:
    """The tables that the rows point at, by group."""
    others = {code: load_group(connection, code) for code in stage.groups if code != "item"}
    return {"item": load_item_days(connection), **others}


def load_group(connection: duckdb.DuckDBPyConnection, code: str) -> NDArray[np.int64]:
    """The hashes of a group, by position."""
    keys = GROUPS[code]
    found = connection.execute(f"SELECT {', '.join(keys)} FROM {code}s ORDER BY rowid").fetchnumpy()
    return np.stack([np.asarray(found[key], np.int64) for key in keys], axis=1)


def runs(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The names cut into stretches that lie side by side in HIT, so that each is copied at once."""
    order = HIT.names or ()
    found: list[list[str]] = []
    for name in names:
        if found and order.index(name) == order.index(found[-1][-1]) + 1:
            found[-1].append(name)
        else:
            found.append([name])
    return [tuple(run) for run in found]


def slots(keys: NDArray[Any]) -> NDArray[np.int64]:
    """Dense numbers from 0 in order of first appearance. Runs are numbered first: there are far fewer of them."""
    starts = np.concatenate([[True], keys[1:] != keys[:-1]])
    _, first, inverse = np.unique(keys[starts], return_index=True, return_inverse=True)
    order = np.empty(len(first), np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    dense: NDArray[np.int64] = order[inverse][np.cumsum(starts) - 1]
    return dense
