"""Why a row is not accepted, as SQL: one reason each, the first that applies."""

from __future__ import annotations

from purchase_intent.events.names import EventName
from purchase_intent.events.reasons import EARLIEST, HIGHEST_MONEY, LATEST, MOST_UNITS, Reason
from purchase_intent.sources.scan import Scan

__all__ = ["FIELD_OF_REASON", "REASON_TYPE", "reason_sql"]

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
        (Reason.ABSURD_PRICE, f"price > {HIGHEST_MONEY}"),
        (Reason.BAD_QUANTITY, "quantity_given AND NOT coalesce(isfinite(quantity) AND quantity % 1 = 0, false)"),
        (Reason.NEGATIVE_QUANTITY, "quantity < 0"),
        (Reason.ABSURD_QUANTITY, f"quantity > {MOST_UNITS}"),
        (Reason.MISSING_ORDER_ID, f"kind = {EventName.PURCHASE.value} AND order_text IS NULL"),
        (Reason.BAD_REVENUE, f"revenue_given AND NOT coalesce(revenue BETWEEN 0 AND {HIGHEST_MONEY}, false)"),
    ]
    judged = [f"WHEN {test} THEN '{reason}'" for reason, test in tests if scan.has(FIELD_OF_REASON[reason])]
    return f"CASE {' '.join(judged)} END"


REASON_TYPE = "ENUM (" + ", ".join(f"'{reason}'" for reason in Reason) + ", 'later')"
"""As stored: 'later' marks rows at or after `until`, which are as good as unread."""
