"""Who changed what serves, when, and from what to what: the trail of champions and challengers."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from purchase_intent.models.model_version import Horizon, ModelVersion

__all__ = ["ChangeKind", "ModelChange", "ModelChangeQuerySet"]


class ChangeKind(models.TextChoices):
    """What was done to a version."""

    PROMOTED = "promoted", _("promoted")
    ROLLED_BACK = "rolled_back", _("rolled back to")
    CHALLENGED = "challenged", _("made challenger")
    ARCHIVED = "archived", _("archived")


class ModelChangeQuerySet(models.QuerySet["ModelChange"]):
    """Changes, in the words the rest of the app asks for them."""

    def of(self, horizon: str) -> Self:
        """Keep the changes of one horizon, the latest first."""
        return self.filter(horizon=horizon).order_by("-at", "-pk")


class ModelChange(models.Model):
    """One change. `before` held the seat until then; None where it was free. `who` is a name, of a person or a part."""

    horizon = models.CharField(_("horizon"), max_length=16, choices=Horizon)
    kind = models.CharField(_("what"), max_length=16, choices=ChangeKind)
    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="changes", verbose_name=_("model version"))
    before = models.ForeignKey(
        ModelVersion, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("in place of")
    )
    at = models.DateTimeField(_("at"), default=timezone.now)
    who = models.CharField(_("who"), max_length=200)
    why = models.TextField(_("why"), blank=True, default="")

    objects = ModelChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("model change")
        verbose_name_plural = _("model changes")
        ordering = ("-at", "-pk")
        indexes = (models.Index(fields=("horizon", "-at", "-id"), name="intent_change_latest"),)

    def __str__(self) -> str:
        instead = f" in place of model {self.before_id}" if self.before_id is not None else ""
        return f"model {self.version_id} {self.get_kind_display()}{instead} by {self.who}"
