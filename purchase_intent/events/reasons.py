"""Why an event is refused: countable reasons and the limits behind them, the same for a log and a live event."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["EARLIEST", "HIGHEST_MONEY", "LATEST", "LONGEST_TEXT", "MOST_UNITS", "OF_SENDERS", "Reason"]

HIGHEST_MONEY: Final = 1_000_000_000.0
"""A price or an order's total, in the shop's currency; more is a mistake of the sender."""
MOST_UNITS: Final = 100_000
"""Units of one line; more is a mistake of the sender."""
LONGEST_TEXT: Final = 500
"""Characters of an id, a category or a search term."""
EARLIEST: Final = 788_918_400_000
"""1995-01-01 in milliseconds since 1970 UTC: no shop on the web is older."""
LATEST: Final = 4_102_444_800_000
"""2100-01-01 in milliseconds since 1970 UTC."""


class Reason(StrEnum):
    """The reasons, in order of precedence."""

    BROKEN_LINE = "broken_line"
    MISSING_EVENT_ID = "missing_event_id"
    DUPLICATE_EVENT_ID = "duplicate_event_id"
    MISSING_TIME = "missing_time"
    BAD_TIME = "bad_time"
    TIME_WITHOUT_ZONE = "time_without_zone"
    TIME_OUT_OF_RANGE = "time_out_of_range"
    MISSING_VISITOR = "missing_visitor"
    UNKNOWN_EVENT_NAME = "unknown_event_name"
    UNKNOWN_PAGE = "unknown_page"
    BAD_TEXT = "bad_text"
    BAD_PRICE = "bad_price"
    NEGATIVE_PRICE = "negative_price"
    ABSURD_PRICE = "absurd_price"
    BAD_QUANTITY = "bad_quantity"
    NEGATIVE_QUANTITY = "negative_quantity"
    ABSURD_QUANTITY = "absurd_quantity"
    MISSING_ORDER_ID = "missing_order_id"
    BAD_REVENUE = "bad_revenue"
    NO_OBJECT = "no_object"
    TOO_MANY_EVENTS = "too_many_events"
    NO_CONSENT = "no_consent"
    FORGED_COOKIE = "forged_cookie"
    SERVER_ONLY = "server_only"
    MISSING_SCOPE = "missing_scope"


OF_SENDERS: Final = frozenset(
    {
        Reason.NO_OBJECT,
        Reason.TOO_MANY_EVENTS,
        Reason.NO_CONSENT,
        Reason.FORGED_COOKIE,
        Reason.SERVER_ONLY,
        Reason.MISSING_SCOPE,
    }
)
"""Reasons that are about who sends and how, not about the event."""
