"""From files to one staged table: every row read once, its times and numbers checked.

The rows of `stage` lie in file order, so that `rowid` is the row number over all files. Strings that repeat are kept
as one code for a group of columns (`GROUPS`) and hashed once for each distinct group, in tables of their own: an MD5
costs more than everything else that is done to a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from purchase_intent.sources.files import LogFile, first_line, refused, unglobbed
from purchase_intent.sources.layouts import SOURCE_OF_KEY, Layout
from purchase_intent.sources.lines import BrokenLine, plain_text
from purchase_intent.sources.reasons import REASON_TYPE, reason_sql
from purchase_intent.sources.scan import Scan

if TYPE_CHECKING:
    import duckdb

__all__ = ["GROUPS", "Stage", "stage_files"]

GROUPS = {
    "item": ("product", "category", "brand"),
    "origin": ("device", "channel", "country"),
}
"""Code column of `stage` to the keys it stands for."""

SIGNED_HASH = """CREATE MACRO signed_hash(h) AS CASE WHEN h = 0::UBIGINT THEN 1
    ELSE coalesce(try_cast(h AS BIGINT), -try_cast(~h AS BIGINT) - 1) END"""
KEY_HASH = "CREATE MACRO key_hash(t) AS CASE WHEN t IS NULL OR t = '' THEN 0 ELSE signed_hash(md5_number_lower(t)) END"


class Stage:
    """The table `stage` of one log, being filled."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, layout: Layout, files: Sequence[LogFile], folder: Path
    ) -> None:
        self.connection = connection
        self.layout = layout
        self.files = files
        self.folder = folder
        self.scans: list[Scan] = []
        self.starts: list[int] = []
        self.columns = layout.columns & frozenset().union(*(file.columns for file in files))
        self.keys = tuple(key for key, source in SOURCE_OF_KEY.items() if source in self.columns)
        self.groups = {code: keys for code, keys in GROUPS.items() if code == "item" or set(keys) & set(self.keys)}

    def has(self, column: str) -> bool:
        """Whether any file has the column."""
        return column in self.columns

    def create(self) -> None:
        """The empty tables `stage` and `broken`. Columns that no file has are left out: in memory even NULLs cost."""
        columns = ["time BIGINT", "visitor UBIGINT", "session UBIGINT", "kind UTINYINT", "page UTINYINT"]
        columns += ["price DOUBLE"]
        columns += ["quantity INTEGER"] * self.has("quantity") + ["revenue DOUBLE"] * self.has("revenue")
        columns += ["event_id VARCHAR"] * self.has("event_id") + ["order_key UBIGINT"] * self.has("order_id")
        columns += [f"{code} UBIGINT" for code in self.groups] + [f"{key}_text VARCHAR" for key in self.keys]
        for statement in (SIGNED_HASH, KEY_HASH, f"CREATE TYPE reason AS {REASON_TYPE}"):
            self.connection.execute(statement)
        self.connection.execute(f"CREATE TABLE stage ({', '.join(columns)}, reason reason)")
        self.connection.execute("CREATE TABLE broken (source INTEGER, line BIGINT, text VARCHAR)")

    def add(self, file: LogFile, until: int | None) -> None:
        """Append one file."""
        import duckdb

        text = None if file.parquet else plain_text(file.path, len(file.types), self.folder, f"source-{file.index}")
        scan = Scan(self.layout, file, unglobbed(text.path if text else file.path, self.folder, file.index), text)
        first = self.count("stage")
        try:
            self.connection.execute(f"INSERT INTO stage {self.select(scan, until)}")
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error as error:
            raise refused(file.path, f"cannot be read ({first_line(error)}); export it again") from error
        if text is not None:
            self.note_broken(file.index, text.broken)
        if self.count("stage") == first and not self.count(f"broken WHERE source = {file.index}"):
            raise refused(file.path, "the file has a header and no event; export the log again")
        self.scans.append(scan)
        self.starts.append(first)

    def select(self, scan: Scan, until: int | None) -> str:
        """SELECT that yields the columns of `stage` from one file."""
        reason = reason_sql(scan)
        if until is not None:
            reason = f"CASE WHEN time >= {until} THEN 'later' ELSE {reason} END"
        texts = {key: f"{key}_text" if scan.has(SOURCE_OF_KEY[key]) else "NULL::VARCHAR" for key in self.keys}
        columns = ["time", code_sql("visitor_text"), code_sql("session_text"), "coalesce(kind, 0)", "page"]
        columns.append("CASE WHEN reason IS NULL THEN coalesce(price, 0) ELSE 0 END" if scan.has("price") else "0")
        if self.has("quantity"):
            given = scan.has("quantity")
            columns.append("CASE WHEN reason IS NULL THEN coalesce(quantity, 0) ELSE 0 END::INTEGER" if given else "0")
        if self.has("revenue"):
            columns.append("CASE WHEN reason IS NULL THEN revenue END" if scan.has("revenue") else "NULL")
        columns += ["event_id"] * self.has("event_id") + [code_sql("order_text")] * self.has("order_id")
        columns += [f"hash({', '.join(texts.get(key, 'NULL') for key in keys)})" for keys in self.groups.values()]
        columns += [*texts.values(), "reason::reason"]
        parsed = f"SELECT *, {reason} AS reason, {self.layout.page()} AS page FROM ({scan.parsed()})"
        return f"SELECT {', '.join(columns)} FROM ({parsed})"

    def note_broken(self, source: int, rewritten: list[BrokenLine]) -> None:
        """Keep the broken lines of one file, from the rewriting and from the reader."""
        self.connection.execute(
            f"INSERT INTO broken SELECT {source}, line, any_value(csv_line)[:1000] FROM reject_errors GROUP BY line"
        )
        self.connection.execute("DROP TABLE reject_errors")
        self.connection.execute("DROP TABLE reject_scans")
        if rewritten:
            lines = np.array([line.number for line in rewritten], np.int64)
            texts = np.array([line.text for line in rewritten], dtype=object)
            self.connection.register("rewritten", {"line": lines, "text": texts})
            self.connection.execute(f"INSERT INTO broken SELECT {source}, line, text FROM rewritten")
            self.connection.unregister("rewritten")

    def mark_duplicates(self) -> None:
        """The first row with an event id keeps it. Ids are compared by a 64-bit hash first, which takes less memory."""
        if not self.has("event_id"):
            return
        read = "reason IS DISTINCT FROM 'later' AND event_id IS NOT NULL"
        self.connection.execute(
            f"""UPDATE stage SET reason = 'duplicate_event_id' WHERE rowid IN (
                SELECT row FROM (
                    SELECT rowid AS row, row_number() OVER (PARTITION BY event_id ORDER BY rowid) AS nth FROM stage
                    WHERE {read} AND hash(event_id) IN (
                        SELECT hash(event_id) FROM stage WHERE {read} GROUP BY 1 HAVING count(*) > 1))
                WHERE nth > 1)"""
        )

    def hash_groups(self) -> None:
        """Create a table for each group (code and the hashes of its keys), then drop the texts."""
        for code, keys in self.groups.items():
            present = [key for key in keys if key in self.keys]
            texts = "".join(f", any_value({key}_text) AS {key}_text" for key in present)
            hashes = ", ".join(f"key_hash({key}_text) AS {key}" if key in present else f"0 AS {key}" for key in keys)
            self.connection.execute(
                f"CREATE TABLE {code}s AS SELECT {code} AS code, {hashes} FROM"
                f" (SELECT {code}{texts} FROM stage WHERE reason IS NULL GROUP BY {code})"
            )
        for key in self.keys:
            self.connection.execute(f"ALTER TABLE stage DROP COLUMN {key}_text")

    def create_view(self) -> None:
        """The view `staged`: what of a log stays to be asked, described in docs/logs.md."""
        cases = " ".join(f"WHEN rowid >= {first} THEN {i}" for i, first in reversed(list(enumerate(self.starts))))
        source = f"(CASE {cases} END)::SMALLINT"
        firsts = " ".join(f"WHEN rowid >= {first} THEN {first}" for first in reversed(self.starts))
        event_id = "event_id" if self.has("event_id") else f"{source} || '-' || (rowid - CASE {firsts} END)"
        self.connection.execute(
            f"""CREATE VIEW staged AS
            SELECT rowid AS row, {source} AS source, {event_id} AS event_id, time, visitor, session, kind, page, price,
                {"quantity" if self.has("quantity") else "0 AS quantity"},
                {"order_key" if self.has("order_id") else "NULL::UBIGINT AS order_key"},
                {"revenue" if self.has("revenue") else "NULL::DOUBLE AS revenue"}, reason
            FROM stage WHERE reason IS DISTINCT FROM 'later'"""
        )

    def count(self, what: str) -> int:
        """Rows of a table."""
        return int(self.connection.execute(f"SELECT count(*) FROM {what}").fetchall()[0][0])


def code_sql(text: str) -> str:
    """SQL for a 64-bit code of a text, good within one database; NULL for none."""
    return f"CASE WHEN {text} IS NOT NULL THEN hash({text}) END"


def stage_files(
    connection: duckdb.DuckDBPyConnection, layout: Layout, files: Sequence[LogFile], folder: Path, *, until: int | None
) -> Stage:
    """Read `files` in their order into the table `stage`; `until` (ms UTC) is where reading ends."""
    stage = Stage(connection, layout, files, folder)
    stage.create()
    for file in files:
        stage.add(file, until)
    stage.mark_duplicates()
    stage.hash_groups()
    stage.create_view()
    return stage
