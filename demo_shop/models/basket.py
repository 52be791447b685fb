"""The basket: one a person, or one a browser session until somebody signs in."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.db import models

from demo_shop.models.shelves import Product

__all__ = ["MOST_OF_ONE", "Cart", "CartLine"]

MOST_OF_ONE = 20
"""The most of one product that an order takes."""


class Cart(models.Model):
    """A basket. Without a user it is known by the number that the browser's session keeps."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="cart"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "basket"
        ordering: ClassVar = ["-updated_at"]

    def __str__(self) -> str:
        return f"Basket {self.pk}"


class CartLine(models.Model):
    """So many of one product. The price is the product's, always: a basket keeps none of its own."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveSmallIntegerField(default=1)
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "line"
        ordering: ClassVar = ["added_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["cart", "product"], name="basket_line_once_a_product"),
            models.CheckConstraint(
                condition=models.Q(quantity__gte=1, quantity__lte=MOST_OF_ONE), name="basket_quantity_in_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product_id}"  # noqa: RUF001 (a multiplication sign is meant)

    @property
    def total(self) -> Decimal:
        """What the line costs, in euros."""
        return self.product.price * self.quantity

    @property
    def shortage(self) -> str:
        """Why the line cannot be ordered as it stands, in words; empty where it can."""
        if not self.product.on_sale:
            return "We no longer sell this. Please remove it."
        if self.product.sold_out:
            return "Sold out since you added it. Please remove it."
        if self.quantity > self.product.stock:
            return f"Only {self.product.stock} left. Please lower the quantity."
        return ""
