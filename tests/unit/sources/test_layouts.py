"""Each layout, in each kind of file, gives the events its documentation promises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pytest

from purchase_intent.events.hashing import key_hash
from purchase_intent.events.names import ALIASES, PAGE_OF_EVENT, Page
from purchase_intent.events.reasons import Reason
from purchase_intent.sources import open_log
from purchase_intent.sources.layouts import LAYOUTS, nearest_layout
from purchase_intent.sources.reasons import FIELD_OF_REASON
from tests.unit.sources.writing import GENERIC, REES46, all_hits, event, rees, write_csv

GSTORE = (*(name for name in GENERIC if name != "page"), "page_path", "product_name")


def as_parquet(path: Path, target: Path, *, types: str = "*") -> Path:
    duckdb.execute(f"COPY (SELECT {types} FROM read_csv('{path}', all_varchar=true)) TO '{target}' (FORMAT parquet)")
    return target


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        (GSTORE, "gstore"),
        (GENERIC, "generic"),
        (GENERIC[:4], "generic"),
        (REES46, "rees46"),
        (("event_id", *REES46), "generic"),
        ([name for name in REES46 if name != "price"], "rees46"),
        ([name for name in GSTORE if name != "revenue"], "gstore"),
    ],
)
def test_the_layout_is_told_from_the_columns(columns: tuple[str, ...], name: str) -> None:
    assert nearest_layout(frozenset(columns)).name == name


def test_a_given_layout_wins(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "log.csv", [event(0, page_path="/home")], GSTORE)
    with open_log([path], zone="UTC", layout="generic") as log:
        assert log.layout == "generic"
        assert all_hits(log)[0]["page"].tolist() == [Page.PRODUCT]


@pytest.mark.parametrize(
    "copy",
    [
        lambda path, rows: path,
        lambda path, rows: write_csv(path.with_suffix(".csv.gz"), rows, REES46),
        lambda path, rows: as_parquet(path, path.with_suffix(".parquet")),
        lambda path, rows: as_parquet(
            path,
            path.with_suffix(".parquet"),
            types="* REPLACE (event_time::TIMESTAMPTZ AS event_time, user_id::BIGINT AS user_id,"
            " product_id::INTEGER AS product_id, price::DECIMAL(9, 2) AS price)",
        ),
    ],
    ids=["csv", "gzip", "parquet of text", "parquet of types"],
)
def test_rees46_in_every_kind_of_file(tmp_path: Path, copy: Callable[[Path, list[dict[str, object]]], Path]) -> None:
    rows = [
        rees(0),
        rees(1, event_type="cart", category_code=""),
        rees(2, event_type="purchase", price="1000.5", brand=""),
        rees(2, event_type="purchase", price="10"),
        rees(3, event_type="purchase", price="7"),
    ]
    path = copy(write_csv(tmp_path / "log.csv", rows, REES46), rows)
    with open_log([path], zone="Europe/Moscow") as log:
        assert (log.layout, log.accepted, log.rejected) == ("rees46", 5, {})
        [batch] = log.batches(event_ids=True)
        hits = batch.hits
        assert hits["kind"].tolist() == [4, 6, 11, 11, 11]
        assert hits["page"].tolist() == [Page.PRODUCT, Page.OTHER, *[Page.CONFIRMATION] * 3]
        assert hits["product"].tolist() == [key_hash("44600062")] * 5
        assert (
            hits["category"].tolist()
            == [key_hash("electronics.smartphone"), 0, *hits["category"][:1]] + [key_hash("electronics.smartphone")] * 2
        )
        assert hits["brand"].tolist() == [key_hash("acme"), key_hash("acme"), 0, key_hash("acme"), key_hash("acme")]
        assert hits["price"].tolist() == [35.79, 35.79, 1000.5, 10.0, 7.0]
        assert set(hits["hour"].tolist()) == {3}
        assert batch.event_id is not None
        assert batch.event_id.tolist() == [f"0-{i}" for i in range(5)]
        # An order there is a visitor, a session and a second; its revenue the sum of its lines.
        assert (log.orders, log.revenue) == (2, 1017.5)
        assert (log.sessions, log.buying_sessions) == (1, 1)


def test_generic_parquet_equals_its_csv(tmp_path: Path) -> None:
    rows = [
        event(i, event_type=name, quantity=i, order_id=f"o{i}", revenue="5.5", page=page.label, device="mobile")
        for i, (name, page) in enumerate(zip(["view", "Order Completed", "add_to_cart"], Page, strict=False))
    ]
    path = write_csv(tmp_path / "log.csv", rows)
    typed = as_parquet(
        path,
        tmp_path / "log.parquet",
        types="* REPLACE (event_time::TIMESTAMPTZ AS event_time, price::FLOAT AS price, quantity::TINYINT AS quantity)",
    )
    with open_log([path], zone="UTC") as one, open_log([typed], zone="UTC") as other:
        assert np.array_equal(all_hits(one)[0], all_hits(other)[0])
        assert (one.orders, one.revenue) == (other.orders, other.revenue) == (1, 5.5)


def test_every_alias_is_understood(tmp_path: Path) -> None:
    rows = [event(i, event_type=alias.upper(), order_id=f"o{i}") for i, alias in enumerate(ALIASES)]
    path = write_csv(tmp_path / "log.csv", rows)
    with open_log([path], zone="UTC") as log:
        hits, _ = all_hits(log)
        assert hits["kind"].tolist() == list(ALIASES.values())
        assert hits["page"].tolist() == [PAGE_OF_EVENT.get(name, Page.OTHER) for name in ALIASES.values()]


def test_generic_pages_go_by_their_labels(tmp_path: Path) -> None:
    labels = [*(page.label for page in Page), " Home ", "nowhere", ""]
    path = write_csv(tmp_path / "log.csv", [event(i, page=label) for i, label in enumerate(labels)])
    with open_log([path], zone="UTC") as log:
        assert all_hits(log)[0]["page"].tolist() == [*Page, Page.HOME, Page.OTHER, Page.PRODUCT]


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("2024-03-01T00:00:00Z", 1709251200000),
        ("2024-03-01 00:00:00 UTC", 1709251200000),
        ("2024-03-01T02:00:00+02:00", 1709251200000),
        ("2024-02-29T17:00:00.250-0700", 1709251200250),
        ("2024-03-01 05:30:00.000001+05:30", 1709251200000),
        ("2024-03-01T02:00+02", 1709251200000),
    ],
)
def test_times_in_many_spellings(tmp_path: Path, text: str, milliseconds: int) -> None:
    path = write_csv(tmp_path / "log.csv", [event(0, event_time=text)])
    with open_log([path], zone="UTC") as log:
        assert all_hits(log)[0]["time"].tolist() == [milliseconds]


@pytest.mark.parametrize(
    ("path", "kind", "page"),
    [
        ("/home", "page_view", Page.HOME),
        ("/basket.html", "page_view", Page.BASKET),
        ("/signin.html", "page_view", Page.SIGN_IN),
        ("/registersuccess.html", "page_view", Page.REGISTER),
        ("/guestregister.html", "page_view", Page.REGISTER),
        ("/myaccount.html?mode=vieworder", "page_view", Page.ACCOUNT),
        ("/asearch.html", "select_item", Page.SEARCH),
        ("/yourinfo.html", "checkout", Page.CHECKOUT),
        ("/payment.html", "checkout", Page.PAYMENT),
        ("/revieworder.html", "checkout", Page.REVIEW),
        ("/ordercompleted.html", "purchase", Page.CONFIRMATION),
        ("/store-policies/shipping", "page_view", Page.INFORMATION),
        ("/store.html", "page_view", Page.LISTING),
        ("/storeitem.html", "page_view", Page.PRODUCT),
        ("/google+redesign/bags", "page_view", Page.LISTING),
        ("/google+redesign/bags/quickview", "view", Page.PRODUCT),
        ("/wishlist.html", "page_view", Page.OTHER),
        ("", "page_view", Page.OTHER),
    ],
)
def test_gstore_pages_go_by_their_path(tmp_path: Path, path: str, kind: str, page: Page) -> None:
    row = event(0, event_type=kind, page_path=path, order_id="o1", event_time="2016-08-01 07:00:12")
    file = write_csv(tmp_path / "log.csv", [row], GSTORE)
    with open_log([file], zone="America/Los_Angeles") as log:
        hits, _ = all_hits(log)
        assert (log.layout, hits["page"].tolist(), hits["hour"].tolist()) == ("gstore", [page], [0])


def test_a_repeated_total_counts_once(tmp_path: Path) -> None:
    rows = [event(i, event_type="purchase", order_id=f"o{i // 3}", revenue="30.1") for i in range(6)]
    rows.append(event(9, event_type="purchase", order_id="o9"))
    path = write_csv(tmp_path / "log.csv", rows)
    with open_log([path], zone="UTC") as log:
        assert (log.orders, log.revenue) == (3, 60.2)
    columns = [name for name in GENERIC if name != "revenue"]
    path = write_csv(tmp_path / "log.csv", [event(0, event_type="purchase", order_id="o", quantity=3)], columns)
    with open_log([path], zone="UTC") as log:
        assert (log.orders, log.revenue) == (1, 30.0)


def test_several_files_are_one_log(tmp_path: Path) -> None:
    one = write_csv(tmp_path / "a.csv", [event(0), event(2)], [*GENERIC[:9], "country"])
    two = write_csv(tmp_path / "b[1].csv.gz", [event(1, device="mobile", brand='"x"'), event(3)], reversed(GENERIC))
    three = as_parquet(write_csv(tmp_path / "c.csv", [event(4)]), tmp_path / "c.parquet")
    with open_log([one, two, three], zone="UTC") as log:
        [batch] = log.batches(event_ids=True)
        assert batch.row.tolist() == [0, 2, 1, 3, 4]
        assert batch.source.tolist() == [0, 1, 0, 1, 2]
        assert batch.hits["device"].tolist() == [0, key_hash("mobile"), 0, 0, 0]
        assert batch.hits["brand"].tolist() == [0, key_hash('"x"'), 0, 0, 0]
        staged = log.connection.execute("SELECT row, source, event_id FROM staged ORDER BY row").fetchall()
        assert staged == [(0, 0, "e0"), (1, 0, "e2"), (2, 1, "e1"), (3, 1, "e3"), (4, 2, "e4")]


@pytest.mark.parametrize("name", ["a[1]*.csv", "a[1]*.parquet", "it's ü?.csv"])
def test_a_name_is_no_pattern(tmp_path: Path, name: str) -> None:
    plain = write_csv(tmp_path / "a1.csv", [event(0), event(1)])
    path = tmp_path / name
    if name.endswith("parquet"):
        as_parquet(write_csv(tmp_path / "a1x.csv", [event(2)]), tmp_path / "other.parquet").rename(path)
    else:
        write_csv(path, [event(2)])
    with open_log([path], zone="UTC", rejects=tmp_path / "rejects.csv") as log:
        assert log.accepted == 1
    assert plain.exists()


def test_documentation_names_every_layout_column_and_reason() -> None:
    text = Path("docs/logs.md").read_text(encoding="utf-8")
    names = {name for layout in LAYOUTS.values() for name in (layout.name, *layout.columns)}
    reasons = (Reason.BROKEN_LINE, *FIELD_OF_REASON)
    missing = {name for name in (*names, *reasons, *(page.label for page in Page)) if f"`{name}`" not in text}
    assert missing == set()
