"""What the files say in words: the texts that the staged table has turned into codes and hashes."""

from __future__ import annotations

from purchase_intent.sources.scan import NUMBERS, Scan
from purchase_intent.sources.staging import Stage

__all__ = ["TEXTS", "text_view"]

TEXTS = {
    "event_id": "event_id",
    "visitor": "user_id",
    "session": "user_session",
    "product": "product_id",
    "category": "category_code",
    "brand": "brand",
    "order_id": "order_id",
    "search": "search_term",
    "device": "device",
    "channel": "channel",
    "country": "country",
}
"""Columns of `texts` and where the log has them."""


def text_view(stage: Stage) -> None:
    """Create the view `texts`: `row`, the columns of TEXTS and the numbers as given, NULL where there is nothing.

    A view costs nothing until it is asked; each question reads the files again.
    """
    parts = [texts_of(scan, first) for scan, first in zip(stage.scans, stage.starts, strict=True)]
    stage.connection.execute(f"CREATE VIEW texts AS {' UNION ALL '.join(parts)}")


def texts_of(scan: Scan, first: int) -> str:
    """SELECT of one file, whose first row is number `first`."""
    columns = [f"{scan.string(source)} AS {name}" for name, source in TEXTS.items()]
    columns += [scan.number(name)[0] if scan.has(name) else f"NULL::DOUBLE AS {name}" for name in NUMBERS]
    return f"SELECT row_number() OVER () - 1 + {first} AS row, {', '.join(columns)} FROM {scan.rows()}"
