"""Training runs on record: who or what asked, when each began and ended, and what came of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from purchase_intent.models.model_version import Horizon, ModelVersion

__all__ = ["LOST_AFTER", "RunState", "TrainingRun", "TrainingRunQuerySet", "Why"]

LOST_AFTER: Final = timedelta(hours=12)
"""A run that was asked for, or began, so long ago and has not ended is taken as lost: killed, or never delivered."""


class Why(models.TextChoices):
    """What asked for a training."""

    SCHEDULE = "schedule", _("the schedule")
    DRIFT = "drift", _("the watch")
    REQUEST = "request", _("a person")


class RunState(models.TextChoices):
    """How far a training run has come, and how it ended."""

    ASKED = "asked", _("asked for")
    RUNNING = "running", _("running")
    REGISTERED = "registered", _("registered a model")
    REFUSED = "refused", _("refused")
    FAILED = "failed", _("failed")
    BUSY = "busy", _("not begun: another was under way")
    LOST = "lost", _("lost: killed, or never begun")


UNDER_WAY: Final = (RunState.ASKED, RunState.RUNNING)


class TrainingRunQuerySet(models.QuerySet["TrainingRun"]):
    """Training runs, in the words the rest of the app asks for them."""

    def of(self, horizon: str) -> Self:
        """Keep the runs of one horizon."""
        return self.filter(horizon=horizon)

    def under_way(self) -> Self:
        """Keep the runs that have not ended."""
        return self.filter(state__in=UNDER_WAY)

    def give_up(self, now: datetime) -> int:
        """Mark as lost what was asked for twelve hours ago and has not ended; how many."""
        lost = self.under_way().filter(asked_at__lt=now - LOST_AFTER)
        return lost.update(state=RunState.LOST, ended_at=now, said=str(RunState.LOST.label))

    def ask_once(self, day: date, *, horizon: str, reason: str, now: datetime) -> TrainingRun | None:
        """Put on record that the watch asks for a training; None where it has asked on this day already.

        The unique constraint settles two watches at once.
        """
        run, is_new = self.get_or_create(
            horizon=horizon, why=Why.DRIFT, day=day, defaults={"reason": reason, "asked_at": now}
        )
        return run if is_new else None


class TrainingRun(models.Model):
    """The report of one training run, also of one that was refused or failed."""

    horizon = models.CharField(_("horizon"), max_length=16, choices=Horizon, default=Horizon.SESSION)
    why = models.CharField(_("asked by"), max_length=16, choices=Why, default=Why.REQUEST)
    reason = models.TextField(_("reason"), blank=True, default="", help_text=_("In plain words."))
    day = models.DateField(_("day"), null=True, blank=True, help_text=_("Of the watch that asked."))
    state = models.CharField(_("state"), max_length=16, choices=RunState, default=RunState.ASKED)
    asked_at = models.DateTimeField(_("asked at"), default=timezone.now)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    said = models.TextField(_("last line"), blank=True, default="", help_text=_("What it said last."))
    version = models.ForeignKey(
        ModelVersion, models.SET_NULL, null=True, blank=True, related_name="runs", verbose_name=_("model version")
    )

    objects = TrainingRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("training run")
        verbose_name_plural = _("training runs")
        ordering = ("-asked_at", "-pk")
        indexes = (models.Index(fields=("-asked_at", "-id"), name="intent_run_latest"),)
        constraints = (
            models.UniqueConstraint(
                fields=("horizon", "day"), condition=Q(why="drift"), name="intent_watch_asks_once_a_day"
            ),
        )

    def __str__(self) -> str:
        return f"{self.asked_at:%Y-%m-%d %H:%M} {self.get_state_display()}"

    def begin(self, now: datetime) -> None:
        """It is under way."""
        self.state, self.started_at = RunState.RUNNING, now
        self.save(update_fields=("state", "started_at"))

    def end(self, state: RunState, said: str, *, now: datetime, version: ModelVersion | None = None) -> None:
        """It has ended, and what it said last."""
        self.state, self.said, self.ended_at, self.version = state, said[:2000], now, version
        self.save(update_fields=("state", "said", "ended_at", "version"))
