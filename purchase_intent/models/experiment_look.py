"""Looks at an experiment: each analysis with its inputs, never changed. They are also the record of its decisions."""

from __future__ import annotations

import hashlib
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from purchase_intent.models.experiment import Experiment
from purchase_intent.models.segment import LONGEST_KEY

__all__ = ["ExperimentLook", "ExperimentLookQuerySet", "LookKind"]


class LookKind(models.TextChoices):
    """Who looked."""

    DAILY = "daily", _("the daily task")
    ASKED = "asked", _("somebody, in between")


class ExperimentLookQuerySet(models.QuerySet["ExperimentLook"]):
    """Looks, in the words the rest of the app asks for them."""

    def daily(self) -> Self:
        """Keep those of the daily task, in order of day."""
        return self.filter(kind=LookKind.DAILY).order_by("day", "pk")

    def planned(self) -> Self:
        """Keep the planned looks, in order."""
        return self.filter(planned=True).order_by("share", "pk")

    def update(self, **kwargs: Any) -> int:
        """Refused: a look stands."""
        raise TypeError(f"a look at an experiment is never changed, nor are its {', '.join(kwargs)}: look again")


class ExperimentLook(models.Model):
    """One look, as of `at`. `result` is what is shown of it, `record` the JSON text it can be replayed from.

    `digest` is the SHA-256 of the digest `before` it and of the record: a look that was changed, or taken out from
    between others, breaks the chain. `planned` says that it counts as one of the planned looks.
    """

    experiment = models.ForeignKey(
        Experiment, models.CASCADE, related_name="looks", db_index=False, verbose_name=_("experiment")
    )
    at = models.DateTimeField(_("as of"))
    taken_at = models.DateTimeField(_("taken at"))
    day = models.DateField(_("day"), help_text=_("The last local day that it saw the whole of."))
    who = models.CharField(_("who"), max_length=200)
    kind = models.CharField(_("kind"), max_length=8, choices=LookKind)
    planned = models.BooleanField(_("planned"), default=False)
    share = models.FloatField(_("share of the planned visitors"))
    verdict = models.CharField(_("verdict"), max_length=16)
    arm = models.CharField(_("arm to ship"), max_length=LONGEST_KEY, blank=True, default="")
    result = models.JSONField(_("result"))
    record = models.TextField(_("record"))
    before = models.CharField(_("digest before"), max_length=64, blank=True, default="")
    digest = models.CharField(_("digest"), max_length=64)

    objects = ExperimentLookQuerySet.as_manager()

    class Meta:
        verbose_name = _("look at an experiment")
        verbose_name_plural = _("looks at experiments")
        ordering = ("-taken_at", "-pk")
        indexes = (models.Index(fields=("experiment", "-taken_at", "-id"), name="intent_look_latest"),)
        constraints = (
            models.UniqueConstraint(
                fields=("experiment", "day"), condition=Q(kind="daily"), name="intent_one_daily_look"
            ),
            models.CheckConstraint(condition=Q(planned=False) | Q(kind="daily"), name="intent_planned_looks_are_daily"),
        )

    def __str__(self) -> str:
        return f"{self.day} {self.verdict}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store it once; refused of one that is stored."""
        if not self._state.adding:
            raise TypeError("a look at an experiment is never changed: look again")
        super().save(*args, **kwargs)

    @property
    def is_intact(self) -> bool:
        """Whether the record is the one that was written."""
        return self.digest == self.digest_of(self.before, self.record)

    @staticmethod
    def digest_of(before: str, record: str) -> str:
        """SHA-256, in hexadecimal digits."""
        return hashlib.sha256(f"{before}\n{record}".encode()).hexdigest()
