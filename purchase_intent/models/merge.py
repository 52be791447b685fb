"""The ledger of who was recognised: which anonymous past was joined to which customer, by which login."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from purchase_intent.events.reasons import LONGEST_TEXT
from purchase_intent.models.session import Session
from purchase_intent.models.visitor import Visitor

__all__ = ["Merge", "MergeQuerySet"]


class MergeQuerySet(models.QuerySet["Merge"]):
    """Merges, in the words the rest of the app asks for them."""

    def in_force(self) -> Self:
        """Leave out those that were undone."""
        return self.filter(undone_at=None)


class Merge(models.Model):
    """One login by which an anonymous visitor became known, or was joined to a customer who was known already."""

    site = models.CharField(_("site"), max_length=64, blank=True, default="")
    customer = models.CharField(_("customer"), max_length=LONGEST_TEXT, help_text=_("The shop's own key."))
    visitor = models.ForeignKey(
        Visitor, models.CASCADE, related_name="merges", verbose_name=_("visitor"), help_text=_("Who it became.")
    )
    anonymous = models.ForeignKey(
        Visitor,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="merges_away",
        verbose_name=_("anonymous visitor"),
        help_text=_("Who it was; empty where it became the customer's first visitor itself."),
    )
    session = models.ForeignKey(
        Session, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("session")
    )
    happened_at = models.DateTimeField(_("happened at"), help_text=_("The login's moment."))
    sequence = models.BigIntegerField(_("sequence"), help_text=_("The login's, in its session."))
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)
    undone_by = models.CharField(_("undone by"), max_length=150, blank=True, default="")

    objects = MergeQuerySet.as_manager()

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        ordering = ("-happened_at", "-pk")
        indexes = (models.Index(fields=("-happened_at", "-id"), name="intent_merge_latest"),)

    def __str__(self) -> str:
        return f"{self.happened_at:%Y-%m-%d %H:%M} {self.customer}"
