"""Who was exposed to which arm of an experiment first."""

from __future__ import annotations

from collections.abc import Collection

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from purchase_intent.events.reasons import LONGEST_TEXT
from purchase_intent.models.experiment import Experiment, ExperimentArm
from purchase_intent.models.visitor import Visitor

__all__ = ["Exposure"]


class Exposure(models.Model):
    """The first time a visitor was shown an arm; `score` is the visit's chance to buy at that moment.

    `unit` is the id in the visitor's cookie: where events wait in a stream, the visitor is on record only later.
    `segments` names those that the visit belonged to at that moment, as `listed` writes them: "" for none. Empty (NULL)
    is not known, as of exposures that are older than the column.
    """

    experiment = models.ForeignKey(
        Experiment, models.CASCADE, related_name="exposures", db_index=False, verbose_name=_("experiment")
    )
    arm = models.ForeignKey(ExperimentArm, models.CASCADE, related_name="exposures", verbose_name=_("arm"))
    site = models.CharField(_("site"), max_length=64, blank=True, default="")
    unit = models.CharField(_("unit"), max_length=LONGEST_TEXT)
    visitor = models.ForeignKey(
        Visitor, models.CASCADE, null=True, blank=True, related_name="exposures", verbose_name=_("visitor")
    )
    device = models.CharField(_("device"), max_length=LONGEST_TEXT, blank=True, default="")
    browser = models.CharField(_("browser"), max_length=32, blank=True, default="", db_default="")
    at = models.DateTimeField(_("at"))
    score = models.FloatField(_("score"), null=True, blank=True)
    segments = models.TextField(  # noqa: DJ001 - none and not known are told apart
        _("segments"), null=True, blank=True, help_text=_("Keys of their rows, each between commas.")
    )

    class Meta:
        verbose_name = _("exposure")
        verbose_name_plural = _("exposures")
        ordering = ("-at", "-pk")
        indexes = (
            models.Index(fields=("experiment", "at"), name="intent_exposure_in_time"),
            models.Index(fields=("at",), condition=Q(visitor=None), name="intent_exposure_unattached"),
        )
        constraints = (
            models.UniqueConstraint(fields=("unit", "site", "experiment"), name="intent_one_exposure_per_unit"),
            models.CheckConstraint(condition=~Q(unit=""), name="intent_exposure_has_unit"),
        )

    def __str__(self) -> str:
        return f"{self.unit}, arm {self.arm_id}"

    @staticmethod
    def listed(segments: Collection[int]) -> str:
        """Keys of segments as the column holds them: each between commas, "" for none."""
        return "".join(f",{key}" for key in segments) + "," if segments else ""

    @staticmethod
    def unlisted(text: str) -> list[int]:
        """The keys that `listed` wrote."""
        return [int(key) for key in text.split(",") if key]
