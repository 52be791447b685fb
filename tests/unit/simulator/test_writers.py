"""Files are whole or not there, and the same bytes from the same plan."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from demo_shop.simulator import Figures, Plan, SimulationRefused, write_log
from demo_shop.simulator.writers import open_writer

PLAN = Plan(start=date(2026, 3, 28), days=3, sessions_per_day=80, seed=2)


@pytest.mark.parametrize(
    ("layout", "name"),
    [("generic", "log.parquet"), ("generic", "log.csv"), ("rees46", "log.csv"), ("rees46", "log.csv.gz")],
)
def test_the_same_plan_gives_the_same_bytes_in_any_slices(tmp_path: Path, layout: str, name: str) -> None:
    first, second, third = (tmp_path / folder / name for folder in "abc")
    for path, plan in ((first, PLAN), (second, PLAN), (third, replace(PLAN, hours_per_slice=24))):
        path.parent.mkdir()
        write_log(replace(plan, layout=layout), path)
    assert first.read_bytes() == second.read_bytes() == third.read_bytes()
    assert [path.name for path in first.parent.iterdir()] == [name]


def test_csv_and_parquet_hold_the_same_rows(tmp_path: Path) -> None:
    figures = [write_log(PLAN, tmp_path / name) for name in ("log.parquet", "log.csv", "log.csv.gz")]
    text = (tmp_path / "log.csv").read_text(encoding="utf-8")
    assert gzip.decompress((tmp_path / "log.csv.gz").read_bytes()).decode() == text
    lines = text.splitlines()
    table = pq.read_table(tmp_path / "log.parquet")
    assert lines[0].split(",") == table.column_names
    assert len(lines) - 1 == table.num_rows == figures[0].events == figures[1].events
    first = table.slice(0, 1).to_pylist()[0]
    shown = dict(zip(table.column_names, lines[1].split(","), strict=True))
    assert shown["event_time"] == first["event_time"].strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    assert shown["event_id"] == first["event_id"]
    assert shown["search_term"] == (first["search_term"] or "")


def test_the_figures_are_those_of_the_file(tmp_path: Path) -> None:
    figures = write_log(PLAN, tmp_path / "log.parquet")
    table = pq.read_table(tmp_path / "log.parquet").to_pylist()
    orders = {row["order_id"]: row["revenue"] for row in table if row["order_id"]}
    assert figures.events == len(table)
    assert figures.sessions == len({row["user_session"] for row in table})
    assert figures.visitors == len({row["user_id"] for row in table})
    assert figures.buying_sessions == len({row["user_session"] for row in table if row["order_id"]})
    assert figures.carting_sessions == len({row["user_session"] for row in table if row["event_type"] == "cart"})
    assert figures.orders == len(orders)
    assert figures.revenue_cents == sum(round(revenue * 100) for revenue in orders.values())
    assert figures.conversion == figures.buying_sessions / figures.sessions
    assert (figures.first, figures.last) == tuple(
        int(row["event_time"].timestamp() * 1000) for row in (table[0], table[-1])
    )


def test_no_rows_are_no_figures() -> None:
    figures = Figures()
    assert (figures.events, figures.sessions, figures.conversion, figures.first) == (0, 0, 0.0, None)


@pytest.mark.parametrize(
    ("layout", "name", "named"),
    [
        ("generic", "log.txt", "log.txt"),
        ("generic", "log", "log"),
        ("rees46", "log.parquet", "log.parquet"),
        ("generic", "missing/log.parquet", "missing"),
        ("generic", "folder.csv", "folder"),
    ],
)
def test_a_bad_target_is_refused_before_anything_is_written(tmp_path: Path, layout: str, name: str, named: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(SimulationRefused) as refusal:
        write_log(replace(PLAN, layout=layout), tmp_path / name)
    assert named in refusal.value.message
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]


@pytest.mark.parametrize("name", ["log.parquet", "log.csv", "log.csv.gz"])
@pytest.mark.parametrize("older", [None, b"an older log"])
def test_a_failure_half_way_leaves_no_trace(tmp_path: Path, name: str, older: bytes | None) -> None:
    path = tmp_path / name
    if older is not None:
        path.write_bytes(older)

    def fail(share: float) -> None:
        raise RuntimeError(f"stopped at {share:.0%}")

    with pytest.raises(RuntimeError, match="stopped at"):
        write_log(PLAN, path, progress=fail)
    assert [entry.read_bytes() for entry in tmp_path.iterdir()] == ([] if older is None else [older])


def test_progress_ends_at_one(tmp_path: Path) -> None:
    shares: list[float] = []
    write_log(replace(PLAN, hours_per_slice=12), tmp_path / "log.csv", progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    shares.clear()
    write_log(replace(PLAN, events=300, days=2, sessions_per_day=None), tmp_path / "log.csv", progress=shares.append)
    assert shares[-1] == 1.0


def test_row_groups_are_of_one_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo_shop.simulator.writers._Parquet._ROWS", 100)
    table = pa.table({"event_id": [str(number) for number in range(350)]})
    for name, cuts in (("a.parquet", [350]), ("b.parquet", [10, 240, 100])):
        with open_writer(tmp_path / name) as writer:
            start = 0
            for length in cuts:
                writer.write(table.slice(start, length))
                start += length
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    metadata = pq.read_metadata(tmp_path / "a.parquet")
    assert [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)] == [100, 100, 100, 50]
    assert pq.read_table(tmp_path / "b.parquet").equals(table)
