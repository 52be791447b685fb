"""A log is cut in time, every session whole on one side; what cannot be cut writes nothing."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import duckdb
import pytest
from django.core.management import CommandError, call_command

ROWS = """
    (VALUES ('a1', TIMESTAMP '2026-03-01 10:00', 'a', 'view'),
            ('b1', TIMESTAMP '2026-03-01 11:50', 'b', 'view'),
            ('b2', TIMESTAMP '2026-03-01 12:10', 'b', 'cart'),
            ('c1', TIMESTAMP '2026-03-01 12:00', 'c', 'view')) AS log(event_id, event_time, user_session, event_type)
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "it's a log.parquet"
    write(path, f"SELECT * FROM {ROWS} ORDER BY event_id DESC")
    return path


def write(path: Path, query: str) -> None:
    quoted = str(path).replace("'", "''")
    duckdb.sql(f"COPY ({query}) TO '{quoted}' (FORMAT parquet)")


def split(log: Path, at: str) -> str:
    out = StringIO()
    call_command(
        "split_log", events=log, at=at, before=log.parent / "x/b.parquet", after=log.parent / "x/a.parquet", stdout=out
    )
    return out.getvalue()


def ids(path: Path) -> list[str]:
    return [row[0] for row in duckdb.execute(f"SELECT event_id FROM '{path}'").fetchall()]


@pytest.mark.parametrize("at", ["2026-03-01T12:00:00Z", "2026-03-01T13:00:00+01:00"])
def test_a_session_stays_whole_on_the_side_where_it_starts(log: Path, at: str) -> None:
    printed = split(log, at)
    folder = log.parent / "x"
    assert ids(folder / "b.parquet") == ["a1", "b1", "b2"]
    assert ids(folder / "a.parquet") == ["c1"]
    assert printed == (
        f"3 events of 2 sessions in {folder / 'b.parquet'}\n1 events of 1 sessions in {folder / 'a.parquet'}\n"
    )
    assert sorted(path.name for path in folder.iterdir()) == ["a.parquet", "b.parquet"]


@pytest.mark.parametrize(
    ("at", "message"),
    [
        pytest.param("2026-02-01T00:00:00Z", "no session on one side", id="all after"),
        pytest.param("2026-04-01T00:00:00Z", "no session on one side", id="all before"),
        pytest.param("2026-03-01T12:00:00", "has no zone", id="no zone"),
        pytest.param("noon", "is no time", id="no time"),
    ],
)
def test_a_moment_that_does_not_cut_is_refused(log: Path, at: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        split(log, at)
    assert list(log.parent.iterdir()) == [log]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        pytest.param(f"SELECT event_id, event_time FROM {ROWS}", "no column user_session", id="missing column"),
        pytest.param(
            f"SELECT * REPLACE (NULL::VARCHAR AS user_session) FROM {ROWS}", "4 events without", id="no session"
        ),
        pytest.param(None, "cannot be read as Parquet", id="no file"),
    ],
)
def test_a_log_that_cannot_be_cut_is_refused(tmp_path: Path, query: str | None, message: str) -> None:
    path = tmp_path / "log.parquet"
    if query is not None:
        write(path, query)
    before = list(tmp_path.iterdir())
    with pytest.raises(CommandError, match=message):
        split(path, "2026-03-01T12:00:00Z")
    assert list(tmp_path.iterdir()) == before


def test_the_log_is_never_taken_for_a_half(tmp_path: Path) -> None:
    log = tmp_path / "log.parquet"
    log.write_bytes((Path(__file__).resolve().parents[3] / "fixtures" / "log.parquet").read_bytes())
    size = log.stat().st_size
    with pytest.raises(CommandError, match=r"--before: .*log\.parquet is a log to be read"):
        call_command(
            "split_log",
            *("--events", str(log), "--at", "2026-04-06T00:00:00Z", "--before", str(log), "--after", str(log)),
        )
    assert [path.stat().st_size for path in tmp_path.iterdir()] == [size]
