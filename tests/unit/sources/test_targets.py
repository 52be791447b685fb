"""Files to write: what is refused before the work, and what a failure leaves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from purchase_intent.exceptions import LogRefused
from purchase_intent.sources import check_targets, drafts, layout_zone


def test_free_places_pass_and_nothing_is_left(tmp_path: Path) -> None:
    check_targets({"--out": tmp_path / "a", "--report": tmp_path / "b", "--rejects": None}, [tmp_path / "log"])
    assert list(tmp_path.iterdir()) == []


def test_another_name_of_the_log_is_the_log(tmp_path: Path) -> None:
    log, hard = tmp_path / "log", tmp_path / "hard"
    log.write_text("events", encoding="utf-8")
    os.link(log, hard)
    with pytest.raises(LogRefused, match=r"--out: .*hard is a log to be read; give it a file of its own"):
        check_targets({"--out": hard}, [log])
    assert log.read_text(encoding="utf-8") == "events"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        pytest.param("missing/out", "its folder does not exist; make it first", id="no folder"),
        pytest.param("folder", "is a folder; name a file in it", id="a folder"),
        pytest.param("n" * 250, "cannot be written", id="a name too long"),
    ],
)
def test_a_place_that_takes_no_file_is_refused(target: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(LogRefused, match=said) as refused:
        check_targets({"--out": tmp_path / target}, [])
    assert refused.value.message.startswith("--out: ")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_drafts_take_their_places_together(tmp_path: Path) -> None:
    with drafts(tmp_path / "a", tmp_path / "b") as (first, second):
        first.write_text("1", encoding="utf-8")
        second.write_text("2", encoding="utf-8")
        assert not (tmp_path / "a").exists()
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {"a": "1", "b": "2"}


def fail_half_way(folder: Path) -> None:
    with drafts(folder / "a", folder / "b") as (first, _):
        first.write_text("half", encoding="utf-8")
        raise RuntimeError("half-way")


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("before", encoding="utf-8")
    with pytest.raises(RuntimeError, match="half-way"):
        fail_half_way(tmp_path)
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {"a": "before"}


def test_two_writers_of_one_target_do_not_meet(tmp_path: Path) -> None:
    with drafts(tmp_path / "a") as (first,):
        with drafts(tmp_path / "a") as (second,):
            first.write_text("1", encoding="utf-8")
            second.write_text("2", encoding="utf-8")
        assert (tmp_path / "a").read_text(encoding="utf-8") == "2"
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {"a": "1"}


def test_what_a_killed_writer_left_is_swept_after_a_day(tmp_path: Path) -> None:
    target = tmp_path / "part[1].parquet"
    names = [f".{target.name}.{age}.unfinished" for age in ("fresh", "old")]
    for name in (*names, ".other.old.unfinished"):
        (tmp_path / name).touch()
    for name in (names[1], ".other.old.unfinished"):
        os.utime(tmp_path / name, (0, 0))
    with drafts(target) as (draft,):
        draft.touch()
    assert {path.name for path in tmp_path.iterdir()} == {target.name, names[0], ".other.old.unfinished"}


GSTORE = (
    "event_id,event_time,event_type,user_id,user_session,product_id,category_code,price,quantity,order_id,"
    "revenue,page_path,search_term,device,channel,country"
)


@pytest.mark.parametrize(
    ("columns", "zone"),
    [
        ("event_id,event_time,event_type,user_id", None),
        (GSTORE, "America/Los_Angeles"),
    ],
)
def test_a_layout_of_one_shop_knows_its_zone(columns: str, zone: str | None, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"{columns}\n" + "," * columns.count(",") + "\n", encoding="utf-8")
    assert layout_zone([path]) == zone
