"""Orders: the one place over which revenue is summed."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _

from purchase_intent.events.reasons import LONGEST_TEXT
from purchase_intent.models.session import Session
from purchase_intent.models.visitor import Visitor

__all__ = ["Order", "OrderQuerySet"]


class OrderQuerySet(models.QuerySet["Order"]):
    """Orders, in the words the rest of the app asks for them."""

    def revenue(self) -> Decimal:
        """What these orders brought; 0 for none. Summed over event lines it would be counted once a line."""
        total: Decimal | None = self.aggregate(total=Sum("revenue"))["total"]
        return total if total is not None else Decimal(0)


class Order(models.Model):
    """One order of the shop, however many lines and events it has."""

    site = models.CharField(_("site"), max_length=64, blank=True, default="")
    number = models.CharField(_("number"), max_length=LONGEST_TEXT, help_text=_("The shop's own order id."))
    visitor = models.ForeignKey(Visitor, models.CASCADE, related_name="orders", verbose_name=_("visitor"))
    session = models.ForeignKey(
        Session, models.SET_NULL, null=True, blank=True, related_name="orders", verbose_name=_("session")
    )
    revenue = models.DecimalField(_("revenue"), max_digits=16, decimal_places=4)
    currency = models.CharField(_("currency"), max_length=3, blank=True, default="")
    placed_at = models.DateTimeField(_("placed at"))

    objects = OrderQuerySet.as_manager()

    class Meta:
        # A host has orders of its own, in the same admin.
        verbose_name = _("recorded order")
        verbose_name_plural = _("recorded orders")
        ordering = ("-placed_at", "-pk")
        indexes = (models.Index(fields=("-placed_at", "-id"), name="intent_order_latest"),)
        constraints = (
            models.UniqueConstraint(fields=("number", "site"), name="intent_one_order_per_number"),
            models.CheckConstraint(condition=~Q(number=""), name="intent_order_has_number"),
            models.CheckConstraint(condition=Q(revenue__gte=0), name="intent_order_revenue"),
        )

    def __str__(self) -> str:
        return self.number
