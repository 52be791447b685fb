"""The two shapes of a log: the generic layout of docs/logs.md, and that of the public REES46 log."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demo_shop.simulator.catalogue import Catalogue
from demo_shop.simulator.chance import mix
from demo_shop.simulator.naming import category_ids, labels, session_ids, text_ids, user_numbers
from demo_shop.simulator.rows import CHANNELS, COUNTRIES, DEVICES, Table
from purchase_intent.events.names import EventName, Page

__all__ = ["GENERIC", "REES46", "Layout", "generic", "rees46"]

GENERIC = (
    "event_id", "event_time", "event_type", "user_id", "user_session", "product_id", "category_code",
    "brand", "price", "quantity", "order_id", "revenue", "page", "search_term", "device", "channel", "country",
)  # fmt: skip
REES46 = (
    "event_time", "event_type", "product_id", "category_id", "category_code", "brand", "price", "user_id",
    "user_session",
)  # fmt: skip

_KINDS: tuple[str | None, ...] = (None, *(kind.label for kind in EventName))
_PAGES = tuple(page.label for page in Page)


class Layout:
    """Turns rows into Arrow tables for one catalogue. `seed` salts all ids, so that two logs share none."""

    def __init__(self, catalogue: Catalogue, seed: int) -> None:
        self.catalogue = catalogue
        self.salt = mix(np.array([seed], dtype=np.uint64))
        self.product_ids = [str(product.product_id) for product in catalogue.products]
        self.brands = [product.brand for product in catalogue.products]
        self.category_ids = category_ids(len(catalogue.shelves))


def generic(layout: Layout, rows: Table, first: int) -> pa.Table:
    """The generic layout; `first` is the number of the first row in the whole log."""
    number = np.arange(first, first + len(rows)).astype(np.uint64)
    product = rows["product"]
    columns = {
        # A bijection of the row's number: unique, and without meaning.
        "event_id": text_ids(mix(number + layout.salt)),
        "event_time": pa.array(rows["time"]).cast(pa.timestamp("ms", tz="UTC")),
        "event_type": labels(rows["kind"], _KINDS),
        "user_id": pa.array(user_numbers(rows["user"], layout.salt)).cast(pa.string()),
        "user_session": session_ids(rows["session"], layout.salt),
        "product_id": labels(product, layout.product_ids),
        "category_code": labels(rows["shelf"], layout.catalogue.categories),
        "brand": labels(product, layout.brands),
        "price": pa.array(rows["price"], mask=product < 0),
        "quantity": pa.array(rows["quantity"].astype(np.int32), mask=rows["quantity"] == 0),
        "order_id": _order_ids(rows, layout),
        "revenue": pa.array(rows["revenue"], mask=rows["order"] == 0),
        "page": labels(rows["page"], _PAGES),
        "search_term": labels(rows["search"], layout.catalogue.terms),
        "device": labels(rows["device"], DEVICES),
        "channel": labels(rows["channel"], CHANNELS),
        "country": labels(rows["country"], COUNTRIES),
    }
    return pa.table({name: columns[name] for name in GENERIC})


def rees46(layout: Layout, rows: Table, first: int) -> pa.Table:
    """The layout of the REES46 CSV files, of rows that `KINDS` lets through: whole seconds, paths with dots."""
    del first  # this layout has no event ids
    seconds = pa.array(rows["time"] // 1000).cast(pa.timestamp("s"))
    columns = {
        "event_time": pc.strftime(seconds, format="%Y-%m-%d %H:%M:%S UTC"),
        "event_type": labels(rows["kind"], _KINDS),
        "product_id": labels(rows["product"], layout.product_ids),
        "category_id": pa.array(layout.category_ids[rows["shelf"]]),
        "category_code": labels(rows["shelf"], [path.replace("/", ".") for path in layout.catalogue.categories]),
        "brand": labels(rows["product"], [brand and brand.lower() for brand in layout.brands]),
        "price": pa.array(rows["price"]),
        "user_id": pa.array(user_numbers(rows["user"], layout.salt)),
        "user_session": session_ids(rows["session"], layout.salt),
    }
    return pa.table({name: columns[name] for name in REES46})


def _order_ids(rows: Table, layout: Layout) -> pa.Array:
    ordered = np.flatnonzero(rows["order"])
    spelled = text_ids(rows["order"][ordered].astype(np.uint64) + layout.salt)
    places = np.zeros(len(rows), dtype=np.int64)
    places[ordered] = np.arange(len(ordered))
    return spelled.take(pa.array(places, mask=rows["order"] == 0))
