"""Orders at the desk: what was bought, by whom, in which session; the one place over which revenue is summed."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from purchase_intent.admin.lists import Desk
from purchase_intent.admin.saying import clock, listed, money, short, timed
from purchase_intent.admin.shoppers.products import named_products
from purchase_intent.events import EventName
from purchase_intent.models import Event, Order

__all__ = ["OrderAdmin"]

MOST: Final = 200
"""Lines of an order that its page shows."""


@admin.register(Order)
class OrderAdmin(Desk):
    list_display = ("order_number", "placed", "value", "who")
    list_select_related = ("visitor",)
    search_fields = ("number",)  # get_search_results looks for the whole number
    search_help_text = "A whole order number."
    page_template = "admin/purchase_intent/order.html"
    nothing = "No orders yet, because none was recorded: call track_order where the shop places one, or import a log."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """With the customer, without the packed past."""
        return super().get_queryset(request).select_related("visitor").defer("visitor__past")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """Whole numbers only: a part of one would read the whole table."""
        term = search_term.strip().replace("\x00", "")
        return (queryset.filter(number=term) if term else queryset), False

    @admin.display(description="order")
    def order_number(self, order: Order) -> str:
        return short(order.number)

    @admin.display(description="placed")
    def placed(self, order: Order) -> str:
        return timed(order.placed_at, timezone.now())

    @admin.display(description="revenue")
    def value(self, order: Order) -> str:
        return money(order.revenue, order.currency or None)

    @admin.display(description="customer")
    def who(self, order: Order) -> str:
        return listed(order.visitor)

    def page(self, request: HttpRequest, row: Order) -> dict[str, Any]:
        """One order and what was bought, with the way to its customer and its session."""
        return {
            "subtitle": row.number,
            "headline": self.value(row),
            "lines": _lines(row),
            "facts": [("Order number", row.number), ("Placed", clock(row.placed_at))],
        }


def _lines(order: Order) -> list[dict[str, Any]]:
    """The lines as they were told; none where their events are pruned, or no session is known."""
    if order.session_id is None:
        return []
    told = Event.objects.filter(session=order.session_id, name=EventName.PURCHASE.value, order=order.number)
    events = list(told.in_order()[:MOST])
    products = named_products(events)
    currency = order.currency or None
    return [
        {
            "product": products.get(event.product),
            "price": "" if event.price is None else money(event.price, currency),
            "quantity": event.quantity or "",
        }
        for event in events
    ]
