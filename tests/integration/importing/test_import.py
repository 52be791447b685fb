"""`intent_import`: everything once, whatever happens on the way, and a state that live scoring can go on from."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from django.core.management import CommandError
from django.db import OperationalError, connection
from pytest_django import DjangoAssertNumQueries

from purchase_intent.features.history import fold
from purchase_intent.features.live import read_row
from purchase_intent.models import CatalogueDay, Event, Order, Session, Stage, Visitor
from purchase_intent.models.session import IDLE
from purchase_intent.sources import load as loading
from purchase_intent.sources import open_log, refold
from tests.integration.importing.conftest import ZONE, Import
from tests.unit.sources.writing import GENERIC, REES46, START, event, rees, write_csv

pytestmark = pytest.mark.django_db

Stored = Callable[[], dict[str, list[Any]]]
MODELS = (Visitor, Session, Event, Order, CatalogueDay)


def counts() -> list[int]:
    return [model.objects.count() for model in MODELS]


def sizes_known() -> list[int]:
    """What the database's planner takes for the numbers of visitors and sessions."""
    tables = [model._meta.db_table for model in (Visitor, Session)]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT relname, reltuples::bigint FROM pg_class WHERE relname = ANY(%s)", [tables])
        else:
            cursor.execute("SELECT tbl, max(CAST(stat AS integer)) FROM sqlite_stat1 GROUP BY tbl")
        known = dict(cursor.fetchall())
    return [known[table] for table in tables]


def test_the_database_holds_what_the_log_does(small_log: Path, intent_import: Import) -> None:
    told = intent_import(small_log)
    with open_log([small_log], zone=ZONE) as log:
        assert counts()[:4] == [log.visitors, log.sessions, log.accepted, log.orders]
        assert float(Order.objects.revenue()) == pytest.approx(log.revenue, abs=1e-6)
        assert Session.objects.filter(stage=Stage.BOUGHT).count() == log.buying_sessions
        assert f"Read {log.rows:,} rows; rejected: none." in told
        assert f"Added {log.visitors:,} visitors, {log.sessions:,} sessions, {log.accepted:,} events" in told
        assert "loading events" in told
        assert sizes_known() == counts()[:2]
        still_open = Session.objects.open().values_list("last_at", flat=True)
        assert still_open
        assert min(still_open) >= log.last - IDLE


def test_a_second_run_adds_nothing_and_changes_nothing(small_log: Path, intent_import: Import, stored: Stored) -> None:
    intent_import(small_log)
    before = stored()
    told = intent_import(small_log)
    assert "Added 0 visitors, 0 sessions, 0 events, 0 orders." in told
    assert "Folded into 0 sessions and 0 visitors; counted 0 rows of catalogue days." in told
    assert stored() == before


def test_states_are_those_of_the_fold_and_score_like_history(small_log: Path, intent_import: Import) -> None:
    intent_import(small_log)
    rows = dict(duckdb.execute(f"SELECT row_number() OVER () - 1, user_session FROM '{small_log}'").fetchall())
    checked = 0
    with open_log([small_log], zone=ZONE) as log:
        for batch in log.batches():
            tables: Any = fold(batch.hits, batch.visitor, batch.session)
            for slot, first in enumerate(np.unique(batch.session, return_index=True)[1]):
                session = Session.objects.get(key=rows[int(batch.row[first])])
                assert bytes(session.state) == tables.states[slot].tobytes()
                assert bytes(session.past) == tables.seen[slot].tobytes()
                assert read_row(session.read_state(), session.read_past(), session.read_state().last).shape[0] == 1
                checked += 1
    assert checked == Session.objects.count() > 500
    assert all(visitor.read_past().known == visitor.known for visitor in Visitor.objects.all())


