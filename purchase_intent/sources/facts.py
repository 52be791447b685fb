"""Catalogue facts: what happened to a product, a category, a brand and the shop in the 28 local days before a day.

Daily counts come first, then a window over them that ends the day before: an event of a day or later cannot enter
that day's facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from purchase_intent.events.names import EventName
from purchase_intent.features.hit import FACTS

if TYPE_CHECKING:
    import duckdb

__all__ = ["WINDOW_DAYS", "Facts", "build_facts"]

WINDOW_DAYS = 28
SUBJECTS = ("product", "category", "brand")
MEASURES = {
    "product": ("views", "carts", "buys"),
    "category": ("views", "carts", "buys", "cents"),
    "brand": ("views", "carts", "buys"),
    "shop": ("sessions", "buyers", "views", "carts", "buys"),
}
_COUNTS = f"""count(*) FILTER (kind = {EventName.VIEW.value}) AS views,
    count(*) FILTER (kind = {EventName.CART.value}) AS carts,
    count(*) FILTER (kind = {EventName.PURCHASE.value}) AS buys,
    coalesce(sum(round(price * 100)::BIGINT) FILTER (kind = {EventName.VIEW.value}), 0) AS cents"""


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts of one subject, by position in its table; position 0 is 'never seen before', all zero."""

    columns: dict[str, NDArray[np.int64]]


def build_facts(connection: duckdb.DuckDBPyConnection, day: str) -> None:
    """Create `<subject>_facts` (key, day and the measures) from the accepted rows; `day` is SQL for a row's local day."""
    connection.execute(
        f"""CREATE TEMP TABLE daily AS
        SELECT product, category, brand, {day} AS day, {_COUNTS}
        FROM stage WHERE reason IS NULL GROUP BY product, category, brand, {day}"""
    )
    for subject in SUBJECTS:
        per_day = ", ".join(f"sum({name})::BIGINT AS {name}" for name in MEASURES[subject])
        connection.execute(
            f"""CREATE TABLE {subject}_facts AS SELECT key, day, {windowed(MEASURES[subject])}
            FROM (SELECT {subject} AS key, day, {per_day} FROM daily WHERE {subject} <> 0 GROUP BY {subject}, day)
            WINDOW earlier AS (PARTITION BY key ORDER BY day RANGE BETWEEN {WINDOW_DAYS} PRECEDING AND 1 PRECEDING)
            ORDER BY key, day"""
        )
    shop_facts(connection)
    connection.execute("DROP TABLE daily")


def shop_facts(connection: duckdb.DuckDBPyConnection) -> None:
    """A session counts on the day it began, a buyer on the day of the session's first purchase."""
    connection.execute(
        f"""CREATE TABLE shop_facts AS SELECT day, {windowed(MEASURES["shop"])}
        FROM (SELECT day, sum(views)::BIGINT AS views, sum(carts)::BIGINT AS carts, sum(buys)::BIGINT AS buys
              FROM daily GROUP BY day)
        LEFT JOIN (SELECT began AS day, count(*) AS sessions FROM session_days GROUP BY began) USING (day)
        LEFT JOIN (SELECT bought AS day, count(*) AS buyers FROM session_days GROUP BY bought) USING (day)
        WINDOW earlier AS (ORDER BY day RANGE BETWEEN {WINDOW_DAYS} PRECEDING AND 1 PRECEDING)
        ORDER BY day"""
    )


def windowed(measures: tuple[str, ...]) -> str:
    """Each measure summed over the days before."""
    return ", ".join(f"coalesce(sum({name}) OVER earlier, 0)::BIGINT AS {name}" for name in measures)


def load_facts(connection: duckdb.DuckDBPyConnection) -> dict[str, Facts]:
    """The facts of every subject as arrays."""
    loaded = {}
    for subject, measures in MEASURES.items():
        found = connection.execute(f"SELECT {', '.join(measures)} FROM {subject}_facts ORDER BY rowid").fetchnumpy()
        loaded[subject] = Facts(
            {
                f"{subject}_{name}": np.concatenate([np.zeros(1, np.int64), np.asarray(found[name], np.int64)])
                for name in measures
            }
        )
    assert {name for facts in loaded.values() for name in facts.columns} == set(FACTS)
    return loaded
