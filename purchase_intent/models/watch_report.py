"""What the nightly watch found: one report a day and horizon."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from purchase_intent.models.model_version import Horizon, ModelVersion
from purchase_intent.models.training_run import TrainingRun

__all__ = ["Health", "WatchReport", "WatchReportQuerySet"]


class Health(models.TextChoices):
    """The verdict of a report, from the calmest to the most pressing."""

    WELL = "well", _("well")
    EARLY = "early", _("too early to say")
    WATCH = "watch", _("to be watched")
    ACT = "act", _("needs action")


class WatchReportQuerySet(models.QuerySet["WatchReport"]):
    """Reports, in the words the rest of the app asks for them."""

    def of(self, horizon: str) -> Self:
        """Keep the reports of one horizon, the latest first."""
        return self.filter(horizon=horizon).order_by("-day", "-pk")


class WatchReport(models.Model):
    """The report of one local day: drift, quality of the events, live performance, and what follows from them.

    `figures` holds `drift`, `quality`, `performance` and `recalibration` as `purchase_intent.watch` made them, `said`
    the sentences of the verdict, the most pressing first.
    """

    day = models.DateField(_("day"), help_text=_("In the shop's time zone; the last day it looks at."))
    horizon = models.CharField(_("horizon"), max_length=16, choices=Horizon, default=Horizon.SESSION)
    made_at = models.DateTimeField(_("made at"), default=timezone.now)
    model = models.ForeignKey(
        ModelVersion, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("model version")
    )
    health = models.CharField(_("verdict"), max_length=16, choices=Health, default=Health.EARLY)
    has_drifted = models.BooleanField(_("has drifted"), default=False)
    quality = models.FloatField(_("quality of the events"), null=True, blank=True, help_text=_("0 to 100%"))
    said = models.JSONField(_("sentences"), default=list, blank=True)
    figures = models.JSONField(_("figures"), default=dict, blank=True)
    run = models.ForeignKey(
        TrainingRun, models.SET_NULL, null=True, blank=True, related_name="reports", verbose_name=_("training run")
    )

    objects = WatchReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("health report")
        verbose_name_plural = _("model health reports")
        ordering = ("-day", "-pk")
        constraints = (models.UniqueConstraint(fields=("day", "horizon"), name="intent_one_watch_report_per_day"),)

    def __str__(self) -> str:
        return f"{self.day} {self.get_health_display()}"
