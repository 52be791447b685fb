"""What was refused of what the shop told: counted, so that a mistake in a template does not go unseen."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

__all__ = ["Refusal", "RefusalQuerySet"]


class RefusalQuerySet(models.QuerySet["Refusal"]):
    """Refusals, in the words the rest of the app asks for them."""

    def counts(self, begin: datetime, end: datetime) -> dict[tuple[str, str], int]:
        """How many were refused between two moments, by reason and field, the most frequent first."""
        rows = (
            self.filter(moment__gte=begin, moment__lt=end)
            .order_by()
            .values_list("reason", "field")
            .annotate(total=Sum("count"))
            .order_by("-total", "reason", "field")
        )
        return {(reason, field): int(total) for reason, field, total in rows}


class Refusal(models.Model):
    """Some refusals of one kind by one process, added as a row of its own: no two processes wait for each other."""

    moment = models.DateTimeField(_("moment"), db_index=True)
    reason = models.CharField(_("reason"), max_length=64)
    field = models.CharField(_("field"), max_length=64, blank=True, default="")
    count = models.PositiveIntegerField(_("count"), default=1)

    objects = RefusalQuerySet.as_manager()

    class Meta:
        verbose_name = _("refusal")
        verbose_name_plural = _("refusals")
        ordering = ("-moment", "-pk")

    def __str__(self) -> str:
        return f"{self.count} x {self.reason} ({self.field})"
