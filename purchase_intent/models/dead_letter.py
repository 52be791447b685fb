"""Dead letters: what could not be recorded, as it came, with the reason."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

__all__ = ["DeadLetter", "Origin"]


class Origin(models.TextChoices):
    """On which way to the database it was."""

    SPOOL = "spool", _("spool")
    STREAM = "stream", _("stream")


class DeadLetter(models.Model):
    """One line of `tracking.sinks.entry` that the database refused, or that nobody can read."""

    moment = models.DateTimeField(_("moment"), default=timezone.now, db_index=True)
    origin = models.CharField(_("origin"), max_length=16, choices=Origin)
    reason = models.CharField(_("reason"), max_length=500)
    line = models.BinaryField(_("line"))

    class Meta:
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
        ordering = ("-moment", "-pk")

    def __str__(self) -> str:
        return self.reason
