"""Catalogue facts: what happened to a product, a category and the shop in the 28 local days before a day.

Daily counts come first, then a window over them that ends the day before: an event of a day or later cannot enter
that day's facts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from purchase_intent.events.names import EventName
from purchase_intent.features.hit import FACTS

if TYPE_CHECKING:
    import duckdb

__all__ = ["ITEM_DAY", "WINDOW_DAYS", "build_facts", "load_item_days"]

WINDOW_DAYS = 28
SUBJECTS = ("product", "category")
MEASURES = {
    subject: tuple(name.removeprefix(f"{subject}_") for name in FACTS if name.startswith(f"{subject}_"))
    for subject in (*SUBJECTS, "shop")
}
ITEM_DAY = ("product", "category", "brand", *FACTS)
"""Columns of `item_days` that a hit takes over: the item's hashes and the facts of its day."""

COUNTS = f"""count(*) FILTER (kind = {EventName.VIEW.value}) AS views,
    count(*) FILTER (kind = {EventName.CART.value}) AS carts,
    count(*) FILTER (kind = {EventName.PURCHASE.value}) AS buys,
    coalesce(sum(round(price * 100)::BIGINT) FILTER (kind = {EventName.VIEW.value}), 0) AS cents"""
LARGEST = 2**62  # a sum of cents beyond is cut off: no shop of this world reaches it


def build_facts(connection: duckdb.DuckDBPyConnection, day: str) -> None:
    """Create `item_days`: each item on each local day it was touched, with hashes and facts.

    `day` is SQL for a staged row's local day. Only accepted rows count.
    """
    connection.execute(
        f"""CREATE TABLE daily AS SELECT items.*, counted.* EXCLUDE (item) FROM
        (SELECT item, {day} AS day, {COUNTS} FROM stage WHERE reason IS NULL GROUP BY item, {day}) AS counted
        JOIN items ON items.code = counted.item"""
    )
    for subject in SUBJECTS:
        connection.execute(
            f"""CREATE TABLE {subject}_facts AS SELECT {subject}, day, {windowed(subject)}
            FROM (SELECT {subject}, day, {summed()} FROM daily WHERE {subject} <> 0 GROUP BY {subject}, day)
            WINDOW earlier AS (PARTITION BY {subject} ORDER BY day {frame()})"""
        )
    connection.execute(
        f"""CREATE TABLE shop_facts AS SELECT day, {windowed("shop")}
        FROM (SELECT day, {summed()} FROM daily GROUP BY day)
        LEFT JOIN (SELECT began AS day, count(*) AS sessions FROM session_days GROUP BY began) USING (day)
        LEFT JOIN (SELECT bought AS day, count(*) AS buyers FROM session_days GROUP BY bought) USING (day)
        WINDOW earlier AS (ORDER BY day {frame()})"""
    )
    facts = ", ".join(f"coalesce({name}, 0) AS {name}" for name in FACTS)
    joins = " ".join(f"LEFT JOIN {subject}_facts USING ({subject}, day)" for subject in SUBJECTS)
    connection.execute(
        f"""CREATE TABLE item_days AS SELECT code, day, product, category, brand, {facts}
        FROM daily {joins} JOIN shop_facts USING (day)"""
    )
    for table in ("daily", *(f"{subject}_facts" for subject in MEASURES)):
        connection.execute(f"DROP TABLE {table}")


def summed() -> str:
    """The counts added up."""
    return ", ".join(f"sum({name}) AS {name}" for name in ("views", "carts", "buys", "cents"))


def frame() -> str:
    """The days before, the day itself left out."""
    return f"RANGE BETWEEN {WINDOW_DAYS} PRECEDING AND 1 PRECEDING"


def windowed(subject: str) -> str:
    """Each measure of a subject summed over the days before."""
    total = f"least(coalesce(sum({{}}) OVER earlier, 0), {LARGEST})::BIGINT"
    return ", ".join(f"{total.format(name)} AS {subject}_{name}" for name in MEASURES[subject])


def load_item_days(connection: duckdb.DuckDBPyConnection) -> NDArray[np.int64]:
    """`item_days` as int64 of shape (items and days, columns of ITEM_DAY), in the order of its `rowid`."""
    found = connection.execute(f"SELECT {', '.join(ITEM_DAY)} FROM item_days ORDER BY rowid").fetchnumpy()
    table = np.empty((len(found[ITEM_DAY[0]]), len(ITEM_DAY)), np.int64)
    for i, name in enumerate(ITEM_DAY):
        table[:, i] = found[name]
    return table
