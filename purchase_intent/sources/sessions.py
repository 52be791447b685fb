"""Sessions of a log: its own ids where it has them, else the 30-minute and 24-hour rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from purchase_intent.events.names import EventName
from purchase_intent.features.history import sessionize
from purchase_intent.sources.clock import LocalClock

if TYPE_CHECKING:
    import duckdb

__all__ = ["assign_sessions", "session_table"]

AT_ONCE = 1_000_000


def assign_sessions(connection: duckdb.DuckDBPyConnection, at_once: int = AT_ONCE) -> None:
    """Give every accepted row without a session one, made among the visitor's other such rows.

    Visitors are worked through `at_once` rows at a time. A session's code follows from its visitor and its first
    moment, so that it stays the same when later events are added.
    """
    connection.execute(
        """CREATE TABLE loose AS SELECT rowid AS row, visitor, time FROM stage
        WHERE reason IS NULL AND session IS NULL ORDER BY visitor, time, row"""
    )
    connection.execute("CREATE TABLE begun (row BIGINT, began BIGINT)")
    slice_sql = "SELECT row, visitor, time FROM loose WHERE rowid >= ? AND rowid < ? ORDER BY rowid"
    carried: dict[str, np.ndarray] = {}
    begin, total = 0, connection.execute("SELECT count(*) FROM loose").fetchall()[0][0]
    while begin < total:
        found = connection.execute(slice_sql, [begin, begin + at_once]).fetchnumpy()
        begin += at_once
        if carried:
            found = {name: np.concatenate([carried[name], found[name]]) for name in found}
        cut = len(found["row"]) if begin >= total else int(np.searchsorted(found["visitor"], found["visitor"][-1]))
        carried = {name: values[cut:] for name, values in found.items()}
        if cut:
            note_sessions(connection, {name: values[:cut] for name, values in found.items()})
    connection.execute(
        "UPDATE stage SET session = hash(stage.visitor, begun.began) FROM begun WHERE stage.rowid = begun.row"
    )
    connection.execute("DROP TABLE loose")
    connection.execute("DROP TABLE begun")


def note_sessions(connection: duckdb.DuckDBPyConnection, found: dict[str, np.ndarray]) -> None:
    """Append when the session of each row began to the table `begun`."""
    number = sessionize(found["visitor"].view(np.int64), found["time"])
    first = np.flatnonzero(np.concatenate([[True], number[1:] != number[:-1]]))
    began = found["time"][first][np.cumsum(np.concatenate([[True], number[1:] != number[:-1]])) - 1]
    connection.register("noted", {"row": found["row"], "began": began})
    connection.execute("INSERT INTO begun SELECT row, began FROM noted")
    connection.unregister("noted")


def session_table(connection: duckdb.DuckDBPyConnection, clock: LocalClock) -> None:
    """Create `session_days`: each session's lowest and highest visitor, the local days it began and first bought."""
    purchase = f"min(time) FILTER (kind = {EventName.PURCHASE.value})"
    connection.execute(
        f"""CREATE TABLE session_days AS
        SELECT session, one, other, {clock.day_sql("began")} AS began, {clock.day_sql("bought")} AS bought
        FROM (SELECT session, min(visitor) AS one, max(visitor) AS other, min(time) AS began, {purchase} AS bought
              FROM stage WHERE reason IS NULL GROUP BY session)"""
    )
