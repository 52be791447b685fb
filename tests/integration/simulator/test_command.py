"""`simulate_shoppers` from the command line."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

QUICK = ("--days", "3", "--sessions-per-day", "60")


def simulate(*options: str) -> str:
    out = StringIO()
    call_command("simulate_shoppers", *options, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_it_writes_a_log_and_prints_its_figures(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    text = simulate(*QUICK, "--out", str(path))
    table = pq.read_table(path)
    shown = dict(re.findall(r"^(\w[\w ]*?)  +(.*)$", text, flags=re.MULTILINE))
    assert list(shown) == [
        "events", "sessions", "visitors", "with a cart", "buying", "orders", "revenue", "bots", "written to",
    ]  # fmt: skip
    assert shown["events"] == f"{table.num_rows:,}"
    assert shown["sessions"] == f"{len(set(table.column('user_session').to_pylist())):,}"
    assert shown["written to"] == str(path)
    assert re.fullmatch(r"\d+ sessions \(\d+\.\d\d%\)", shown["buying"])


def test_it_writes_exactly_as_many_events_as_asked(tmp_path: Path) -> None:
    text = simulate("--events", "1000", "--days", "4", "--out", str(tmp_path / "log.csv"))
    assert "events       1,000\n" in text
    assert pyarrow.csv.read_csv(tmp_path / "log.csv").num_rows == 1000


def test_it_writes_the_rees46_layout(tmp_path: Path) -> None:
    simulate(*QUICK, "--layout", "rees46", "--out", str(tmp_path / "log.csv.gz"))
    table = pyarrow.csv.read_csv(tmp_path / "log.csv.gz")
    assert table.column_names == [
        "event_time", "event_type", "product_id", "category_id", "category_code", "brand", "price", "user_id",
        "user_session",
    ]  # fmt: skip
    assert set(table.column("event_type").to_pylist()) <= {"view", "cart", "remove_from_cart", "purchase"}


def test_seed_start_and_zone_change_the_log(tmp_path: Path) -> None:
    variants = {
        "a": (),
        "b": ("--seed", "2"),
        "c": ("--start", "2026-05-01"),
        "d": ("--zone", "Asia/Tokyo"),
        "e": ("--seed", "1"),
    }
    for name, options in variants.items():
        simulate(*QUICK, *options, "--out", str(tmp_path / f"{name}.csv"))
    logs = {name: (tmp_path / f"{name}.csv").read_bytes() for name in variants}
    assert logs["a"] == logs["e"]
    assert len(set(logs.values())) == 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--days", "0"), "days 0: choose a whole number from 1 to 1,000"),
        (("--events", "-3"), "events -3: choose a whole number from 1 to 10,000,000,000"),
        (("--seed", "-1"), "seed -1: choose"),
        (("--start", "yesterday"), "start 'yesterday': give a day as YYYY-MM-DD"),
        (("--start", "2026-02-30"), "start '2026-02-30': give a day as YYYY-MM-DD"),
        (("--zone", "Berlin"), "zone 'Berlin' is unknown: give an IANA name such as Europe/Berlin"),
        (("--sessions-per-day", "-1"), "-1 sessions a day: choose a rate"),
        (("--layout", "gstore"), "invalid choice: 'gstore'"),
        (("--days", "many"), "invalid int value: 'many'"),
    ],
)
def test_bad_options_are_refused_in_one_line_and_leave_nothing(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    with pytest.raises(CommandError) as refusal:
        simulate(*options, "--out", str(tmp_path / "log.csv"))
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value).strip()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["log.xlsx", "nowhere/log.csv"])
def test_a_bad_path_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CommandError, match="out "):
        simulate(*QUICK, "--out", str(tmp_path / name))
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_path_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / ".log.csv.partial").mkdir()
    with pytest.raises(CommandError, match=r"out .*log\.csv: Is a directory"):
        simulate(*QUICK, "--out", str(tmp_path / "log.csv"))
    assert [path.name for path in tmp_path.iterdir()] == [".log.csv.partial"]
