"""Scores given, kept so that they can be compared with what then happened."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Self

from django.db import models
from django.db.models import Avg, Case, Count, IntegerField, Q, Value, When
from django.utils.translation import gettext_lazy as _

from purchase_intent.models.model_version import ModelVersion
from purchase_intent.models.session import Session
from purchase_intent.models.visitor import Visitor

__all__ = ["CalibrationBin", "Score", "ScoreQuerySet"]

EDGES: Final = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Narrow where most scores of a shop lie."""


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Judged scores from `low` to below `high`: how many, their mean, and the share of them that came true."""

    low: float
    high: float
    count: int
    mean: float
    came_true: float


class ScoreQuerySet(models.QuerySet["Score"]):
    """Scores, in the words the rest of the app asks for them."""

    def waiting(self) -> Self:
        """Keep those whose outcome is not known yet, the oldest first."""
        return self.filter(came_true=None).order_by("moment", "pk")

    def of_sessions(self) -> Self:
        """Leave out those of visitors, who may never come back."""
        return self.filter(session__isnull=False)

    def judged(self) -> Self:
        """Keep those whose outcome is known."""
        return self.filter(came_true__isnull=False)

    def shown(self) -> Self:
        """Keep those that the shop may have acted on: not the ones a challenger gave beside them."""
        return self.filter(shadow=False)

    def calibration(self) -> list[CalibrationBin]:
        """What was said against what happened, each judged score counted once; bins without scores are left out."""
        bins = list(pairwise(EDGES))
        places = [When(probability__lt=high, then=Value(place)) for place, (_, high) in enumerate(bins)]
        place = Case(*places, default=Value(len(bins) - 1), output_field=IntegerField())
        found = (
            self.judged()
            .order_by()
            .annotate(place=place)
            .values("place")
            .annotate(count=Count("pk"), mean=Avg("probability"), hits=Count("pk", filter=Q(came_true=True)))
            .order_by("place")
        )
        return [
            CalibrationBin(*bins[row["place"]], row["count"], row["mean"], row["hits"] / row["count"]) for row in found
        ]


class Score(models.Model):
    """What a model said of a session, or of a visitor, at one moment."""

    # Without constraints in the database, which would look up each row twice more: see ADR 0010.
    session = models.ForeignKey(
        Session,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="scores",
        db_index=False,
        db_constraint=False,
        verbose_name=_("session"),
    )
    visitor = models.ForeignKey(
        Visitor,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="scores",
        db_index=False,
        db_constraint=False,
        verbose_name=_("visitor"),
    )
    model = models.ForeignKey(
        ModelVersion,
        models.CASCADE,
        related_name="scores",
        db_index=False,
        db_constraint=False,
        verbose_name=_("model version"),
    )
    probability = models.FloatField(_("probability"))
    band = models.CharField(_("band"), max_length=32, blank=True, default="")
    moment = models.DateTimeField(_("moment"))
    came_true = models.BooleanField(_("came true"), null=True, blank=True, help_text=_("Empty: not known yet."))

    shadow = models.BooleanField(
        _("shadow"), default=False, db_default=False, help_text=_("Given by a challenger, and shown to nobody.")
    )

    objects = ScoreQuerySet.as_manager()

    class Meta:
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        ordering = ("-moment", "-pk")
        indexes = (
            models.Index(
                fields=("moment", "id"),
                condition=Q(came_true=None, session__isnull=False),
                name="intent_score_waiting",
            ),
            models.Index(
                fields=("model", "moment", "id"),
                condition=Q(came_true=None, visitor__isnull=False),
                name="intent_score_awaited",
            ),
            models.Index(fields=("-moment", "-id"), name="intent_score_latest"),
            models.Index(
                fields=("model", "-moment", "-id"),
                condition=Q(shadow=True, came_true__isnull=False),
                name="intent_score_shadow",
            ),
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
