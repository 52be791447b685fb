"""A history for the demo: simulated shoppers of the last weeks, up to this very moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from demo_shop.simulator import Figures, Plan, write_log
from demo_shop.simulator.chance import mix
from demo_shop.simulator.naming import session_ids, user_numbers
from demo_shop.simulator.rows import DEVICES, Table
from demo_shop.trials import RUNNING_DAYS, trials
from purchase_intent.exceptions import MissingExtra
from purchase_intent.sources import drafts

__all__ = ["DAYS", "SESSIONS_PER_DAY", "SHOWN", "last_midnight", "write_history"]

DAYS = 49
"""Whole local days before today."""

SESSIONS_PER_DAY = 280

SHOWN = "shown.parquet"
"""The file beside the log with the arms of experiments that were shown: `exposures` reads it."""

_SEED = 7


def last_midnight(now: datetime, zone: str, *, days_ago: int = 0) -> datetime:
    """Return the local midnight with which today began, or the day that many days ago; in UTC."""
    local = now.astimezone(ZoneInfo(zone))
    day = (local - timedelta(days=days_ago)).date()
    return datetime(day.year, day.month, day.day, tzinfo=local.tzinfo).astimezone(UTC)


def write_history(path: Path, *, now: datetime, zone: str) -> Figures:
    """Write a log of the last weeks and of today until `now`, as Parquet; return the figures of the whole of it.

    Sessions that are under way at `now` are cut there. The file is put in place when it is whole; the arms that
    were shown lie beside it in `SHOWN`.
    """
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtra(extra="train", package="duckdb") from error

    today = now.astimezone(ZoneInfo(zone)).date()
    plan = Plan(
        start=today - timedelta(days=DAYS),
        days=DAYS + 1,
        sessions_per_day=SESSIONS_PER_DAY,
        seed=_SEED,
        zone=zone,
        trials=trials(last_midnight(now, zone, days_ago=RUNNING_DAYS)),
    )
    shown: list[Table] = []
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(f"whole-{path.name}")
    try:
        figures = write_log(plan, whole, shown=shown.append)
        _write_shown(path.with_name(SHOWN), np.concatenate(shown), plan, now)
        with drafts(path) as (draft,), duckdb.connect(config={"threads": "2"}) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(_copy(draft), [str(whole), now.astimezone(UTC).isoformat()])
    finally:
        whole.unlink(missing_ok=True)
    return figures


def _write_shown(path: Path, shown: Table, plan: Plan, now: datetime) -> None:
    """What was shown before `now`, with the ids that the log has, in order of time."""
    import pyarrow as pa
    from pyarrow import parquet

    shown = np.sort(shown[shown["time"] < now.timestamp() * 1000], order=("time", "trial", "session"))
    salt = mix(np.array([plan.seed], dtype=np.uint64))
    keys = [trial.key for trial in plan.trials]
    arms = [trial.arms for trial in plan.trials]
    columns = {
        "experiment": [keys[place] for place in shown["trial"]],
        "arm": [arms[place][arm] for place, arm in zip(shown["trial"], shown["arm"], strict=True)],
        "unit": pa.array(user_numbers(shown["user"], salt)).cast(pa.string()),
        "session": session_ids(shown["session"], salt).cast(pa.string()),
        "at": pa.array(shown["time"]).cast(pa.timestamp("ms", tz="UTC")),
        "device": [DEVICES[device] for device in shown["device"]],
    }
    parquet.write_table(pa.table(columns), path)


def _copy(target: Path) -> str:
    quoted = str(target).replace("'", "''")
    rows = "SELECT * EXCLUDE (file_row_number) FROM read_parquet(?, file_row_number = true)"
    before = "WHERE event_time < ?::TIMESTAMPTZ ORDER BY file_row_number"
    # COPY takes no parameter for its target; it is quoted.
    return f"COPY ({rows} {before}) TO '{quoted}' (FORMAT parquet, COMPRESSION zstd)"
