"""Tiny logs for tests: rows as dictionaries, written in the layout a test needs."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from purchase_intent.features.hit import HIT
from purchase_intent.sources import EventLog

GENERIC = (
    *("event_id", "event_time", "event_type", "user_id", "user_session", "product_id", "category_code", "brand"),
    *("price", "quantity", "order_id", "revenue", "page", "search_term", "device", "channel", "country"),
)
REES46 = (
    *("event_time", "event_type", "product_id", "category_id", "category_code", "brand"),
    *("price", "user_id", "user_session"),
)
START = datetime(2024, 3, 1, tzinfo=UTC)

Row = Mapping[str, object]


def event(minute: float = 0, **values: object) -> dict[str, object]:
    """A view that lacks nothing, `minute` minutes after START; its id is the minute unless given."""
    row: dict[str, object] = {
        "event_id": f"e{minute}",
        "event_time": iso(minute),
        "event_type": "view",
        "user_id": "u1",
        "user_session": "s1",
        "product_id": "p1",
        "price": "10.00",
    }
    return row | values


def iso(minute: float) -> str:
    """The moment that many minutes after START, as the generic layout writes it."""
    return (START + timedelta(minutes=minute)).isoformat()


def rees(minute: float = 0, **values: object) -> dict[str, object]:
    """A view of the REES46 layout."""
    when = START + timedelta(minutes=minute)
    row: dict[str, object] = {
        "event_time": when.strftime("%Y-%m-%d %H:%M:%S UTC"),
        "event_type": "view",
        "product_id": "44600062",
        "category_id": "2103807459595387724",
        "category_code": "electronics.smartphone",
        "brand": "acme",
        "price": "35.79",
        "user_id": "541312140",
        "user_session": "72d76fde",
    }
    return row | values


def csv_text(rows: Iterable[Row], columns: Iterable[str] = GENERIC) -> str:
    """The rows as CSV with a header."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(columns), restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def write_csv(path: Path, rows: Iterable[Row], columns: Iterable[str] = GENERIC) -> Path:
    """The rows as a CSV file, gzip where the name says so."""
    data = csv_text(rows, columns).encode()
    path.write_bytes(gzip.compress(data) if path.name.endswith(".gz") else data)
    return path


def all_hits(log: EventLog, limit: int = 500_000) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    """Every hit and its row, over all batches."""
    parts = list(log.batches(limit))
    return np.concatenate([part.hits for part in parts]).astype(HIT), np.concatenate([part.row for part in parts])
