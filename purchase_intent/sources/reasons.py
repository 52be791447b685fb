"""Why a row is not accepted: one reason each, the first that applies in the order below."""

from __future__ import annotations

from enum import StrEnum

from purchase_intent.events.names import EventName
from purchase_intent.sources.scan import Scan

__all__ = ["Reason"]

EARLIEST = 788_918_400_000  # 1995-01-01 in milliseconds: no shop on the web is older
LATEST = 4_102_444_800_000  # 2100-01-01
LARGEST_PRICE = 1_000_000_000.0
LARGEST_QUANTITY = 100_000.0


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
    BAD_PRICE = "bad_price"
    NEGATIVE_PRICE = "negative_price"
    ABSURD_PRICE = "absurd_price"
    BAD_QUANTITY = "bad_quantity"
    NEGATIVE_QUANTITY = "negative_quantity"
    ABSURD_QUANTITY = "absurd_quantity"
    MISSING_ORDER_ID = "missing_order_id"
    BAD_REVENUE = "bad_revenue"


FIELD_OF_REASON = {
    Reason.MISSING_EVENT_ID: "event_id",
    Reason.DUPLICATE_EVENT_ID: "event_id",
    Reason.MISSING_TIME: "event_time",
    Reason.BAD_TIME: "event_time",
    Reason.TIME_WITHOUT_ZONE: "event_time",
    Reason.TIME_OUT_OF_RANGE: "event_time",
    Reason.MISSING_VISITOR: "user_id",
    Reason.UNKNOWN_EVENT_NAME: "event_type",
    Reason.BAD_PRICE: "price",
    Reason.NEGATIVE_PRICE: "price",
    Reason.ABSURD_PRICE: "price",
    Reason.BAD_QUANTITY: "quantity",
    Reason.NEGATIVE_QUANTITY: "quantity",
    Reason.ABSURD_QUANTITY: "quantity",
    Reason.MISSING_ORDER_ID: "order_id",
    Reason.BAD_REVENUE: "revenue",
}
"""The column of the log at fault; a broken line has none."""


def reason_sql(scan: Scan) -> str:
    """SQL for the reason of a parsed row, NULL where it is accepted; only columns that the file has are judged."""
    tests: list[tuple[Reason, str]] = [
        (Reason.MISSING_EVENT_ID, "event_id IS NULL"),
        (Reason.MISSING_TIME, "NOT time_given"),
        (Reason.BAD_TIME, "time IS NULL"),
        (Reason.TIME_WITHOUT_ZONE, "time_naive"),
        (Reason.TIME_OUT_OF_RANGE, f"time NOT BETWEEN {EARLIEST} AND {LATEST - 1}"),
        (Reason.MISSING_VISITOR, "visitor_text IS NULL"),
        (Reason.UNKNOWN_EVENT_NAME, "kind IS NULL"),
        (Reason.BAD_PRICE, "price_given AND NOT coalesce(isfinite(price), false)"),
        (Reason.NEGATIVE_PRICE, "price < 0"),
        (Reason.ABSURD_PRICE, f"price > {LARGEST_PRICE}"),
        (Reason.BAD_QUANTITY, "quantity_given AND NOT coalesce(isfinite(quantity) AND quantity % 1 = 0, false)"),
        (Reason.NEGATIVE_QUANTITY, "quantity < 0"),
        (Reason.ABSURD_QUANTITY, f"quantity > {LARGEST_QUANTITY}"),
        (Reason.MISSING_ORDER_ID, f"kind = {EventName.PURCHASE.value} AND order_text IS NULL"),
        (Reason.BAD_REVENUE, f"revenue_given AND NOT coalesce(revenue BETWEEN 0 AND {LARGEST_PRICE}, false)"),
    ]
    judged = [f"WHEN {test} THEN '{reason}'" for reason, test in tests if scan.has(FIELD_OF_REASON[reason])]
    return f"CASE {' '.join(judged)} END"


REASON_TYPE = "ENUM (" + ", ".join(f"'{reason}'" for reason in Reason) + ", 'later')"
"""As stored: 'later' marks rows at or after `until`, which are as good as unread."""
