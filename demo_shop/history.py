"""A history for the demo: simulated shoppers of the last weeks, up to this very moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from demo_shop.simulator import Figures, Plan, write_log
from purchase_intent.exceptions import MissingExtra
from purchase_intent.sources import drafts

__all__ = ["DAYS", "SESSIONS_PER_DAY", "last_midnight", "write_history"]

DAYS = 49
"""Whole local days before today."""

SESSIONS_PER_DAY = 280

_SEED = 7


def last_midnight(now: datetime, zone: str, *, days_ago: int = 0) -> datetime:
    """Return the local midnight with which today began, or the day that many days ago; in UTC."""
    local = now.astimezone(ZoneInfo(zone))
    day = (local - timedelta(days=days_ago)).date()
    return datetime(day.year, day.month, day.day, tzinfo=local.tzinfo).astimezone(UTC)


def write_history(path: Path, *, now: datetime, zone: str) -> Figures:
    """Write a log of the last weeks and of today until `now`, as Parquet; return the figures of the whole of it.

    Sessions that are under way at `now` are cut there. The file is put in place when it is whole.
    """
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtra(extra="train", package="duckdb") from error

    today = now.astimezone(ZoneInfo(zone)).date()
    plan = Plan(
        start=today - timedelta(days=DAYS), days=DAYS + 1, sessions_per_day=SESSIONS_PER_DAY, seed=_SEED, zone=zone
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(f"whole-{path.name}")
    try:
        figures = write_log(plan, whole)
        with drafts(path) as (draft,), duckdb.connect(config={"threads": "2"}) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(_copy(draft), [str(whole), now.astimezone(UTC).isoformat()])
    finally:
        whole.unlink(missing_ok=True)
    return figures


def _copy(target: Path) -> str:
    quoted = str(target).replace("'", "''")
    rows = "SELECT * EXCLUDE (file_row_number) FROM read_parquet(?, file_row_number = true)"
    before = "WHERE event_time < ?::TIMESTAMPTZ ORDER BY file_row_number"
    # COPY takes no parameter for its target; it is quoted.
    return f"COPY ({rows} {before}) TO '{quoted}' (FORMAT parquet, COMPRESSION zstd)"
