"""The columns that travel through the simulator: rows of the log, the truth behind them, visitors' memories."""

from __future__ import annotations

from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from purchase_intent.events.names import EventName

__all__ = [
    "CART_LINES",
    "CHANNELS",
    "COUNTRIES",
    "DEVICES",
    "KINDS",
    "MEMORY",
    "ROW",
    "TRUTH",
    "VISITS",
    "Table",
    "new_visitors",
    "session_number",
]

Table: TypeAlias = NDArray[np.void]

CART_LINES = 6
"""A cart holds at most this many different products."""

KINDS = MappingProxyType(
    {
        "generic": tuple(EventName),
        "rees46": (EventName.VIEW, EventName.CART, EventName.REMOVE_FROM_CART, EventName.PURCHASE),
    }
)
"""The kinds of event a layout can hold."""

VISITS = 2048
"""A visitor comes at most this often, so that (visitor, visit) makes one number."""

DEVICES = ("mobile", "desktop", "tablet")
CHANNELS = ("Organic Search", "Direct", "Paid Search", "Social", "Referral", "Email", "Affiliates")
COUNTRIES = ("Germany", "Austria", "Switzerland", "Netherlands", "France", "Poland")

ROW = np.dtype(
    [
        ("time", "<i8"),  # milliseconds since 1970 UTC
        ("session", "<i8"),
        ("user", "<i8"),  # visitor * 4 + identity: 0 the account, 1 and 2 the two devices' cookies
        ("price", "<f8"),
        ("revenue", "<f8"),  # of the whole order
        ("order", "<i8"),  # 0 where none
        ("product", "<i2"),  # index into the catalogue, -1 for none; so are the next three
        ("shelf", "<i2"),
        ("search", "<i2"),
        ("quantity", "<i2"),  # 0 for none
        ("kind", "i1"),  # EventName
        ("page", "i1"),  # Page
        ("device", "i1"),
        ("channel", "i1"),
        ("country", "i1"),
        ("bot", "?"),  # for the figures; never written
    ]
)
"""One event. Strings are made by the writers."""

TRUTH = np.dtype(
    [
        ("session", "<i8"),
        ("start", "<i8"),  # milliseconds since 1970 UTC
        ("desire", "<f8"),  # the wish to buy on arrival, in logits
        ("last_desire", "<f8"),  # and on leaving
        ("energy", "<f8"),  # how long this shopper would go on anyway
        ("hoard", "<f8"),  # how readily the cart serves as a wish list
        ("bot", "?"),
        ("bought", "?"),
    ]
)
"""What drove one session. Never written to a log."""

MEMORY = np.dtype(
    [
        ("visitor", "<i8"),
        ("visit", "<i8"),
        ("time", "<i8"),  # of the coming visit
        ("want", "<f8"),  # what is left of the last visit's desire
        ("favourite", "<i8"),  # product that pleased most, -1 for none
        ("shelf", "<i8"),  # shelf visited last, -1 for none
        ("account", "?"),
        ("signed", "?", (2,)),  # device still signed in
        ("cart_slot", "<i8"),  # device whose cookie holds the cart
        ("cart", "<i8", (CART_LINES,)),  # products, -1 for none
        ("quantity", "<i8", (CART_LINES,)),
        ("orders", "<i8"),
    ]
)
"""What is remembered of a visitor between visits."""


def new_visitors(count: int) -> Table:
    """Memories of visitors nobody has seen yet."""
    memory = np.zeros(count, dtype=MEMORY)
    memory["favourite"] = -1
    memory["shelf"] = -1
    memory["cart"] = -1
    return memory


def session_number(visitor: NDArray[np.int64], visit: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for a visit of a visitor."""
    return visitor * VISITS + visit
