"""Cut an event log in two at a moment, every session whole on the side where it starts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from purchase_intent.exceptions import LogRefused, MissingExtra
from purchase_intent.sources import check_targets, drafts

__all__ = ["Half", "split_log"]

_COLUMNS = ("event_id", "event_time", "user_session")


@dataclass(frozen=True, slots=True)
class Half:
    """One side of the cut: the file written, and what is in it."""

    path: Path
    events: int
    sessions: int


def split_log(source: Path, *, at: datetime, before: Path, after: Path) -> tuple[Half, Half]:
    """Write the sessions of a Parquet log that start before a moment to one file, the others to another.

    Rows are put in order of (time, event id). Both files are written whole or neither is. A time without a zone in
    the log counts as UTC; `at` has to be aware.

    Raises:
        LogRefused: the log is no Parquet file, lacks a column, has events without a session, or lies wholly on one
            side of the cut.
    """
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtra(extra="train", package="duckdb") from error

    with duckdb.connect(config={"threads": "2"}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        try:
            columns = connection.execute("SELECT * FROM read_parquet(?) LIMIT 0", [str(source)]).description
        except duckdb.Error as error:
            raise LogRefused(f"{source} cannot be read as Parquet: {error}", path=str(source)) from error
        _require({column[0] for column in columns}, source)
        connection.execute(
            "CREATE TEMP TABLE starts AS SELECT user_session, min(event_time)::TIMESTAMPTZ < ? AS before, count(*) AS n"
            " FROM read_parquet(?) GROUP BY user_session",
            [at.astimezone(UTC).isoformat(), str(source)],
        )
        counted = connection.execute("SELECT before, count(*), sum(n)::BIGINT FROM starts GROUP BY before").fetchall()
        homeless = connection.execute("SELECT n FROM starts WHERE user_session IS NULL").fetchone()
        _judge({bool(side): sessions for side, sessions, _ in counted}, homeless, source, at)
        for path in (before, after):
            path.parent.mkdir(parents=True, exist_ok=True)
        check_targets({"--before": before, "--after": after}, [source])
        with drafts(before, after) as (early, late):
            for side, draft in ((True, early), (False, late)):
                connection.execute(_copy(draft), [str(source), side])
    sizes = {bool(side): (int(events), int(sessions)) for side, sessions, events in counted}
    return Half(before, *sizes[True]), Half(after, *sizes[False])


def _require(columns: set[str], source: Path) -> None:
    for name in _COLUMNS:
        if name not in columns:
            raise LogRefused(
                f"{source} has no column {name}: the log needs {', '.join(_COLUMNS)}.", path=str(source), column=name
            )


def _judge(sessions: dict[bool, int], homeless: tuple[int] | None, source: Path, at: datetime) -> None:
    if homeless is not None:
        raise LogRefused(
            f"{source} has {homeless[0]} events without a user_session: sessions have to be whole.", path=str(source)
        )
    if len(sessions) < 2:
        raise LogRefused(f"{source} has no session on one side of {at.isoformat()}.", path=str(source), at=at)


def _copy(target: Path) -> str:
    quoted = str(target).replace("'", "''")
    return (
        "COPY (SELECT log.* FROM read_parquet(?) AS log JOIN starts USING (user_session) WHERE starts.before = ?"  # noqa: S608 (COPY takes no parameter for its target; it is quoted)
        f" ORDER BY event_time, event_id) TO '{quoted}' (FORMAT parquet, COMPRESSION zstd)"
    )
