"""The numbers of one event, as the fold reads them.

A `Hit` is an event with every string hashed, local time worked out and the catalogue's facts of earlier days
attached. Live it is a slotted object; over history it is a row of a structured array of dtype `HIT`. Both have the
same 64-bit fields in the same order, so that one set of functions reads either.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

__all__ = ["FACTS", "HIT", "Hit"]


@dataclass(slots=True)
class Hit:
    """One event in numbers. A hash is a signed 64-bit integer of a string, 0 where the event has none."""

    time: int = 0  # milliseconds since 1970 UTC
    kind: int = 0  # EventName
    page: int = 0  # Page
    product: int = 0  # hash of the product's id
    category: int = 0  # hash of the category's path
    brand: int = 0  # hash of the brand
    device: int = 0  # hash of the device class
    channel: int = 0  # hash of the marketing channel
    country: int = 0  # hash of the country
    price: float = 0.0  # of one unit, in the shop's currency; 0 where unknown
    quantity: int = 0  # units; 0 where unknown
    hour: int = 0  # 0 to 23, in the shop's time zone
    weekday: int = 0  # 0 (Monday) to 6, in the shop's time zone
    # Facts: counts over the 28 local days before the event's own day.
    product_views: int = 0
    product_carts: int = 0
    product_buys: int = 0
    category_views: int = 0
    category_carts: int = 0
    category_cents: int = 0  # sum of the prices viewed, in hundredths of the currency
    shop_sessions: int = 0
    shop_buyers: int = 0  # sessions with at least one purchase


HIT = np.dtype([(field.name, "<f8" if field.type == "float" else "<i8") for field in fields(Hit)])
"""One row of history: the fields of `Hit`, 64 bits each."""

FACTS = tuple(name for name in HIT.names or () if name.split("_")[0] in ("product", "category", "shop") and "_" in name)
"""The fields that are facts of earlier days, which an event does not bring itself."""
