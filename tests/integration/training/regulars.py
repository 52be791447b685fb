"""A log of a shop with regulars: each comes and buys at a rate of its own, which the test knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

__all__ = ["BEGIN", "ZONE", "write_regulars"]

BEGIN = datetime(2025, 1, 6, tzinfo=UTC)
ZONE = "Europe/Berlin"
DAY = 86_400_000
COLUMNS = (
    *("event_id", "event_time", "event_type", "user_id", "user_session", "product_id", "price", "quantity"),
    *("order_id", "revenue", "page", "device", "channel"),
)


def write_regulars(path: Path, *, days: int = 420, visitors: int = 240, seed: int = 1) -> None:
    """Visitors come every 4 to 40 days until they are lost, and buy on every second visit or hardly ever."""
    chance = np.random.default_rng(seed)
    rows = []
    for visitor in range(visitors):
        pause = float(chance.choice([4.0, 12.0, 40.0])) * DAY
        keen = float(chance.choice([0.02, 0.5]))
        at = float(chance.uniform(0, 40 if visitor % 2 else days * 0.8)) * DAY
        visit = 0
        while at < days * DAY and chance.random() > 0.04:
            rows += _visit(visitor, visit, at, buys=chance.random() < keen, price=float(20 + 60 * (visitor % 3)))
            at += max(chance.exponential(pause), DAY / 12)
            visit += 1
    rows.sort(key=lambda row: (row[1], row[0]))
    columns = dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
    table = pa.table({**columns, "event_time": pa.array(columns["event_time"], pa.timestamp("ms", tz="UTC"))})
    parquet.write_table(table, path)


def _visit(visitor: int, visit: int, at: float, *, buys: bool, price: float) -> list[tuple[object, ...]]:
    names = [("page_view", "home"), ("view", "product")]
    names += [("cart", "product"), ("checkout", "address"), ("purchase", "confirmation")] if buys else []
    session, order = f"s{visitor}-{visit}", f"o{visitor}-{visit}"
    return [
        (
            f"{session}-{place}",
            BEGIN + timedelta(milliseconds=int(at) + place * 40_000),
            name,
            f"v{visitor}",
            session,
            None if name in ("page_view", "checkout") else f"p{visit % 7}",
            None if name in ("page_view", "checkout") else price,
            1 if name in ("cart", "purchase") else None,
            order if name == "purchase" else None,
            price if name == "purchase" else None,
            page,
            "desktop" if visitor % 2 else "mobile",
            "Email" if visitor % 5 == 0 else "Direct",
        )
        for place, (name, page) in enumerate(names)
    ]
