"""Sessions: the log's own where it names them, else by 30 minutes and 24 hours."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from purchase_intent.sources import open_log
from purchase_intent.sources.people import connected
from purchase_intent.sources.sessions import assign_sessions
from tests.unit.sources.writing import GENERIC, event, write_csv

NO_SESSIONS = [name for name in GENERIC if name != "user_session"]


def sessions_of(path: Path) -> list[int]:
    """The session slot of each row, in row order."""
    with open_log([path], zone="UTC") as log:
        [batch] = log.batches()
        return [slot for _, slot in sorted(zip(batch.row.tolist(), batch.session.tolist(), strict=True))]


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        ([0, 30, 60], [0, 0, 0]),
        ([0, 30.001], [0, 1]),
        ([0, 31, 32, 100], [0, 1, 1, 2]),
        ([29 * i for i in range(51)], [i * 29 > 24 * 60 for i in range(51)]),
    ],
    ids=["idle", "longer", "several", "a day"],
)
def test_sessions_end_after_30_minutes_or_a_day(tmp_path: Path, minutes: list[float], expected: list[int]) -> None:
    path = write_csv(tmp_path / "log.csv", [event(minute) for minute in minutes], NO_SESSIONS)
    assert sessions_of(path) == expected


def test_an_id_of_the_log_is_authoritative(tmp_path: Path) -> None:
    rows = [event(0, user_session="a"), event(600, user_session="a"), event(601, user_session="b")]
    assert sessions_of(write_csv(tmp_path / "log.csv", rows)) == [0, 0, 1]


def test_rows_without_an_id_are_sessions_among_themselves(tmp_path: Path) -> None:
    rows = [event(minute, user_session=session) for minute, session in [(0, "a"), (1, ""), (2, "a"), (3, ""), (60, "")]]
    assert sessions_of(write_csv(tmp_path / "log.csv", rows)) == [0, 1, 0, 1, 2]


def test_visitors_share_no_session_by_chance(tmp_path: Path) -> None:
    rows = [event(0, user_id="a", event_id="1"), event(0, user_id="b", event_id="2"), event(1, user_id="a")]
    path = write_csv(tmp_path / "log.csv", rows, NO_SESSIONS)
    with open_log([path], zone="UTC") as log:
        assert log.sessions == 2
        assert len(list(log.batches(1))) == 2


def test_sessions_are_the_same_a_few_rows_at_a_time() -> None:
    found = []
    for at_once in (1, 2, 3, 10, 1_000):
        connection = duckdb.connect()
        connection.execute("CREATE TABLE stage (visitor UBIGINT, time BIGINT, session UBIGINT, reason VARCHAR)")
        connection.execute(
            "INSERT INTO stage SELECT i * 7 % 5, i * 600_000, CASE WHEN i % 11 = 0 THEN 1 END, NULL FROM range(60) t(i)"
        )
        assign_sessions(connection, at_once)
        found.append(connection.execute("SELECT session FROM stage ORDER BY rowid").fetchall())
        connection.close()
    assert found == [found[0]] * 5
    assert all(session is not None for (session,) in found[0])


def test_connected_visitors_are_one_person() -> None:
    assert connected([]) == {}
    assert connected([(5, 3), (9, 8), (3, 7), (8, 7), (20, 21)]) == {3: 3, 5: 3, 7: 3, 8: 3, 9: 3, 20: 20, 21: 20}


def test_a_later_event_moves_no_earlier_session(tmp_path: Path) -> None:
    rows = [event(minute) for minute in (0, 10, 50, 55)]
    codes = []
    for count in (3, 4):
        with open_log([write_csv(tmp_path / "log.csv", rows[:count], NO_SESSIONS)], zone="UTC") as log:
            codes.append(log.connection.execute("SELECT session FROM staged WHERE row < 3 ORDER BY row").fetchall())
    assert codes[0] == codes[1]
