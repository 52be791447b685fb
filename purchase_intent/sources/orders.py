"""Orders: revenue counted once for each, however many lines and repeated totals the log has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from purchase_intent.events.names import EventName

if TYPE_CHECKING:
    import duckdb

__all__ = ["order_view"]


def order_view(connection: duckdb.DuckDBPyConnection, *, has_ids: bool, has_revenue: bool) -> None:
    """Create the view `orders` (row, session, visitor, time, lines, revenue), one row an order.

    With order ids, an order's revenue is the total its lines repeat (the greatest, where they differ); a log that
    has no revenue gets the sum of price times quantity. Without ids, the purchases of one visitor in one session and
    one second are an order.
    """
    revenue = "coalesce(max(revenue), 0)" if has_revenue else "fsum(price * greatest(quantity, 1) ORDER BY row)"
    by = "order_key" if has_ids else "visitor, session, time // 1000"
    connection.execute(
        f"""CREATE VIEW orders AS
        SELECT min(row) AS row, min(session) AS session, min(visitor) AS visitor, min(time) AS time, count(*) AS lines,
            {revenue} AS revenue
        FROM staged WHERE reason IS NULL AND kind = {EventName.PURCHASE.value} GROUP BY {by}"""
    )
