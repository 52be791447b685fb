"""Logs made from other logs: cut in time, with purchases at random, with a planted leak, with dirt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

__all__ = ["cut", "moment", "noise", "plant_leak", "split", "write"]


def _connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET timezone = 'UTC'; SET threads = 2")
    return connection


def moment(log: Path, share: float) -> str:
    """The time before which `share` of the events come."""
    query = f"SELECT quantile_disc(event_time, {share})::VARCHAR FROM '{log}'"
    (found,) = _connect().execute(query).fetchall()[0]
    return str(found)


def split(log: Path, before: Path, after: Path, *, at: str) -> None:
    """Whole sessions on the side of a moment on which they start."""
    connection = _connect()
    sided = f"SELECT *, min(event_time) OVER (PARTITION BY user_session) < '{at}' AS early FROM '{log}'"
    for path, side in ((before, "early"), (after, "NOT early")):
        connection.execute(
            f"COPY (SELECT * EXCLUDE (early) FROM ({sided}) WHERE {side} ORDER BY event_time, event_id) TO '{path}'"
        )


def cut(log: Path, out: Path, *, share: float) -> None:
    """Keep the first `share` of the events and lose the rest, in the middle of sessions."""
    connection, at = _connect(), moment(log, share)
    connection.execute(
        f"COPY (SELECT * FROM read_parquet('{log}', file_row_number=true) WHERE event_time < '{at}' "
        f"ORDER BY file_row_number) TO '{out}'"
    )


def noise(log: Path, out: Path, *, seed: int) -> None:
    """Take the purchases away and give as many to sessions drawn at random, a minute after their last event.

    The product is one the session saw, where it saw any. What is left of a purchase, the page that confirms it, goes.
    """
    connection = _connect()
    names = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM '{log}'").fetchall()]
    connection.execute(f"CREATE TABLE kept AS SELECT * FROM '{log}' WHERE event_type <> 'purchase'")
    for column, value in (("page", "confirmation"), ("page_path", "/ordercompleted.html")):
        if column in names:
            connection.execute(f"DELETE FROM kept WHERE {column} = '{value}'")
    (buyers,) = connection.execute(
        f"SELECT count(DISTINCT user_session) FROM '{log}' WHERE event_type = 'purchase'"
    ).fetchall()[0]
    connection.execute(f"""
        CREATE TABLE drawn AS
        SELECT user_session, max(event_time) + INTERVAL 1 MINUTE AS moment,
            arg_max(event_id, event_time) AS last_event,
            arg_max(product_id, event_time) FILTER (product_id IS NOT NULL) AS product
        FROM kept GROUP BY user_session ORDER BY md5(user_session || '{seed}') LIMIT {buyers}""")
    replaced = {
        "event_id": "kept.event_id || '-noise'",
        "event_time": "moment",
        "event_type": "'purchase'",
        "product_id": "product",
        "order_id": "'noise-' || kept.event_id",
        "page_path": "'/ordercompleted.html'",
        "page": "'confirmation'",
        "search_term": "NULL",
    }
    columns = ", ".join(f"{replaced.get(name, 'kept.' + name)} AS {name}" for name in names)
    connection.execute(f"""
        COPY (SELECT * FROM (
            SELECT * FROM kept UNION ALL
            SELECT {columns} FROM drawn JOIN kept ON kept.event_id = drawn.last_event
        ) ORDER BY event_time, event_id) TO '{out}'""")


def plant_leak(log: Path, out: Path, *, every: int = 1) -> None:
    """Fill a column of every n-th buying session with what only its end can tell, as a careless export would."""
    _connect().execute(f"""
        COPY (SELECT * REPLACE (
            CASE WHEN bool_or(event_type = 'purchase') OVER (PARTITION BY user_session)
                AND hash(user_session) % {every} = 0 THEN 'crm' ELSE channel END
            AS channel) FROM '{log}' ORDER BY event_time, event_id) TO '{out}'""")


def write(path: Path, lines: Sequence[str]) -> Path:
    """A small CSV log in the generic layout; `lines` follow the header."""
    header = "event_id,event_time,event_type,user_id,user_session,product_id,price,quantity,order_id"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path
