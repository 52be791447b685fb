"""What the fold remembers: one `State` for each session, one `Past` for each visitor.

Both are of fixed size, hold 64-bit integers, 64-bit floats and fixed lists only, and exist twice: as a slotted object
for the live path and as a row of a structured array for history. `dumps` and `loads` turn an object into the bytes
of exactly that row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from operator import attrgetter
from struct import Struct
from typing import Any, Final, Generic, TypeVar

import numpy as np

__all__ = [
    "CATEGORIES",
    "KINDS",
    "PAGES",
    "PAST",
    "PAST_LAYOUT",
    "PRODUCTS",
    "STARTS",
    "STATE",
    "STATE_LAYOUT",
    "Layout",
    "Past",
    "State",
]

KINDS: Final = 8
"""The events up to REMOVE_FROM_CART are counted one by one."""
PAGES: Final = 14
"""The numbers of Page."""
PRODUCTS: Final = 12
"""How many of the latest products a session, and a visitor's past, remember."""
CATEGORIES: Final = 6
"""How many of the latest categories a session remembers."""
STARTS: Final = 4
"""How many of the latest session starts a visitor's past remembers."""


def _zeros(length: int, value: float = 0) -> Any:
    return field(default_factory=lambda: [value] * length, metadata={"length": length})


@dataclass(slots=True)
class State:
    """One session so far.

    Times are milliseconds since 1970 UTC, 0 for 'not yet'; durations are seconds; keys are hashes, 0 for 'none'.
    Fields beginning with `noted_` are what the visitor's past has already been told of this session.
    """

    start: int = 0
    last: int = 0
    events: int = 0
    moments: int = 0
    steps: int = 0
    kind: int = 0
    page: int = 0
    landing: int = 0
    trail: int = 0
    stage: int = 0
    hour: int = 0
    weekday: int = 0
    device: int = 0
    channel: int = 0
    country: int = 0
    gap: float = 0.0
    pace: float = 0.0
    longest_gap: float = 0.0
    # Products
    product: int = 0
    category: int = 0
    brand: int = 0
    price: float = 0.0
    products: int = 0
    categories: int = 0
    repeats: int = 0
    priced: int = 0
    sum_price: float = 0.0
    max_price: float = 0.0
    min_price: float = 0.0
    shop_sessions: int = 0
    shop_buyers: int = 0
    product_popularity: int = 0
    product_cart_rate: float = 0.0
    product_buy_rate: float = 0.0
    category_cart_rate: float = 0.0
    category_price: float = 0.0
    rate_sum: float = 0.0
    rate_count: int = 0
    viewed: int = 0
    # Cart and checkout
    cart_units: int = 0
    cart_value: float = 0.0
    cart_max_price: float = 0.0
    first_cart: int = 0
    last_cart: int = 0
    first_basket: int = 0
    last_basket: int = 0
    last_checkout: int = 0
    first_sign_in: int = 0
    step: int = 0
    checkout_value: float = 0.0
    checkouts: int = 0
    login: int = 0
    purchases: int = 0
    last_purchase: int = 0
    # What the visitor's past has been told
    noted_events: int = 0
    noted_moments: int = 0
    noted_products: int = 0
    noted_duration: float = 0.0
    noted_priced: int = 0
    noted_price: float = 0.0
    noted_purchases: int = 0
    noted_outcome: int = 0
    # Lists
    kinds: list[int] = _zeros(KINDS)
    pages: list[int] = _zeros(PAGES)
    dwell: list[float] = _zeros(PAGES, 0.0)
    ring: list[int] = _zeros(PRODUCTS)
    category_ring: list[int] = _zeros(CATEGORIES)


@dataclass(slots=True)
class Past:
    """One visitor's sessions before the present one. Units as in `State`."""

    known: int = 0
    first_seen: int = 0
    last_seen: int = 0
    sessions: int = 0
    events: int = 0
    moments: int = 0
    products: int = 0
    duration: float = 0.0
    priced: int = 0
    price: float = 0.0
    purchases: int = 0
    bought: int = 0
    carted: int = 0
    basket: int = 0
    checkout: int = 0
    left: int = 0
    last_purchase: int = 0
    last_left: int = 0
    left_units: int = 0
    left_value: float = 0.0
    last_stage: int = 0
    best_stage: int = 0
    last_moments: int = 0
    last_duration: float = 0.0
    starts: list[int] = _zeros(STARTS)
    ring: list[int] = _zeros(PRODUCTS)


Record = TypeVar("Record", bound=State | Past)


def _code(type_name: str) -> str:
    return "d" if "float" in type_name else "q"


def _dtype(record: type[Any]) -> np.dtype[np.void]:
    columns: list[Any] = []
    for item in fields(record):
        base = "<f8" if _code(str(item.type)) == "d" else "<i8"
        length = item.metadata.get("length")
        columns.append((item.name, base, (length,)) if length else (item.name, base))
    return np.dtype(columns)


class Layout(Generic[Record]):
    """Turns one kind of record into bytes and back; the bytes are those of its row in a structured array."""

    def __init__(self, record: type[Record]) -> None:
        self._name = record.__name__
        self._build: Callable[..., Record] = record
        self.dtype = _dtype(record)
        self.size = self.dtype.itemsize
        scalars = [item.name for item in fields(record) if "length" not in item.metadata]
        lists = [(item.name, item.metadata["length"]) for item in fields(record) if "length" in item.metadata]
        self._scalars = attrgetter(*scalars)
        self._lists = attrgetter(*(name for name, _ in lists))
        self._cuts = _cuts(len(scalars), [length for _, length in lists])
        codes = [f"{item.metadata.get('length', 1)}{_code(str(item.type))}" for item in fields(record)]
        self._struct = Struct("<" + "".join(codes))

    def dumps(self, record: Record) -> bytes:
        """The record as bytes, `size` of them."""
        values: list[float] = [*self._scalars(record)]
        for part in self._lists(record):
            values += part
        return self._struct.pack(*values)

    def loads(self, data: bytes) -> Record:
        """The record that `dumps` wrote; ValueError where the length is not this layout's."""
        if len(data) != self.size:
            raise ValueError(f"{self._name} has {self.size} bytes, not {len(data)}")
        values = self._struct.unpack(data)
        parts = [list(values[start:stop]) for start, stop in self._cuts]
        return self._build(*values[: self._cuts[0][0]], *parts)


def _cuts(start: int, lengths: list[int]) -> list[tuple[int, int]]:
    cuts = []
    for length in lengths:
        cuts.append((start, start + length))
        start += length
    return cuts


STATE_LAYOUT: Final[Layout[State]] = Layout(State)
PAST_LAYOUT: Final[Layout[Past]] = Layout(Past)
STATE: Final = STATE_LAYOUT.dtype
PAST: Final = PAST_LAYOUT.dtype
