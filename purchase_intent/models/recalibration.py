"""Corrections of a served model's log-odds from recent outcomes, beside its bundle: one in force for each version."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from purchase_intent.models.model_version import ModelVersion

__all__ = ["Recalibration", "RecalibrationQuerySet"]


class RecalibrationQuerySet(models.QuerySet["Recalibration"]):
    """Recalibrations, in the words the rest of the app asks for them."""

    def in_force(self) -> Self:
        """Keep those that are applied now: at most one a model version."""
        return self.filter(ended_at=None)

    def replace(self, correction: Recalibration) -> Recalibration:
        """Apply a correction in place of the one in force; both or neither."""
        with transaction.atomic(using=self.db):
            self.in_force().filter(model=correction.model_id).update(ended_at=correction.begun_at)
            correction.save(using=self.db)
        return correction


class Recalibration(models.Model):
    """The map log-odds -> slope * log-odds + intercept on top of a version's own; its key is its version."""

    model = models.ForeignKey(
        ModelVersion, models.CASCADE, related_name="recalibrations", db_index=False, verbose_name=_("model version")
    )
    slope = models.FloatField(_("slope"), default=1.0)
    intercept = models.FloatField(_("intercept"))
    fitted_from = models.DateTimeField(_("on scores from"))
    fitted_until = models.DateTimeField(_("until"))
    sessions = models.PositiveIntegerField(_("sessions"))
    buyers = models.PositiveIntegerField(_("buying sessions"))
    figures = models.JSONField(
        _("figures"), default=dict, blank=True, help_text=_("On the later part, before and after.")
    )
    begun_at = models.DateTimeField(_("begun at"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    undone = models.BooleanField(_("undone by hand"), default=False)

    objects = RecalibrationQuerySet.as_manager()

    class Meta:
        verbose_name = _("recalibration")
        verbose_name_plural = _("recalibrations")
        ordering = ("-begun_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("model",), condition=Q(ended_at=None), name="intent_one_recalibration_in_force"
            ),
            models.CheckConstraint(condition=Q(slope__gt=0), name="intent_recalibration_keeps_order"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("begun_at")), name="intent_recalibration_in_order"
            ),
        )
        indexes = (models.Index(fields=("model", "-begun_at"), name="intent_recalibration_latest"),)

    def __str__(self) -> str:
        return f"{self.slope:.3g} z {self.intercept:+.3f}"

    def undo(self, now: datetime) -> bool:
        """Take it out of force; whether it was in force."""
        self.undone, self.ended_at = True, now
        return bool(Recalibration.objects.in_force().filter(pk=self.pk).update(ended_at=now, undone=True))
