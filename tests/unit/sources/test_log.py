"""The log as a whole: what it says of itself, where it ends, and that it leaves nothing behind."""

from __future__ import annotations

import gc
import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import fsum
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from purchase_intent.events.hashing import key_hash
from purchase_intent.sources import open_log
from purchase_intent.sources.staging import KEY_HASH, SIGNED_HASH
from tests.unit.sources.writing import REES46, START, all_hits, event, rees, write_csv


def test_a_log_counts_itself(tmp_path: Path) -> None:
    rows = [
        event(0),
        event(1, event_type="purchase", order_id="o1", revenue="5"),
        event(2, user_id="u2", user_session="s2"),
        event(3, price="-1"),
    ]
    with open_log([write_csv(tmp_path / "log.csv", rows)], zone="UTC") as log:
        assert (log.rows, log.accepted, log.rejected) == (4, 3, {"negative_price": 1})
        assert (log.first, log.last) == (START, START + timedelta(minutes=2))
        assert (log.sessions, log.visitors, log.buying_sessions) == (2, 2, 1)
        assert (log.orders, log.revenue) == (1, 5.0)


@given(st.lists(st.decimals("0.01", "99999.99", places=2), min_size=1, max_size=30), st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_revenue_does_not_hang_on_the_order_of_the_orders(totals: list[Decimal], chance: Random) -> None:
    chance.shuffle(totals)
    rows = [
        event(minute, event_type="purchase", order_id=f"o{minute}", revenue=str(total), user_session=f"s{minute}")
        for minute, total in enumerate(totals)
    ]
    with TemporaryDirectory() as folder, open_log([write_csv(Path(folder) / "log.csv", rows)], zone="UTC") as log:
        assert log.revenue == fsum(map(float, totals))


def test_only_what_comes_before_until_is_read(tmp_path: Path) -> None:
    rows = [
        event(0, event_id="a", product_id="p"),
        event(24 * 60, event_id="b", product_id="p", event_type="cart"),
        event(24 * 60 + 1, event_id="c", product_id="p"),
        event(24 * 60 + 2, event_id="a", product_id="p", price="-1"),
    ]
    path = write_csv(tmp_path / "log.csv", rows)
    until = START + timedelta(days=1, minutes=1)
    with open_log([path], zone="UTC", until=until) as log:
        assert (log.rows, log.accepted, log.rejected) == (2, 2, {})
        assert log.last == until - timedelta(minutes=1)
        hits, places = all_hits(log)
        assert places.tolist() == [0, 1]
        assert hits["product_views"].tolist() == [0, 1]
    alone = write_csv(tmp_path / "alone.csv", rows[:2])
    with open_log([alone], zone="UTC") as log:
        assert all_hits(log)[0].tolist() == hits.tolist()


def test_a_later_duplicate_in_an_earlier_row_is_not_seen(tmp_path: Path) -> None:
    rows = [event(10, event_id="a"), event(0, event_id="a")]
    path = write_csv(tmp_path / "log.csv", rows)
    with open_log([path], zone="UTC", until=START + timedelta(minutes=5)) as log:
        assert (log.accepted, log.rejected) == (1, {})


def test_nothing_remains_after_closing(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "log.csv.gz", [event(0, brand='a "b"'), event(1)])
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with open_log([path], zone="UTC", scratch=scratch) as log:
        assert [folder.name.startswith("intent-log-") for folder in scratch.iterdir()] == [True]
    assert list(scratch.iterdir()) == []
    with pytest.raises(duckdb.Error):
        log.connection.execute("SELECT 1")


def test_a_log_that_is_never_closed_is_removed_as_well(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "log.csv", [event(0)])
    log = open_log([path], zone="UTC", scratch=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    del log
    gc.collect()
    assert list(tmp_path.iterdir()) == [path]


def test_the_systems_temporary_folder_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path = write_csv(tmp_path / "log.csv", [event(0)])
    with open_log([path], zone="UTC"):
        assert len(list(tmp_path.iterdir())) == 2
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_half_way_removes_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("half way")

    monkeypatch.setattr("purchase_intent.sources.log.link_visitors", broken)
    path = write_csv(tmp_path / "log.csv", [event(0)])
    with pytest.raises(RuntimeError, match="half way"):
        open_log([path], zone="UTC", scratch=tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_batches_can_be_read_twice_at_once(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "log.csv", [event(i, user_id=f"u{i % 9}", user_session=f"s{i % 9}") for i in range(90)])
    with open_log([path], zone="UTC") as log:
        pairs = list(zip(log.batches(10, event_ids=True), log.batches(10), strict=True))
        assert len(pairs) == 9
        assert all((one.row == other.row).all() for one, other in pairs)


@given(st.text())
@example("")
@example("品牌 🛒 e\u0301 \x1f")
def test_a_key_hashes_alike_in_python_and_in_the_database(text: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(SIGNED_HASH)
        connection.execute(KEY_HASH)
        safe = text.replace("\x00", "")  # as no log holds it
        assert connection.execute("SELECT key_hash(?)", [safe]).fetchall() == [(key_hash(safe),)]


@pytest.mark.slow
def test_rows_keep_their_numbers_through_a_parallel_read(tmp_path: Path) -> None:
    """Over a million lines, with broken ones between, on two threads."""
    count = 1_200_000
    line = "2024-03-01 00:00:00 UTC,view,{},1,c,b,1.00,{},s{}"
    path = tmp_path / "log.csv"
    with path.open("w") as stream:
        stream.write(",".join(REES46) + "\n")
        for i in range(count):
            stream.write(line.format(i, i % 1000, i % 1000) + "\n" + ("broken\n" if i % 100_000 == 0 else ""))
    with open_log([path], zone="UTC", threads=2) as log:
        assert (log.accepted, log.rejected) == (count, {"broken_line": 12})
        for batch in log.batches(200_000):
            expected = {row: key_hash(str(row)) for row in batch.row[::997].tolist()}
            found = dict(zip(batch.row[::997].tolist(), batch.hits["product"][::997].tolist(), strict=True))
            assert found == expected
            assert (
                batch.row[1:][batch.visitor[1:] == batch.visitor[:-1]]
                > batch.row[:-1][batch.visitor[1:] == batch.visitor[:-1]]
            ).all()


def test_a_small_memory_spills_and_gives_the_same(tmp_path: Path) -> None:
    rows = [
        rees(i % 977, user_id=i % 4001, user_session=f"{i % 9001:036}", product_id=f"product-{i % 3001:030}")
        for i in range(60_000)
    ]
    path = write_csv(tmp_path / "log.csv", rows, REES46)
    with (
        open_log([path], zone="UTC", memory="64MB", threads=1) as small,
        open_log([path], zone="UTC", memory="1GB") as large,
    ):
        assert small.accepted == large.accepted == 60_000
        for one, other in zip(small.batches(20_000), large.batches(20_000), strict=True):
            assert (one.hits == other.hits).all()


def test_moments_are_aware(tmp_path: Path) -> None:
    with open_log([write_csv(tmp_path / "log.csv", [event(0)])], zone="Asia/Tokyo") as log:
        assert log.first == log.last == datetime(2024, 3, 1, tzinfo=UTC)
        assert all_hits(log)[0]["hour"].tolist() == [9]
