"""Sessions: the live state of each, its latest score, and how it ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from purchase_intent.events import Page
from purchase_intent.events.reasons import LONGEST_TEXT
from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT, Past, State
from purchase_intent.models.model_version import ModelVersion
from purchase_intent.models.visitor import Visitor

if TYPE_CHECKING:
    from purchase_intent.models.event import Event

__all__ = ["IDLE", "Outcome", "Session", "SessionQuerySet", "Stage"]

IDLE: Final = timedelta(minutes=30)
"""Without an event for longer than this, a session has ended."""


class Stage(models.IntegerChoices):
    """How far a session has come; the numbers are those of the fold."""

    NONE = 0, _("nothing yet")
    BROWSING = 1, _("browsing")
    PRODUCT = 2, _("product")
    CART = 3, _("basket")
    CHECKOUT = 4, _("checkout")
    BOUGHT = 5, _("bought")


class Outcome(models.TextChoices):
    """How a session ended."""

    OPEN = "", _("still open")
    BOUGHT = "bought", _("bought")
    LEFT = "left", _("left without buying")


class SessionQuerySet(models.QuerySet["Session"]):
    """Sessions, in the words the rest of the app asks for them."""

    def open(self) -> Self:
        """Keep the sessions whose outcome nobody has recorded yet."""
        return self.filter(closed_at=None)

    def idle(self, now: datetime) -> Self:
        """Keep the open sessions that have ended by `now`, those silent longest first."""
        return self.open().filter(last_at__lt=now - IDLE).order_by("last_at", "pk")

    def with_news(self, visitor: Visitor | int) -> Self:
        """Keep a visitor's sessions that have news for the past, in the order in which they tell it."""
        return self.filter(visitor=visitor, has_news=True).order_by("last_at", "started_at", "pk")

    def of_people(self) -> Self:
        """Leave out the sessions of bots."""
        return self.filter(visitor__bot="")

    def swap(self, session: Session, **values: Any) -> bool:
        """Write `values` only where nobody has written since `session` was read; whether it was so.

        The version goes up by one, in the database and in `session`.
        """
        from purchase_intent.models.statements import write_version  # it reads the model

        if not write_version(session, values):
            return False
        for name, value in {**values, "version": session.version + 1}.items():
            setattr(session, name, value)
        return True


class Session(models.Model):
    """One visit. `state` and `past` are packed records of the fold; `version` settles who may replace them."""

    site = models.CharField(_("site"), max_length=64, blank=True, default="")
    key = models.CharField(_("key"), max_length=LONGEST_TEXT, help_text=_("Its id in the cookie, or in the log."))
    visitor = models.ForeignKey(
        Visitor, models.CASCADE, related_name="sessions", db_index=False, verbose_name=_("visitor")
    )
    started_at = models.DateTimeField(_("started at"))
    last_at = models.DateTimeField(_("last event at"))
    state = models.BinaryField(_("state"), default=bytes)
    past = models.BinaryField(_("past"), default=bytes, help_text=_("The visitor's, as read when the session began."))
    version = models.PositiveBigIntegerField(_("version"), default=0, help_text=_("Goes up with each change."))
    sequence = models.BigIntegerField(_("sequence"), default=0, help_text=_("The highest an event of it was given."))
    has_news = models.BooleanField(_("has news"), default=False, help_text=_("For its visitor's past."))

    stage = models.PositiveSmallIntegerField(_("stage"), choices=Stage, default=Stage.NONE)
    landing = models.PositiveSmallIntegerField(
        _("landing page"), choices=[(page.value, page.label) for page in Page], default=Page.OTHER.value
    )
    device = models.CharField(_("device"), max_length=LONGEST_TEXT, blank=True, default="")
    channel = models.CharField(_("channel"), max_length=LONGEST_TEXT, blank=True, default="")
    country = models.CharField(_("country"), max_length=LONGEST_TEXT, blank=True, default="")

    score = models.FloatField(_("score"), null=True, blank=True, help_text=_("Probability of a purchase, 0 to 1."))
    band = models.CharField(_("band"), max_length=32, blank=True, default="")
    # Without an index, as nobody looks sessions up by it, and without a constraint in the database: see ADR 0010.
    model = models.ForeignKey(
        ModelVersion,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("model version"),
    )
    scored_at = models.DateTimeField(_("scored at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome, blank=True, default=Outcome.OPEN)

    objects = SessionQuerySet.as_manager()
    if TYPE_CHECKING:
        events: models.Manager[Event]

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        ordering = ("-last_at", "-pk")
        indexes = (
            models.Index(fields=("-last_at", "-id"), name="intent_session_latest"),
            models.Index(fields=("visitor", "-last_at"), name="intent_session_visitor"),
            models.Index(fields=("visitor", "last_at"), condition=Q(has_news=True), name="intent_session_news"),
            models.Index(fields=("last_at", "id"), condition=Q(closed_at=None), name="intent_session_open"),
            models.Index(fields=("band", "-last_at"), name="intent_session_band"),
            models.Index(fields=("stage", "-last_at"), name="intent_session_stage"),
        )
        constraints = (
            models.UniqueConstraint(fields=("key", "site"), name="intent_one_session_per_key"),
            models.CheckConstraint(condition=~Q(key=""), name="intent_session_has_key"),
            models.CheckConstraint(condition=Q(started_at__lte=F("last_at")), name="intent_session_in_order"),
            models.CheckConstraint(
                condition=Q(score=None) | Q(score__gte=0, score__lte=1), name="intent_session_score_range"
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, outcome="") | Q(closed_at__isnull=False) & ~Q(outcome=""),
                name="intent_closed_with_outcome",
            ),
        )

    def __str__(self) -> str:
        return self.key

    def read_state(self) -> State:
        """The session so far; a blank state where none was stored, or by an earlier layout."""
        data = bytes(self.state)
        return STATE_LAYOUT.loads(data) if len(data) == STATE_LAYOUT.size else State()

    def read_past(self) -> Past:
        """The visitor's past as this session knows it; blank where none was stored."""
        data = bytes(self.past)
        return PAST_LAYOUT.loads(data) if len(data) == PAST_LAYOUT.size else Past()
