"""Orders at the desk: what was bought, by whom, in which session; the one place over which revenue is summed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from purchase_intent.admin.lists import Desk
from purchase_intent.admin.saying import clock, listed, money, short, timed
from purchase_intent.models import Order

__all__ = ["OrderAdmin"]


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
        """One order, with the way to its customer and its session."""
        return {
            "subtitle": row.number,
            "headline": self.value(row),
            "facts": [("Order number", row.number), ("Placed", clock(row.placed_at))],
        }
