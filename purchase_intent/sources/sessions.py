"""Sessions of a log: its own ids where it has them, else the 30-minute and 24-hour rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purchase_intent.events.names import EventName
from purchase_intent.sources.clock import LocalClock

if TYPE_CHECKING:
    import duckdb

__all__ = ["assign_sessions", "session_table"]


def assign_sessions(connection: duckdb.DuckDBPyConnection) -> None:
    """Give every accepted row without a session the one its visitor's other such rows make."""
    (missing,) = connection.execute(
        "SELECT count(*) FROM stage WHERE reason IS NULL AND session IS NULL"
    ).fetchall()[0]
    if missing:
        raise NotImplementedError


def session_table(connection: duckdb.DuckDBPyConnection, clock: LocalClock) -> None:
    """Create `session_days`: of each session the lowest and highest visitor, and the local days it began and first bought."""
    purchase = f"min(time) FILTER (kind = {EventName.PURCHASE.value})"
    connection.execute(
        f"""CREATE TABLE session_days AS
        SELECT session, one, other, {clock.day_sql("began")} AS began, {clock.day_sql("bought")} AS bought
        FROM (SELECT session, min(visitor) AS one, max(visitor) AS other, min(time) AS began, {purchase} AS bought
              FROM stage WHERE reason IS NULL GROUP BY session)"""
    )
