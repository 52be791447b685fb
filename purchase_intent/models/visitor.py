"""Visitors: who came, as the shop's own cookie tells them apart, and what their earlier sessions have told."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from purchase_intent.events.reasons import LONGEST_TEXT
from purchase_intent.features.state import PAST_LAYOUT, Past

__all__ = ["Visitor", "VisitorQuerySet"]


class VisitorQuerySet(models.QuerySet["Visitor"]):
    """Visitors, in the words the rest of the app asks for them."""

    def people(self) -> Self:
        """Leave out those labelled as bots, and those of whom a login has left nothing."""
        return self.filter(bot="", joined=False)

    def seen_since(self, moment: datetime) -> Self:
        """Keep those who came at `moment` or later."""
        return self.filter(last_seen__gte=moment)

    def note_script(self, cookies: Collection[str], *, site: str, now: datetime) -> None:
        """Remember that the shop's script has run in visitors' browsers; a label for want of it is taken back."""
        theirs = self.filter(cookie__in=cookies, site=site)
        if theirs.filter(scripted_at=None).update(scripted_at=now):
            theirs.filter(bot="scriptless").update(bot="", bot_reason="")

    def of_customer(self, key: str, *, site: str = "") -> Self:
        """Keep the one visitor that stands for a customer, whichever browser the customer logs in with."""
        return self.filter(site=site, customer=key).exclude(customer="")  # the index holds no empty keys


class Visitor(models.Model):
    """One browser, or one customer of an imported log. Nothing points at the host's own users."""

    site = models.CharField(_("site"), max_length=64, blank=True, default="")
    cookie = models.CharField(_("cookie"), max_length=LONGEST_TEXT, help_text=_("The first-party id of the browser."))
    known = models.BooleanField(_("known"), default=False, help_text=_("Has logged in at least once."))
    customer = models.CharField(
        _("customer"),
        max_length=LONGEST_TEXT,
        blank=True,
        default="",
        help_text=_("The shop's own key of the customer, as its adapter spells it."),
    )
    joined = models.BooleanField(
        _("joined"),
        default=False,
        db_default=False,
        help_text=_("Nothing is left of it: what it did has gone over to another visitor at a login."),
    )
    past = models.BinaryField(_("past"), default=bytes, help_text=_("What earlier sessions have told, packed."))
    first_seen = models.DateTimeField(_("first seen"), default=timezone.now)
    last_seen = models.DateTimeField(_("last seen"), default=timezone.now)
    told_at = models.DateTimeField(
        _("told at"),
        null=True,
        blank=True,
        help_text=_("Its past was last read or changed by an event of this moment, or of an earlier one."),
    )
    bot = models.CharField(
        _("bot"), max_length=32, blank=True, default="", help_text=_("Which kind, or staff; empty: a shopper.")
    )
    bot_reason = models.CharField(_("why a bot"), max_length=200, blank=True, default="")
    scripted_at = models.DateTimeField(
        _("scripted at"), null=True, blank=True, help_text=_("When the shop's script first ran in its browser.")
    )
    score = models.FloatField(
        _("score"), null=True, blank=True, help_text=_("Probability of a purchase, 0 to 1; see its days.")
    )
    band = models.CharField(_("band"), max_length=32, blank=True, default="")
    score_days = models.FloatField(
        _("days of the score"),
        null=True,
        blank=True,
        help_text=_("The score is the chance of a purchase within so many days; empty: in the next visit."),
    )
    churn = models.FloatField(
        _("churn"), null=True, blank=True, help_text=_("Probability of no visit within 30 days, 0 to 1.")
    )
    revenue_28d = models.FloatField(
        _("revenue in 28 days"), null=True, blank=True, help_text=_("Expected, in the shop's currency.")
    )
    value_12m = models.FloatField(
        _("value in 12 months"), null=True, blank=True, help_text=_("Expected revenue, in the shop's currency.")
    )
    scored_at = models.DateTimeField(_("scored at"), null=True, blank=True)

    objects = VisitorQuerySet.as_manager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ("-last_seen", "-pk")
        indexes = (
            models.Index(fields=("-last_seen", "-id"), name="intent_visitor_latest"),
            models.Index(fields=("-last_seen",), condition=Q(bot=""), name="intent_visitor_people"),
            models.Index(fields=("-score", "-id"), condition=Q(score__isnull=False), name="intent_visitor_score"),
            models.Index(
                fields=("-revenue_28d", "-id"), condition=Q(revenue_28d__isnull=False), name="intent_visitor_revenue"
            ),
            models.Index(
                fields=("-value_12m", "-id"), condition=Q(value_12m__isnull=False), name="intent_visitor_value"
            ),
            models.Index(fields=("-churn", "-id"), condition=Q(churn__isnull=False), name="intent_visitor_churn"),
            models.Index(fields=("-last_seen", "-id"), condition=Q(known=True), name="intent_visitor_known"),
            models.Index(fields=("-last_seen", "-id"), condition=~Q(bot=""), name="intent_visitor_labelled"),
        )
        constraints = (
            models.UniqueConstraint(fields=("cookie", "site"), name="intent_one_visitor_per_cookie"),
            models.UniqueConstraint(
                fields=("customer", "site"), condition=~Q(customer=""), name="intent_visitor_customer"
            ),
            models.CheckConstraint(condition=~Q(cookie=""), name="intent_visitor_has_cookie"),
            models.CheckConstraint(condition=Q(first_seen__lte=F("last_seen")), name="intent_visitor_seen_in_order"),
            models.CheckConstraint(condition=~Q(bot="") | Q(bot_reason=""), name="intent_bot_reason_needs_bot"),
            models.CheckConstraint(
                condition=Q(score=None) | Q(score__gte=0, score__lte=1), name="intent_visitor_score_range"
            ),
            models.CheckConstraint(
                condition=Q(churn=None) | Q(churn__gte=0, churn__lte=1), name="intent_visitor_churn_range"
            ),
            models.CheckConstraint(
                condition=Q(revenue_28d=None) | Q(revenue_28d__gte=0), name="intent_visitor_revenue_range"
            ),
            models.CheckConstraint(
                condition=Q(value_12m=None) | Q(value_12m__gte=0), name="intent_visitor_value_range"
            ),
        )

    def __str__(self) -> str:
        return self.customer or self.cookie

    def read_past(self) -> Past:
        """What earlier sessions have told; a blank past where nothing was told, or by an earlier layout."""
        data = bytes(self.past)
        return PAST_LAYOUT.loads(data) if len(data) == PAST_LAYOUT.size else Past()
