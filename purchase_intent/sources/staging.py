"""From files to one staged table: every row read once, its times and numbers checked, its strings hashed.

The rows of `stage` lie in file order, so that `rowid` is the row number over all files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from purchase_intent.exceptions import LogRefused
from purchase_intent.sources.files import LogFile, first_line
from purchase_intent.sources.layouts import KEYS, SOURCE_OF_KEY, Layout, kind_sql, quoted
from purchase_intent.sources.reasons import REASON_TYPE, reason_sql

if TYPE_CHECKING:
    import duckdb

__all__ = ["hash_sql", "stage_files"]

ZONED = r"'\d\d:\d\d.*(Z|z|UTC|[+-]\d\d(:?\d\d)?)$'"


def hash_sql(text: str) -> str:
    """SQL for `key_hash` of a text: the md5's lower half as a signed number, 0 for none."""
    return f"""CASE WHEN {text} IS NULL OR {text} = '' THEN 0 ELSE signed_hash(md5_number_lower({text})) END"""


SIGNED_HASH = """CREATE OR REPLACE MACRO signed_hash(h) AS
CASE WHEN h = 0::UBIGINT THEN 1::BIGINT WHEN h <= 9223372036854775807::UBIGINT THEN h::BIGINT ELSE -((~h)::BIGINT) - 1 END"""


def stage_files(
    connection: duckdb.DuckDBPyConnection, layout: Layout, files: list[LogFile], *, until: int | None, keep_text: bool
) -> None:
    """Fill the table `stage` from `files` in their order."""
    import duckdb

    connection.execute(SIGNED_HASH)
    connection.execute(f"CREATE TYPE reason AS {REASON_TYPE}")
    connection.execute(STAGE_TABLE)
    connection.execute("CREATE VIEW staged AS SELECT rowid AS row, * FROM stage WHERE reason IS DISTINCT FROM 'later'")
    for file in files:
        try:
            connection.execute(f"INSERT INTO stage {staged_sql(layout, file, until=until, keep_text=keep_text)}")
        except duckdb.Error as error:
            raise LogRefused(
                f"{file.path}: cannot be read ({first_line(error)}); export it again", path=str(file.path)
            ) from error


STAGE_TABLE = f"""CREATE TABLE stage (
    source USMALLINT, event_id VARCHAR, time BIGINT, visitor BIGINT, session BIGINT, kind UTINYINT, page UTINYINT,
    {", ".join(f"{key} BIGINT" for key in KEYS)},
    price DOUBLE, quantity INTEGER, order_key BIGINT, revenue DOUBLE, reason reason, value VARCHAR, line VARCHAR)"""


def staged_sql(layout: Layout, file: LogFile, *, until: int | None, keep_text: bool) -> str:
    """SELECT that yields the columns of `stage` from one file."""
    reason = reason_sql(layout.columns & file.columns)
    if until is not None:
        reason = f"CASE WHEN time >= {until} THEN 'later' ELSE {reason} END"
    keys = ", ".join(f"{hash_sql(f'{key}_text')} AS {key}" if SOURCE_OF_KEY[key] in file.columns else "0" for key in KEYS)
    order = hash_sql("order_text") if "order_id" in file.columns else "0"
    return f"""
    SELECT {file.index} AS source, event_id, time,
        nullif({hash_sql("visitor_text")}, 0) AS visitor, nullif({hash_sql("session_text")}, 0) AS session,
        coalesce(kind, 0), page, {keys},
        CASE WHEN reason IS NULL THEN coalesce(price, 0) ELSE 0 END,
        CASE WHEN reason IS NULL THEN coalesce(quantity, 0)::INTEGER ELSE 0 END,
        {order}, revenue, reason::reason, NULL, NULL
    FROM (SELECT *, {reason} AS reason, {layout.page()} AS page FROM ({parsed_sql(layout, file)}))"""


def parsed_sql(layout: Layout, file: LogFile) -> str:
    """SELECT of texts, times and numbers, with flags for what could not be understood."""

    def text(column: str) -> str:
        if column not in file.columns or column not in layout.columns:
            return "NULL::VARCHAR"
        quotedname = '"' + column + '"'
        return f"nullif({quotedname}::VARCHAR, '')"

    keys = ", ".join(f"{text(source)} AS {key}_text" for key, source in SOURCE_OF_KEY.items())
    page = text(layout.page_column) if layout.page_column else "NULL::VARCHAR"
    numbers = ", ".join(number_sql(file, column) for column in ("price", "quantity", "revenue"))
    return f"""
    SELECT {text("event_id")} AS event_id, {text("user_id")} AS visitor_text, {text("user_session")} AS session_text,
        {text("order_id")} AS order_text, {page} AS page_text, {keys}, {kind_sql("event_type")} AS kind,
        {time_sql(layout, file)}, {numbers}
    FROM {scan_sql(file)}"""


def number_sql(file: LogFile, column: str) -> str:
    """A number and a flag for what is none."""
    if column not in file.columns:
        return f"NULL::DOUBLE AS {column}, false AS {column}_bad"
    cast = f"try_cast({column} AS DOUBLE)"
    given = f"{column} IS NOT NULL" + (f" AND {column} <> ''" if file.types[column] == "VARCHAR" else "")
    return f"{cast} AS {column}, {given} AND NOT coalesce(isfinite({cast}), false) AS {column}_bad"


def time_sql(layout: Layout, file: LogFile) -> str:
    """Milliseconds UTC with the flags `time_missing` and `time_naive`."""
    kind = file.types["event_time"]
    missing = "event_time IS NULL AS time_missing"
    if kind.startswith("TIMESTAMP"):
        if "WITH TIME ZONE" not in kind and not layout.utc:
            raise LogRefused(
                f"{file.path}: column event_time is a timestamp without time zone; write it with one (UTC)",
                path=str(file.path),
                column="event_time",
            )
        return f"epoch_ms(event_time) AS time, {missing}, false AS time_naive"
    if kind != "VARCHAR":
        raise LogRefused(
            f"{file.path}: column event_time is of type {kind}; write timestamps with time zone, or ISO 8601 text",
            path=str(file.path),
            column="event_time",
        )
    naive = "false" if layout.utc else f"NOT regexp_matches(event_time, {ZONED})"
    return f"""epoch_ms(try_cast(event_time AS TIMESTAMPTZ)) AS time,
        event_time IS NULL OR event_time = '' AS time_missing, {naive} AS time_naive"""


def scan_sql(file: LogFile) -> str:
    """The table function that reads a file."""
    path = quoted(str(file.path))
    if file.parquet:
        return f"read_parquet({path})"
    columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in file.types)
    return f"""read_csv({path}, auto_detect=false, header=true, delim=',', quote='"', escape='"', columns={{{columns}}})"""
