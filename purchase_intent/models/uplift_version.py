"""Models of uplift on record: of which experiment, how each ranks, where its bundle lies, and which one answers."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from purchase_intent.models.experiment import Experiment
from purchase_intent.models.segment import LONGEST_KEY

__all__ = ["UpliftStatus", "UpliftVersion", "UpliftVersionQuerySet"]


class UpliftStatus(models.TextChoices):
    """Where a version stands. Of each treatment of an experiment one answers."""

    SERVING = "serving", _("serving")
    ARCHIVED = "archived", _("archived")
    REFUSED = "refused", _("refused")


class UpliftVersionQuerySet(models.QuerySet["UpliftVersion"]):
    """Models of uplift, in the words the rest of the app asks for them."""

    def serving(self) -> Self:
        """Keep those that answer: at most one for each treatment of an experiment."""
        return self.filter(status=UpliftStatus.SERVING)


class UpliftVersion(models.Model):
    """Who is moved by a treatment of an experiment; its bundle is a file in the storage `config().storage` names.

    Without a `learner`: nothing could be learnt, and `verdict` says why.
    """

    experiment = models.ForeignKey(
        Experiment, models.CASCADE, related_name="uplift_versions", verbose_name=_("experiment")
    )
    status = models.CharField(_("status"), max_length=16, choices=UpliftStatus)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    known_at = models.DateTimeField(_("known at"), help_text=_("It learnt from nothing at or after this."))
    treatment = models.CharField(_("treatment"), max_length=LONGEST_KEY)
    outcome = models.CharField(_("outcome"), max_length=64, help_text=_("What it says is gained."))
    learner = models.CharField(_("learner"), max_length=16, blank=True, default="")
    units = models.PositiveBigIntegerField(_("visitors"))
    outcomes = models.PositiveBigIntegerField(_("visitors with the outcome"))
    seed = models.BigIntegerField(_("seed"), default=0)
    schema_hash = models.CharField(_("schema hash"), max_length=64, help_text=_("Of the features it was trained on."))
    bundle = models.CharField(_("bundle"), max_length=255, blank=True, help_text=_("Its name in the storage."))
    bundle_sha256 = models.CharField(_("SHA-256 of the bundle"), max_length=64, blank=True)
    figures = models.JSONField(_("figures"), default=dict, blank=True)
    verdict = models.TextField(_("verdict"), blank=True, help_text=_("What the checks said, in plain words."))
    forced = models.BooleanField(_("forced"), default=False, help_text=_("Serves against the checks."))

    objects = UpliftVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("uplift model")
        verbose_name_plural = _("uplift models")
        ordering = ("-created_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("experiment", "treatment"), condition=Q(status="serving"), name="intent_one_uplift_per_arm"
            ),
            models.CheckConstraint(
                condition=~Q(status="serving") | ~Q(bundle=""), name="intent_serving_uplift_has_bundle"
            ),
        )

    def __str__(self) -> str:
        return f"uplift model {self.pk} of {self.experiment_id}"
