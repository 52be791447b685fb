"""What the two layouts show, and that they agree on what they share."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from demo_shop.simulator import Catalogue
from demo_shop.simulator.chance import mix
from demo_shop.simulator.layouts import GENERIC, REES46, Layout, generic, rees46
from demo_shop.simulator.naming import labels, session_ids, user_numbers
from demo_shop.simulator.rows import KINDS
from purchase_intent.events.names import EventName
from tests.unit.simulator.conftest import PLAN, Log


@pytest.fixture(scope="module")
def shape(catalogue: Catalogue) -> Layout:
    return Layout(catalogue, PLAN.seed)


@pytest.fixture(scope="module")
def full(shape: Layout, log: Log) -> pa.Table:
    return generic(shape, log.rows, 0)


@pytest.fixture(scope="module")
def lean(shape: Layout, log: Log) -> pa.Table:
    return rees46(shape, log.rows[np.isin(log.rows["kind"], KINDS["rees46"])], 0)


def values(table: pa.Table, name: str) -> list[object]:
    return list(table.column(name).to_pylist())


def test_the_generic_layout_has_its_columns_and_no_others(full: pa.Table) -> None:
    assert tuple(full.column_names) == GENERIC
    assert str(full.schema.field("event_time").type) == "timestamp[ms, tz=UTC]"


def test_nothing_hidden_is_written(full: pa.Table, lean: pa.Table) -> None:
    secret = {"bot", "desire", "energy", "hoard", "intent", "want", "visitor"}
    assert not secret & {*full.column_names, *lean.column_names}


def test_event_ids_are_unique_and_do_not_depend_on_slices(shape: Layout, log: Log, full: pa.Table) -> None:
    ids = values(full, "event_id")
    assert len(set(ids)) == len(ids)
    assert values(generic(shape, log.rows[700:900], 700), "event_id") == ids[700:900]


def test_nulls_stand_where_there_is_nothing_to_say(full: pa.Table, log: Log) -> None:
    missing = {name: full.column(name).null_count for name in GENERIC}
    always = ("event_id", "event_time", "event_type", "user_id", "user_session", "page", "device", "channel", "country")
    assert [missing[name] for name in always] == [0] * len(always)
    purchases = int((log.rows["kind"] == EventName.PURCHASE).sum())
    assert full.num_rows - missing["order_id"] == full.num_rows - missing["revenue"] == purchases
    assert missing["product_id"] == missing["price"] < full.num_rows
    assert missing["brand"] > missing["product_id"]
    assert full.num_rows - missing["search_term"] == int((log.rows["kind"] == EventName.SEARCH).sum())


def test_event_types_and_pages_are_our_own_labels(full: pa.Table) -> None:
    assert set(values(full, "event_type")) == {
        "page_view", "interaction", "select_item", "view", "search", "cart", "remove_from_cart", "view_cart",
        "checkout", "payment_info", "purchase", "login", "sign_up", "wishlist",
    }  # fmt: skip
    pages = Counter(values(full, "page"))
    assert {"home", "listing", "product", "basket", "review", "confirmation", "sign_in", "register"} <= set(pages)


def test_the_rees46_layout_is_spelled_as_the_public_log(lean: pa.Table) -> None:
    assert tuple(lean.column_names) == REES46
    assert set(values(lean, "event_type")) == {"view", "cart", "remove_from_cart", "purchase"}
    first = {name: lean.column(name)[0].as_py() for name in REES46}
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", first["event_time"])
    assert re.fullmatch(r"[a-z]+\.[a-z]+", first["category_code"])
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", first["user_session"])
    assert all(brand is None or str(brand).islower() for brand in values(lean, "brand"))
    assert len(str(first["category_id"])) == 19
    times = values(lean, "event_time")
    assert times == sorted(map(str, times))


def test_the_layouts_agree_on_what_they_share(full: pa.Table, lean: pa.Table) -> None:
    kinds = np.array(values(full, "event_type"))
    shared = full.filter(pa.array(np.isin(kinds, ["view", "cart", "remove_from_cart", "purchase"])))
    assert shared.num_rows == lean.num_rows
    for name in ("event_type", "product_id", "price", "user_session"):
        assert values(shared, name) == values(lean, name)
    assert values(shared, "user_id") == [str(user) for user in values(lean, "user_id")]
    assert [str(code).replace("/", ".") for code in values(shared, "category_code")] == values(lean, "category_code")
    seconds = [str(time)[:19] + " UTC" for time in values(shared, "event_time")]
    assert seconds == values(lean, "event_time")


def test_one_category_has_one_number(lean: pa.Table) -> None:
    pairs = set(zip(values(lean, "category_id"), values(lean, "category_code"), strict=True))
    assert len(pairs) == 25 == len({number for number, _ in pairs})


def test_ids_are_one_to_one_and_differ_from_seed_to_seed() -> None:
    users = np.arange(100_000)
    salts = [mix(np.array([seed], dtype=np.uint64)) for seed in (1, 2)]
    numbers = [user_numbers(users, salt) for salt in salts]
    assert len(np.unique(numbers[0])) == 100_000
    assert len(set(numbers[0].tolist()) & set(numbers[1].tolist())) < 10
    sessions = [set(session_ids(users[:1000], salt).to_pylist()) for salt in salts]
    assert len(sessions[0]) == 1000
    assert not sessions[0] & sessions[1]


def test_labels_merge_equal_names_and_leave_gaps_null() -> None:
    found = labels(np.array([0, 1, 2, 3, -1]), ["a", None, "b", "a"])
    assert found.to_pylist() == ["a", None, "b", "a", None]
    assert found.dictionary.to_pylist() == ["a", "b"]
