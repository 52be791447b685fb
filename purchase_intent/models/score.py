"""Scores given, kept so that they can be compared with what then happened."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from purchase_intent.models.model_version import ModelVersion
from purchase_intent.models.session import Session
from purchase_intent.models.visitor import Visitor

__all__ = ["Score", "ScoreQuerySet"]


class ScoreQuerySet(models.QuerySet["Score"]):
    """Scores, in the words the rest of the app asks for them."""

    def waiting(self) -> Self:
        """Keep those whose outcome is not known yet, the oldest first."""
        return self.filter(came_true=None).order_by("moment", "pk")

    def judged(self) -> Self:
        """Keep those whose outcome is known."""
        return self.filter(came_true__isnull=False)


class Score(models.Model):
    """What a model said of a session, or of a visitor, at one moment."""

    session = models.ForeignKey(
        Session, models.CASCADE, null=True, blank=True, related_name="scores", db_index=False, verbose_name=_("session")
    )
    visitor = models.ForeignKey(
        Visitor, models.CASCADE, null=True, blank=True, related_name="scores", db_index=False, verbose_name=_("visitor")
    )
    model = models.ForeignKey(ModelVersion, models.CASCADE, related_name="scores", verbose_name=_("model version"))
    probability = models.FloatField(_("probability"))
    band = models.CharField(_("band"), max_length=32, blank=True, default="")
    moment = models.DateTimeField(_("moment"))
    came_true = models.BooleanField(_("came true"), null=True, blank=True, help_text=_("Empty: not known yet."))

    objects = ScoreQuerySet.as_manager()

    class Meta:
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        ordering = ("-moment", "-pk")
        indexes = (
            models.Index(fields=("moment", "id"), condition=Q(came_true=None), name="intent_score_waiting"),
            models.Index(fields=("-moment", "-id"), name="intent_score_latest"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("session", "moment", "model"),
                condition=Q(session__isnull=False),
                name="intent_one_score_per_session_moment",
            ),
            models.UniqueConstraint(
                fields=("visitor", "moment", "model"),
                condition=Q(visitor__isnull=False),
                name="intent_one_score_per_visitor_moment",
            ),
            models.CheckConstraint(
                condition=Q(session__isnull=False, visitor=None) | Q(session=None, visitor__isnull=False),
                name="intent_score_of_one_subject",
            ),
            models.CheckConstraint(condition=Q(probability__gte=0, probability__lte=1), name="intent_score_range"),
        )

    def __str__(self) -> str:
        return f"{self.probability:.3f} {self.moment:%Y-%m-%d %H:%M:%S}"
