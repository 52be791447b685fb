"""What is no log is refused by name, with the remedy, and leaves nothing behind."""

from __future__ import annotations

import builtins
import gzip
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from purchase_intent.exceptions import LogRefused, MissingExtra
from purchase_intent.sources import open_log
from tests.unit.sources.writing import GENERIC, REES46, csv_text, event, rees, write_csv

GOOD = csv_text([event(minute) for minute in range(500)]).encode()


def parquet(query: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")

    return make


def data(content: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(content)

    return make


REFUSED: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "no file": ("log.csv", lambda path: None, "no such file"),
    "empty": ("log.csv", data(b""), "empty (0 bytes)"),
    "header only": ("log.csv", data(GOOD.splitlines()[0] + b"\n"), "no event"),
    "blank header": ("log.csv", data(b"\n" + GOOD), "no header"),
    "missing column": ("log.csv", data(b"event_id,event_time,event_type\na,b,c\n"), "column user_id is missing"),
    "column twice": ("log.csv", data(b"event_id,event_id\na,b\n"), "column 'event_id' appears twice"),
    "semicolons": ("log.csv", data(GOOD.replace(b",", b";")), "not separated by commas"),
    "utf-16": ("log.csv", data(GOOD.decode().encode("utf-16")), "header cannot be read"),
    "all broken": ("log.csv", data(GOOD.splitlines()[0] + b"\nx\ny\n"), "no event can be used (broken_line 2)"),
    "no Parquet": ("log.parquet", data(GOOD), "not a Parquet file"),
    "cut Parquet": ("log.parquet", data(b"PAR1" + GOOD), "damaged Parquet file"),
    "cut gzip": ("log.csv.gz", data(gzip.compress(GOOD)[:-20]), "damaged or cut short"),
    "cut gzip header": ("log.csv.gz", data(gzip.compress(GOOD)[:12]), "damaged or cut short"),
    "changed gzip": ("log.csv.gz", data(gzip.compress(GOOD)[:-8] + bytes(8)), "damaged or cut short"),
    "no gzip": ("log.csv.gz", data(GOOD), "is not gzip"),
    "gzip unnamed": ("log.csv", data(gzip.compress(GOOD)), "is gzip"),
    "unknown suffix": ("log.xlsx", data(GOOD), "name it .csv, .csv.gz or .parquet"),
    "naive timestamps": (
        "log.parquet",
        parquet("SELECT 'a' AS event_id, now()::TIMESTAMP AS event_time, 'view' AS event_type, 'u' AS user_id"),
        "column event_time is a timestamp without time zone",
    ),
    "times as numbers": (
        "log.parquet",
        parquet("SELECT 'a' AS event_id, 5 AS event_time, 'view' AS event_type, 'u' AS user_id"),
        "column event_time is of type INTEGER",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_log_is_refused(tmp_path: Path, case: str) -> None:
    name, make, message = REFUSED[case]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    path = tmp_path / name
    make(path)
    with pytest.raises(LogRefused) as caught:
        open_log([path], zone="UTC", scratch=scratch, rejects=tmp_path / "rejects" / "out.csv")
    assert message in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.facts["path"] == str(path)
    assert list(scratch.iterdir()) == []
    if case != "all broken":  # there the file says what is broken
        assert not (tmp_path / "rejects").exists()


@pytest.mark.parametrize("column", ["event_time", "event_type", "user_id", "price", "user_session"])
def test_a_missing_column_of_rees46_is_named(tmp_path: Path, column: str) -> None:
    path = write_csv(tmp_path / "log.csv", [], [name for name in REES46 if name != column])
    with pytest.raises(LogRefused, match=f"column {column} is missing") as caught:
        open_log([path], zone="UTC", layout="rees46")
    assert caught.value.facts["column"] == column


def test_files_of_two_layouts_are_refused(tmp_path: Path) -> None:
    generic = write_csv(tmp_path / "a.csv", [event(0)])
    rees46 = write_csv(tmp_path / "b.csv", [rees(0)], REES46)
    with pytest.raises(LogRefused, match=r"b\.csv: layout rees46, while .*a\.csv has layout generic"):
        open_log([generic, rees46], zone="UTC")


def test_one_bad_path_among_good_ones_is_named(tmp_path: Path) -> None:
    good = write_csv(tmp_path / "a.csv", [event(0)])
    empty = write_csv(tmp_path / "b.csv", [])
    with pytest.raises(LogRefused, match=r"b\.csv: the file has a header and no event"):
        open_log([good, empty], zone="UTC")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"zone": "Mars/Olympus"}, "zone: 'Mars/Olympus' is no IANA time zone"),
        ({"zone": "../etc"}, "zone: '../etc' is no IANA time zone"),
        ({"zone": "UTC", "layout": "csv"}, "layout: 'csv' is unknown; name one of gstore, rees46, generic"),
        ({"zone": "UTC", "until": datetime(2024, 1, 1)}, "until: give a moment with its time zone"),  # noqa: DTZ001
        ({"zone": "UTC", "until": datetime.fromisoformat("2024-01-01T00:00Z")}, "all of them lie after `until`"),
    ],
    ids=["zone", "zone path", "layout", "naive until", "early until"],
)
def test_arguments_that_cannot_be_are_refused(tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    path = write_csv(tmp_path / "log.csv", [event(0)])
    with pytest.raises(LogRefused) as caught:
        open_log([path], scratch=tmp_path, **arguments)
    assert message in caught.value.message
    assert list(tmp_path.iterdir()) == [path]


def test_damage_inside_a_parquet_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    parquet(
        "SELECT uuid()::VARCHAR AS event_id, now() AS event_time, 'view' AS event_type, 'u' AS user_id FROM range(9000)"
    )(path)
    content = bytearray(path.read_bytes())
    content[10_000:40_000] = bytes(30_000)
    path.write_bytes(content)
    with pytest.raises(LogRefused, match=r"log\.parquet: cannot be read"):
        open_log([path], zone="UTC", scratch=tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_no_path_is_refused() -> None:
    with pytest.raises(LogRefused, match="name at least one"):
        open_log([], zone="UTC")


def test_too_little_memory_is_named(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "log.csv", [event(minute) for minute in range(50_000)], GENERIC)
    with pytest.raises(LogRefused, match="memory: 2MB and the scratch folder do not hold this log"):
        open_log([path], zone="UTC", memory="2MB", threads=1, scratch=tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_without_duckdb_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "duckdb":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"django-purchase-intent\[train\]"):
        open_log([tmp_path / "log.csv"], zone="UTC", scratch=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_batch_holds_at_least_one_row(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "log.csv", [event(0)])
    with open_log([path], zone="UTC") as log, pytest.raises(ValueError, match="at least 1"):
        log.batches(0)
