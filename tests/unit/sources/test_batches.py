"""Batches: whole persons, sorted, the same events whatever the limit."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from purchase_intent.events.hashing import key_hash
from purchase_intent.events.names import EventName, Page
from purchase_intent.features.hit import HIT
from purchase_intent.sources import Batch, open_log
from tests.unit.sources.writing import GENERIC, START, all_hits, event, iso, write_csv


def mixed_log(seed: int, count: int = 400) -> list[dict[str, object]]:
    """Visitors of very different activity, some of whom log in, in no order of time."""
    chance = random.Random(seed)
    rows = []
    for i in range(count):
        visitor = min(int(chance.expovariate(0.2)), 30)
        session = f"s{visitor}-{chance.randrange(3)}"
        name = f"member{visitor}" if visitor % 5 == 0 and chance.random() < 0.4 else f"cookie{visitor}"
        minute = chance.randrange(5_000)
        rows.append(event(minute, event_id=f"e{i}", user_id=name, user_session=session, product_id=f"p{i % 7}"))
    logins = [(visitor, name) for visitor in range(0, 31, 5) for name in ("cookie", "member")]  # each at least once
    return rows + [event(v, event_id=f"{name}{v}", user_id=f"{name}{v}", user_session=v) for v, name in logins]


def persons(batch: Batch, rows: list[dict[str, object]]) -> list[str]:
    return [str(rows[row]["user_id"]).replace("member", "").replace("cookie", "") for row in batch.row]


def ids_of(batch: Batch) -> list[str]:
    assert batch.event_id is not None
    return list(batch.event_id)


@pytest.mark.parametrize("limit", [1, 2, 7, 50, 399, 400, 10_000])
def test_any_limit_gives_the_same_events(tmp_path: Path, limit: int) -> None:
    rows = mixed_log(1)
    path = write_csv(tmp_path / "log.csv", rows)
    with open_log([path], zone="UTC") as log:
        whole, places = all_hits(log)
        hits, again = all_hits(log, limit)
        assert np.array_equal(hits, whole)
        assert np.array_equal(again, places)
        assert sorted(places.tolist()) == list(range(len(rows)))
        seen: set[str] = set()
        for batch in log.batches(limit):
            here = set(persons(batch, rows))
            assert not here & seen, "a person is never cut in two"
            assert len(batch.hits) <= limit or len(here) == 1
            seen |= here


def test_events_go_by_person_time_and_row(tmp_path: Path) -> None:
    rows = mixed_log(2)
    path = write_csv(tmp_path / "log.csv", rows)
    with open_log([path], zone="UTC") as log:
        [batch] = log.batches()
        names = persons(batch, rows)
        starts = [i for i in range(len(names)) if i == 0 or names[i] != names[i - 1]]
        assert len(starts) == len(set(names)), "a person's events lie together"
        order = list(zip(np.cumsum(np.isin(np.arange(len(names)), starts)), batch.hits["time"], batch.row, strict=True))
        assert order == sorted(order)


@pytest.mark.parametrize("limit", [3, 10_000])
def test_slots_are_dense_and_in_order_of_appearance(tmp_path: Path, limit: int) -> None:
    rows = mixed_log(3)
    path = write_csv(tmp_path / "log.csv", rows)
    with open_log([path], zone="UTC") as log:
        for batch in log.batches(limit):
            for slots, column in ((batch.visitor, "user_id"), (batch.session, "user_session")):
                names = [rows[row][column] for row in batch.row]
                first = {name: i for i, name in enumerate(dict.fromkeys(names))}
                assert slots.tolist() == [first[name] for name in names]


def test_a_login_joins_two_visitors_in_one_person(tmp_path: Path) -> None:
    rows = [
        event(0, event_id="a", user_id="cookie", user_session="s1"),
        event(1, event_id="b", user_id="member", user_session="s1", event_type="login"),
        event(2, event_id="c", user_id="stranger", user_session="s2"),
        event(3, event_id="d", user_id="phone", user_session="s3"),
        event(4, event_id="e", user_id="member", user_session="s3", event_type="login"),
        event(5, event_id="f", user_id="cookie", user_session="s4"),
    ]
    path = write_csv(tmp_path / "log.csv", rows)
    with open_log([path], zone="UTC") as log:
        batches = {tuple(ids_of(batch)): batch for batch in log.batches(1, event_ids=True)}
        assert set(batches) == {("a", "b", "d", "e", "f"), ("c",)}
        joined = batches["a", "b", "d", "e", "f"]
        assert joined.visitor.tolist() == [0, 1, 2, 1, 0]  # the visitor known when the event arrived
        assert joined.session.tolist() == [0, 0, 1, 1, 2]
        assert log.visitors == 4


def test_a_rejected_row_joins_nobody(tmp_path: Path) -> None:
    rows = [event(0, user_id="a"), event(1, user_id="b", price="-1"), event(2, user_id="b", user_session="s2")]
    path = write_csv(tmp_path / "log.csv", rows)
    with open_log([path], zone="UTC") as log:
        assert len(list(log.batches(1))) == 2


def test_every_field_of_a_hit(tmp_path: Path) -> None:
    full = {
        "event_id": "x1",
        "event_time": "2024-03-01T23:30:00.123-05:00",
        "event_type": " Product Added ",
        "user_id": "u1",
        "user_session": "s1",
        "product_id": "Ünïcode/42",
        "category_code": "shoes.läufer",
        "brand": "'; DROP TABLE stage; --",
        "price": "12.50",
        "quantity": "3",
        "page": "Basket",
        "search_term": "品牌",
        "device": "mobile",
        "channel": "e-mail",
        "country": "DE",
    }
    path = write_csv(tmp_path / "log.csv", [full])
    with open_log([path], zone="Europe/Berlin") as log:
        [batch] = log.batches(event_ids=True)
    assert batch.hits.dtype == HIT
    hit = batch.hits[0]
    assert {name: hit[name].item() for name in (HIT.names or ())[:13]} == {
        "time": 1709353800123,
        "kind": EventName.CART,
        "page": Page.BASKET,
        "product": key_hash("Ünïcode/42"),
        "category": key_hash("shoes.läufer"),
        "brand": key_hash("'; DROP TABLE stage; --"),
        "device": key_hash("mobile"),
        "channel": key_hash("e-mail"),
        "country": key_hash("DE"),
        "price": 12.5,
        "quantity": 3,
        "hour": 5,
        "weekday": 5,
    }
    assert ids_of(batch) == ["x1"]


def test_a_log_of_required_columns_alone(tmp_path: Path) -> None:
    rows = [{"event_id": i, "event_time": iso(i), "event_type": "view", "user_id": 7} for i in range(3)]
    path = write_csv(tmp_path / "log.csv", rows, GENERIC[:4])
    with open_log([path], zone="UTC") as log:
        [batch] = log.batches()
        assert (log.sessions, log.visitors, log.orders, log.revenue) == (1, 1, 0, 0.0)
        assert batch.hits["time"].tolist() == [int(START.timestamp() * 1000) + 60_000 * i for i in range(3)]
        assert set(batch.hits["page"].tolist()) == {Page.PRODUCT}
        assert not any(batch.hits[name].any() for name in ("product", "price", "quantity", "device"))
