"""To whom the shop makes its offer: how the range of scores is chosen, kept through every retraining."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from purchase_intent.models.model_version import Horizon

__all__ = ["OfferBy", "OfferRule", "OfferRuleQuerySet"]


class OfferBy(models.TextChoices):
    """What the range of scores is chosen by."""

    PROFIT = "profit", _("expected profit")
    PRECISION = "precision", _("precision")
    BEST_F1 = "best_f1", _("best F1")


class OfferRuleQuerySet(models.QuerySet["OfferRule"]):
    """Rules for offers, in the words the rest of the app asks for them."""

    def of(self, horizon: str) -> Self:
        """Keep the rules of one horizon, the latest first."""
        return self.filter(horizon=horizon).order_by("-begun_at", "-pk")

    def in_force(self) -> Self:
        """Keep those that are applied now: at most one a horizon."""
        return self.filter(ended_at=None)

    def replace(self, rule: OfferRule) -> OfferRule:
        """Apply a rule in place of the one in force; both or neither."""
        with transaction.atomic(using=self.db):
            self.end(rule.horizon, now=rule.begun_at)
            rule.save(using=self.db)
        return rule

    def end(self, horizon: str, *, now: datetime) -> bool:
        """Take the rule of a horizon out of force; whether there was one."""
        return bool(self.in_force().filter(horizon=horizon).update(ended_at=now))


class OfferRule(models.Model):
    """One rule. It holds for whichever version serves: each has cut-offs of its own by the same rule.

    By profit, `margin`, `cost`, `contact` (money of the shop's currency) and `odds_ratio` are those of
    `learning.offers.Offer`; by precision, `precision` is the share of buyers that is asked for, above 0 to 1.
    """

    horizon = models.CharField(_("horizon"), max_length=16, choices=Horizon, default=Horizon.SESSION)
    by = models.CharField(_("chosen by"), max_length=16, choices=OfferBy)
    margin = models.FloatField(_("margin of an order"), null=True, blank=True)
    cost = models.FloatField(_("cost of the offer"), null=True, blank=True)
    contact = models.FloatField(_("cost of showing it"), null=True, blank=True)
    odds_ratio = models.FloatField(_("rise of the odds"), null=True, blank=True)
    precision = models.FloatField(_("precision"), null=True, blank=True)
    who = models.CharField(_("who"), max_length=200)
    begun_at = models.DateTimeField(_("begun at"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    objects = OfferRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("rule for the offer")
        verbose_name_plural = _("rules for the offer")
        ordering = ("-begun_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("horizon",), condition=Q(ended_at=None), name="intent_one_offer_rule_in_force"
            ),
            models.CheckConstraint(
                condition=~Q(by="profit")
                | Q(margin__gte=0, cost__gte=0, contact__gte=0, odds_ratio__gte=1, precision=None)
                # A check passes where it is not known.
                & Q(margin__isnull=False, cost__isnull=False, contact__isnull=False, odds_ratio__isnull=False),
                name="intent_offer_by_profit_whole",
            ),
            models.CheckConstraint(
                condition=~Q(by="precision")
                | Q(precision__isnull=False, precision__gt=0, precision__lte=1, margin=None),
                name="intent_offer_by_precision_whole",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("begun_at")), name="intent_offer_rule_in_order"
            ),
        )

    def __str__(self) -> str:
        return f"by {self.get_by_display()} since {self.begun_at:%Y-%m-%d %H:%M}"
