"""The salt of a day, by which visitors are told apart where no cookie is set. Gone, nobody can tell who was who."""

from __future__ import annotations

import secrets
from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

__all__ = ["DailySalt", "DailySaltQuerySet"]


class DailySaltQuerySet(models.QuerySet["DailySalt"]):
    """Salts, in the words the rest of the app asks for them."""

    def of(self, day: date) -> bytes:
        """The salt of a day, the same in every process; those of earlier days are thrown away."""
        row, is_new = self.get_or_create(day=day, defaults={"value": secrets.token_bytes(32)})
        if is_new:
            self.throw_away(day)
        return bytes(row.value)

    def throw_away(self, today: date) -> int:
        """Delete the salts of days before; how many."""
        return self.filter(day__lt=today).delete()[0]


class DailySalt(models.Model):
    """32 random bytes for one day, in UTC."""

    day = models.DateField(_("day"), unique=True)
    value = models.BinaryField(_("value"), editable=False)

    objects = DailySaltQuerySet.as_manager()

    class Meta:
        verbose_name = _("salt of a day")
        verbose_name_plural = _("salts of days")

    def __str__(self) -> str:
        return f"{self.day}"
