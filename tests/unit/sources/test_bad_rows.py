"""Every kind of bad row has one reason, is counted, written out, and leaves its neighbours alone."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from purchase_intent.events.reasons import OF_SENDERS, Reason
from purchase_intent.sources import open_log
from purchase_intent.sources.rejects import REJECT_COLUMNS
from tests.unit.sources.writing import GENERIC, REES46, csv_text, event, rees, write_csv

BAD = {
    Reason.MISSING_EVENT_ID: ({"event_id": ""}, "event_id", ""),
    Reason.DUPLICATE_EVENT_ID: ({"event_id": "e0"}, "event_id", "e0"),
    Reason.MISSING_TIME: ({"event_time": ""}, "event_time", ""),
    Reason.BAD_TIME: ({"event_time": "yesterday"}, "event_time", "yesterday"),
    Reason.TIME_WITHOUT_ZONE: ({"event_time": "2024-03-01 00:00:00"}, "event_time", "2024-03-01 00:00:00"),
    Reason.TIME_OUT_OF_RANGE: ({"event_time": "1970-01-01T00:00:00Z"}, "event_time", "1970-01-01T00:00:00Z"),
    Reason.MISSING_VISITOR: ({"user_id": ""}, "user_id", ""),
    Reason.UNKNOWN_EVENT_NAME: ({"event_type": "teleport"}, "event_type", "teleport"),
    Reason.BAD_PRICE: ({"price": "nan"}, "price", "nan"),
    Reason.NEGATIVE_PRICE: ({"price": "-0.01"}, "price", "-0.01"),
    Reason.ABSURD_PRICE: ({"price": "1e12"}, "price", "1e12"),
    Reason.BAD_QUANTITY: ({"quantity": "1.5"}, "quantity", "1.5"),
    Reason.NEGATIVE_QUANTITY: ({"quantity": "-1"}, "quantity", "-1"),
    Reason.ABSURD_QUANTITY: ({"quantity": "10000000000000000"}, "quantity", "10000000000000000"),
    Reason.MISSING_ORDER_ID: ({"event_type": "purchase"}, "order_id", ""),
    Reason.BAD_REVENUE: ({"event_type": "purchase", "order_id": "o1", "revenue": "-3"}, "revenue", "-3"),
}


def rejects_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        assert tuple(reader.fieldnames or ()) == REJECT_COLUMNS
        return list(reader)


def test_every_reason_has_a_case() -> None:
    live_only = {Reason.UNKNOWN_PAGE, Reason.BAD_TEXT}
    assert set(BAD) | {Reason.BROKEN_LINE} | live_only | OF_SENDERS == set(Reason)


@pytest.mark.parametrize("reason", BAD, ids=str)
def test_a_bad_row_is_counted_and_written_out(tmp_path: Path, reason: Reason) -> None:
    values, field, value = BAD[reason]
    bad = event(1, **values)
    path = write_csv(tmp_path / "log.csv", [event(0), bad, event(2)])
    rejects = tmp_path / "rejects.csv"
    with open_log([path], zone="UTC", rejects=rejects) as log:
        assert (log.rows, log.accepted, log.rejected) == (3, 2, {str(reason): 1})
        [batch] = log.batches(event_ids=True)
        assert batch.event_id is not None
        assert batch.event_id.tolist() == ["e0", "e2"]
        assert batch.row.tolist() == [0, 2]
    [row] = rejects_of(rejects)
    content = json.loads(row.pop("content"))
    assert row == {
        "source": str(path),
        "place": "row",
        "number": "1",
        "reason": str(reason),
        "field": field,
        "value": value,
    }
    assert content == {name: str(bad[name]) if bad.get(name) else None for name in GENERIC}


@pytest.mark.parametrize("reason", BAD, ids=str)
def test_a_bad_row_with_id_session_and_time_stays_staged(tmp_path: Path, reason: Reason) -> None:
    path = write_csv(tmp_path / "log.csv", [event(0), event(1, **BAD[reason][0])])
    with open_log([path], zone="UTC") as log:
        staged = log.connection.execute("SELECT row, reason::VARCHAR, session IS NOT NULL FROM staged ORDER BY row")
        assert staged.fetchall() == [(0, None, True), (1, str(reason), True)]


@pytest.mark.parametrize(
    ("line", "case"),
    [
        (b"e1,2024-03-01T00:00:00Z,view", "too few"),
        (b"e1,2024-03-01T00:00:00Z,view,u1,s1" + b",x" * 13, "too many"),
        (b"\xff\xfe,2024-03-01T00:00:00Z,view,u1,s1" + b"," * 12, "no UTF-8"),
        (b'e1,"2024-03-01T00:00:00Z,view,u1,s1' + b"," * 12, "open quote"),
        (b'e1,"2024-03-01"T,view,u1,s1' + b"," * 12, "text after a quote"),
        (b"e1,2024-03-01T00:00:00Z,vi\rew,u1,s1" + b"," * 12, "carriage return"),
        (b"x" * 3_000_000, "endless"),
        (b'"' + b"x" * 3_000_000, "endless with a quote"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_broken_line_leaves_its_neighbours_alone(tmp_path: Path, line: bytes, case: str) -> None:
    header, *good = csv_text([event(minute) for minute in range(100)]).encode().splitlines()
    path = tmp_path / "log.csv"
    path.write_bytes(b"\n".join([header, *good[:50], line, *good[50:]]) + b"\n")
    rejects = tmp_path / "rejects.csv"
    with open_log([path], zone="UTC", rejects=rejects) as log:
        assert (log.rows, log.accepted, log.rejected) == (101, 100, {"broken_line": 1})
        [batch] = log.batches()
        assert batch.row.tolist() == list(range(100))
    [row] = rejects_of(rejects)
    assert (row["place"], row["number"], row["reason"], row["field"]) == ("line", "52", "broken_line", "")


def test_quoted_values_and_windows_lines_are_read(tmp_path: Path) -> None:
    rows = [event(0, category_code='say "hi", twice'), event(1, category_code="plain")]
    path = tmp_path / "log.csv"
    path.write_bytes(csv_text(rows).replace("\n", "\r\n").encode("utf-8-sig"))
    plain = write_csv(tmp_path / "plain.csv", [event(0), event(1, category_code="plain")])
    with open_log([path], zone="UTC") as log, open_log([plain], zone="UTC") as other:
        assert (log.accepted, log.rejected) == (2, {})
        [quoted], [known] = log.batches(), other.batches()
        assert quoted.hits["category"][0] not in (0, known.hits["category"][1])
        assert quoted.hits["category"][1] == known.hits["category"][1]


def test_empty_values_past_the_last_column_are_let_pass(tmp_path: Path) -> None:
    header, row, quoted = csv_text([event(0), event(1, brand='a"b')]).splitlines()
    plain, awkward = tmp_path / "plain.csv", tmp_path / "awkward.csv"
    plain.write_text(f"{header}\n{row},,\n")
    awkward.write_text(f"{header}\n{row},,\n{quoted},\n")
    with open_log([plain], zone="UTC") as log:
        assert (log.accepted, log.rejected) == (1, {})
    with open_log([awkward], zone="UTC") as log:
        assert (log.accepted, log.rejected) == (2, {})


def test_the_first_of_several_reasons_counts(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "log.csv", [event(0), event(1, event_time="", price="-1", quantity="x")])
    with open_log([path], zone="UTC") as log:
        assert log.rejected == {"missing_time": 1}


def test_an_id_belongs_to_its_first_row_over_all_files(tmp_path: Path) -> None:
    first = write_csv(tmp_path / "a.csv", [event(5, event_id="x"), event(6, event_id="y")])
    second = write_csv(
        tmp_path / "b.csv", [event(1, event_id="y"), event(2, event_id="z", price="-1"), event(3, event_id="z")]
    )
    with open_log([first, second], zone="UTC") as log:
        assert log.rejected == {"duplicate_event_id": 2, "negative_price": 1}
        [batch] = log.batches()
        assert (batch.row.tolist(), batch.source.tolist()) == ([0, 1], [0, 0])


def test_rees46_rows_need_their_zone(tmp_path: Path) -> None:
    rows = [rees(0), rees(1, event_time="2024-03-01 00:01:00"), rees(2, price="-1"), rees(3, event_type="wink")]
    path = write_csv(tmp_path / "log.csv", rows, REES46)
    with open_log([path], zone="UTC") as log:
        assert log.rejected == {"time_without_zone": 1, "unknown_event_name": 1, "negative_price": 1}
        assert list(log.rejected) == ["time_without_zone", "unknown_event_name", "negative_price"]


def test_a_clean_log_leaves_a_header_alone(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "log.csv", [event(0)])
    rejects = tmp_path / "rejects.csv"
    rejects.write_text("of an earlier run")
    with open_log([path], zone="UTC", rejects=rejects):
        assert rejects.read_text(encoding="utf-8") == ",".join(REJECT_COLUMNS) + "\n"


def test_rejects_hold_all_files_and_nothing_unfinished(tmp_path: Path) -> None:
    first = write_csv(tmp_path / "it's.csv", [event(0), event(1, price="-1")])
    second = write_csv(tmp_path / "b.csv.gz", [event(2, price="-2"), event(3)])
    rejects = tmp_path / "out" / "rejects.csv"
    with open_log([first, second], zone="UTC", rejects=rejects) as log:
        assert log.rejected == {"negative_price": 2}
    assert [(row["source"], row["number"], row["value"]) for row in rejects_of(rejects)] == [
        (str(first), "1", "-1"),
        (str(second), "2", "-2"),
    ]
    assert [path.name for path in rejects.parent.iterdir()] == ["rejects.csv"]
