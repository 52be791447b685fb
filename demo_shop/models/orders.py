"""Orders as they were placed: names and prices are copies, so that later changes leave them alone."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from demo_shop.models.shelves import Product

__all__ = ["Order", "OrderLine"]


class Payment(models.TextChoices):
    INVOICE = "invoice", "Invoice, 14 days"
    TRANSFER = "transfer", "Bank transfer"
    DELIVERY = "delivery", "On delivery"


class Order(models.Model):
    """An order. `attempt` is the checkout that led to it: one checkout places one order."""

    Payment = Payment

    number = models.CharField(max_length=16, unique=True)
    attempt = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="orders"
    )
    email = models.EmailField()
    name = models.CharField(max_length=100)
    street = models.CharField(max_length=120)
    postcode = models.CharField(max_length=12)
    city = models.CharField(max_length=80)
    country = models.CharField(max_length=2)
    payment = models.CharField(max_length=12, choices=Payment.choices)
    goods = models.DecimalField("goods in euros", max_digits=10, decimal_places=2)
    delivery = models.DecimalField("delivery in euros", max_digits=6, decimal_places=2)
    placed_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering: ClassVar = ["-placed_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(goods__gt=0, delivery__gte=0), name="order_sums_in_range")
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("order", args=[self.number])

    @property
    def total(self) -> Decimal:
        """What the order comes to, in euros."""
        return self.goods + self.delivery


class OrderLine(models.Model):
    """So many of one product at the price of that moment."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=120)
    price = models.DecimalField("price in euros", max_digits=8, decimal_places=2)
    quantity = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = "line"
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(quantity__gte=1), name="order_line_of_some")]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"  # noqa: RUF001 (a multiplication sign is meant)

    @property
    def total(self) -> Decimal:
        """What the line costs, in euros."""
        return self.price * self.quantity
