"""The shop's own desk: shelves, baskets and orders. Orders are records, so they are read and not edited."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest

from demo_shop.models import Cart, CartLine, Category, Department, Order, OrderLine, Product

__all__ = ["CartAdmin", "CategoryAdmin", "DepartmentAdmin", "OrderAdmin", "ProductAdmin"]

if TYPE_CHECKING:
    CartLines = admin.TabularInline[CartLine, Cart]
    OrderLines = admin.TabularInline[OrderLine, Order]
    Categories = admin.ModelAdmin[Category]
    Departments = admin.ModelAdmin[Department]
    Products = admin.ModelAdmin[Product]
    Carts = admin.ModelAdmin[Cart]
    Orders = admin.ModelAdmin[Order]
else:
    CartLines = OrderLines = admin.TabularInline
    Categories = Departments = Products = Carts = Orders = admin.ModelAdmin


@admin.register(Department)
class DepartmentAdmin(Departments):
    list_display = ("name", "line", "position")
    prepopulated_fields = {"slug": ("name",)}  # noqa: RUF012 (as Django has it)


@admin.register(Category)
class CategoryAdmin(Categories):
    list_display = ("name", "department", "words", "position")
    list_filter = ("department",)
    list_select_related = ("department",)
    search_fields = ("name", "words")


@admin.register(Product)
class ProductAdmin(Products):
    list_display = ("name", "brand", "category", "price", "stock", "on_sale")
    list_filter = ("on_sale", "category__department", "brand")
    list_select_related = ("category",)
    search_fields = ("name", "brand", "=id")
    list_per_page = 50


class LinesOfCart(CartLines):
    model = CartLine
    extra = 0
    raw_id_fields = ("product",)


@admin.register(Cart)
class CartAdmin(Carts):
    list_display = ("__str__", "user", "pieces", "updated_at")
    list_select_related = ("user",)
    raw_id_fields = ("user",)
    inlines = (LinesOfCart,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cart]:
        """Count the pieces with the list, not line by line."""
        return super().get_queryset(request).annotate(pieces=Sum("lines__quantity", default=0))

    @admin.display(ordering="pieces")
    def pieces(self, cart: Cart) -> int:
        return int(getattr(cart, "pieces", 0))


class LinesOfOrder(OrderLines):
    model = OrderLine
    extra = 0
    can_delete = False
    fields = readonly_fields = ("name", "product", "price", "quantity")

    def has_add_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        """A placed order gets no further lines."""
        return False


@admin.register(Order)
class OrderAdmin(Orders):
    list_display = ("number", "placed_at", "name", "items", "sum_in_euros", "payment")
    list_filter = ("payment", "country")
    date_hierarchy = "placed_at"
    search_fields = ("number", "name", "email")
    inlines = (LinesOfOrder,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """Count the lines with the list."""
        return super().get_queryset(request).annotate(items=Count("lines"))

    @admin.display(ordering="items", description="products")
    def items(self, order: Order) -> int:
        return int(getattr(order, "items", 0))

    @admin.display(ordering="goods", description="total in euros")
    def sum_in_euros(self, order: Order) -> Decimal:
        return order.total

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Orders come from the shop."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        """An order is what the shopper said yes to."""
        return False