def test_facts_of_the_frozen_days_are_those_of_the_log(small_log: Path, intent_import: Import) -> None:
    intent_import(small_log)
    texts = duckdb.execute(f"SELECT product_id, category_code FROM '{small_log}'").fetchall()
    with open_log([small_log], zone=ZONE) as log:
        (batch,) = log.batches()
        clock = log.events.clock
    for at in range(0, len(batch.hits), 97):
        hit, (product, category) = batch.hits[at], texts[int(batch.row[at])]
        day = datetime.fromtimestamp(int(clock.local(np.array([hit["time"]]))[0]) / 1000, UTC).date()
        facts = CatalogueDay.objects.facts(day, product=product or "", category=category or "")
        if not product:  # a hit of no product carries none of its facts
            facts |= {name: 0 for name in facts if name.startswith("product")}
        assert facts == {name: int(hit[name]) for name in facts}


class Killed(BaseException):
    """Stands in for a kill: nothing catches it."""


@pytest.mark.parametrize("chunk", [0, 1, 5])
def test_a_run_after_a_kill_while_loading_adds_the_rest(
    small_log: Path, intent_import: Import, stored: Stored, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(loading, "AT_ONCE", 700)
    add, calls = loading.add_events, iter(range(1000))

    def killed(rows: Any, loaded: Any) -> None:
        if next(calls) == chunk:
            raise Killed
        add(rows, loaded)

    with monkeypatch.context() as patch:
        patch.setattr(loading, "add_events", killed)
        with pytest.raises(Killed):
            intent_import(small_log)
    assert Event.objects.count() == chunk * 700
    intent_import(small_log)
    resumed = stored()
    wipe()
    intent_import(small_log)
    assert stored() == resumed


def test_a_run_after_a_kill_while_folding_folds_the_rest(
    small_log: Path, intent_import: Import, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refold, "AT_ONCE", 1000)
    write, calls = refold.write, iter(range(1000))

    def killed(*arguments: Any) -> int:
        if next(calls) == 3:
            raise Killed
        return write(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(refold, "write", killed)
        with pytest.raises(Killed):
            intent_import(small_log)
    assert not CatalogueDay.objects.exists()
    intent_import(small_log)
    resumed = stored()
    wipe()
    intent_import(small_log)
    assert stored() == resumed


def wipe() -> None:
    for model in (Order, Event, Session, Visitor, CatalogueDay):
        model.objects.all().delete()


def test_a_log_in_parts_ends_like_the_log_in_one(
    small_log: Path, intent_import: Import, stored: Stored, tmp_path: Path
) -> None:
    halves = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    rows = f"(SELECT *, row_number() OVER () AS place FROM '{small_log}')"
    (at,) = duckdb.execute(f"SELECT quantile_disc(event_time, 0.5)::VARCHAR FROM {rows}").fetchall()[0]
    for path, side in zip(halves, ("<", ">="), strict=True):
        duckdb.execute(f"COPY (SELECT * FROM {rows} WHERE event_time {side} '{at}' ORDER BY place) TO '{path}'")
    intent_import(halves[0])
    intent_import(halves[1])
    in_parts = stored()
    wipe()
    intent_import(*halves)
    whole = stored()
    for name in ("Visitor", "Order", "CatalogueDay"):
        assert in_parts[name] == whole[name]
    assert [row[:4] for row in in_parts["Session"]] == [row[:4] for row in whole["Session"]]


def test_bad_rows_are_left_out_by_reason(intent_import: Import, tmp_path: Path) -> None:
    log, rejects = tmp_path / "log.csv", tmp_path / "rejects.csv"
    good = [event(minute) for minute in range(3)]
    bad = [
        event(10, price="-1"),
        event(11, event_time="yesterday"),
        event(12, product_id="p" * 501),
        event(13, user_id="u\x07"),
        event(0),
    ]
    write_csv(log, [*good, *bad])
    told = intent_import(log, rejects=rejects)
    assert "rejected: 1 bad_time, 2 bad_text, 1 duplicate_event_id, 1 negative_price" in told.replace(
        "2 bad_text, 1 bad_time", "1 bad_time, 2 bad_text"
    )
    assert list(Event.objects.in_order().values_list("event_id", flat=True)) == ["e0", "e1", "e2"]
    with rejects.open(encoding="utf-8", newline="") as stream:
        found = [(row["number"], row["reason"], row["field"]) for row in csv.DictReader(stream)]
    assert found == [
        ("3", "negative_price", "price"),
        ("4", "bad_time", "event_time"),
        ("7", "duplicate_event_id", "event_id"),
        ("5", "bad_text", "product_id"),
        ("6", "bad_text", "user_id"),
    ]


def test_a_log_without_ids_is_named_by_what_it_says(intent_import: Import, stored: Stored, tmp_path: Path) -> None:
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    write_csv(one, [rees(), rees(), rees(1, event_type="purchase"), rees(1, event_type="purchase")], REES46)
    write_csv(other, [rees(2, user_session=""), rees(2, user_id="2")], REES46)
    intent_import(one)
    intent_import(other, one)
    assert counts()[:4] == [2, 2, 6, 1]
    before = stored()
    assert "Added 0 visitors, 0 sessions, 0 events, 0 orders." in intent_import(one, other)
    assert stored() == before
    order = Order.objects.get()
    assert order.revenue == Decimal("71.58")
    assert set(Event.objects.filter(name=11).values_list("order", "revenue")) == {(order.number, 71.58)}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param("missing.csv", None, "no such file", id="no file"),
        pytest.param("empty.csv", "", "empty", id="an empty file"),
        pytest.param("log.csv", "event_id,event_time,user_id\na,b,c\n", "event_type is missing", id="no column"),
        pytest.param(
            "log.csv",
            ",".join(GENERIC) + "\n" + "x" + "," * (len(GENERIC) - 1) + "\n",
            "no event can be used",
            id="no use",
        ),
    ],
)
def test_what_is_no_log_is_refused_and_leaves_nothing(
    intent_import: Import, tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(CommandError, match=message) as refusal:
        intent_import(path)
    assert "\n" not in str(refusal.value)
    assert counts() == [0, 0, 0, 0, 0]


def test_a_rejects_file_that_is_the_log_is_refused(intent_import: Import, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "log.csv", [event()])
    before = path.read_bytes()
    with pytest.raises(CommandError, match=r"--rejects: .* is a log to be read"):
        intent_import(path, rejects=path)
    assert (path.read_bytes(), counts()) == (before, [0, 0, 0, 0, 0])


def test_an_unknown_zone_is_refused(small_log: Path, intent_import: Import) -> None:
    with pytest.raises(CommandError, match="no IANA time zone"):
        intent_import(small_log, zone="Mars/Olympus")
    assert counts() == [0, 0, 0, 0, 0]


def test_a_database_that_fails_is_told_in_one_line(
    small_log: Path, intent_import: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> None:
        raise OperationalError("disk is full\nand more")

    monkeypatch.setattr(loading, "add_events", full)
    with pytest.raises(CommandError, match=r"^The database refused: disk is full\. What was loaded stays"):
        intent_import(small_log)
    assert counts() == [0, 0, 0, 0, 0]


def test_what_the_shop_has_gone_on_with_is_left_alone(small_log: Path, intent_import: Import) -> None:
    intent_import(small_log)
    busy = Session.objects.open().first()
    assert busy is not None
    Session.objects.filter(pk=busy.pk).update(last_at=datetime.now(UTC), state=b"live", version=9)
    told = intent_import(small_log)
    busy.refresh_from_db()
    assert (bytes(busy.state), busy.version) == (b"live", 9)
    assert "1 rows had gone on meanwhile" in told


def test_a_chunk_costs_few_queries_however_many_events(
    tmp_path: Path, django_assert_num_queries: DjangoAssertNumQueries, intent_import: Import
) -> None:
    path = write_csv(tmp_path / "log.csv", [event(minute, user_id=f"u{minute}") for minute in range(40)])
    intent_import(path)
    times = [int(START.timestamp() * 1000) + minute * 60_000 for minute in range(40)]
    rows = [
        loading.Row(0, time, 4, 3, f"u{n}", "s1", f"e{n}", "", "", "", None, None, "", None, "", "", "", "")
        for n, time in enumerate(times)
    ]
    loaded = loading.Loaded()
    with django_assert_num_queries(1):
        loading.add_events(rows, loaded)
    assert loaded.added["events"] == 0
