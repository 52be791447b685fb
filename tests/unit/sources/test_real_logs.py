"""The public logs, with figures counted independently."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pytest

from purchase_intent.events.names import EventName
from purchase_intent.sources import open_log
from tests.unit.sources.writing import all_hits

DATA = os.environ.get("INTENT_DATA")
pytestmark = [
    pytest.mark.skipif(DATA is None, reason="INTENT_DATA names no folder with the public logs"),
    pytest.mark.slow,
]
FOLDER = Path(DATA or ".")


def test_rees46() -> None:
    with open_log([FOLDER / "rees46" / "2019-Oct_first_8000.csv"], zone="Europe/Moscow") as log:
        assert (log.layout, log.rows, log.accepted, log.rejected) == ("rees46", 8000, 8000, {})
        assert (log.sessions, log.visitors, log.buying_sessions, log.orders) == (2669, 2418, 86, 93)
        assert log.revenue == pytest.approx(27_773.52)
        assert log.first == datetime(2019, 10, 1, tzinfo=UTC)
        assert log.last == datetime(2019, 10, 1, 2, 33, 41, tzinfo=UTC)
        # One session of the sample has two visitors: one person.
        [(linked,)] = log.connection.execute("SELECT count(*) FROM people").fetchall()
        assert linked == 2


def test_gstore(tmp_path: Path) -> None:
    path = FOLDER / "gstore" / "events_2016-08_09.parquet"
    rejects = tmp_path / "rejects.csv"
    with open_log([path], zone="America/Los_Angeles", rejects=rejects) as log:
        assert (log.layout, log.rows, log.accepted) == ("gstore", 908_711, 908_708)
        assert log.rejected == {"absurd_quantity": 3}
        assert (log.sessions, log.visitors, log.buying_sessions) == (145_622, 118_180, 2_014)
        assert (log.orders, round(log.revenue, 2)) == (2_015, 295_565.86)
        assert log.first == datetime(2016, 8, 1, 7, 0, 12, tzinfo=UTC)
        hits, places = all_hits(log, 200_000)
        staged = log.connection.execute("SELECT count(*) FROM staged WHERE reason IS NOT NULL AND session IS NOT NULL")
        assert staged.fetchall() == [(3,)]
    read = f"read_parquet('{path}', file_row_number=true)"
    known = duckdb.execute(
        f"SELECT epoch_ms(event_time) AS time, price, quantity FROM {read} ORDER BY file_row_number"
    ).fetchnumpy()
    assert (hits["time"] == known["time"][places]).all()
    assert (hits["price"] == np.ma.filled(known["price"], 0.0)[places]).all()
    assert (hits["quantity"] == np.ma.filled(known["quantity"], 0)[places]).all()
    kinds = dict(duckdb.execute(f"SELECT event_type, count(*) FROM {read} GROUP BY 1").fetchall())
    found = {EventName(kind).label: int((hits["kind"] == kind).sum()) for kind in np.unique(hits["kind"])}
    assert found == kinds | {"cart": kinds["cart"] - 3}
    assert len(rejects.read_text(encoding="utf-8").splitlines()) == 4
