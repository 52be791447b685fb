"""Catalogue days: what happened to each product, each category and the shop on one local day, counted once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from django.db import models, transaction
from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _

from purchase_intent.events.reasons import LONGEST_TEXT
from purchase_intent.features.hit import FACTS

__all__ = ["COUNTS", "WINDOW_DAYS", "CatalogueDay", "CatalogueDayQuerySet", "Subject"]

WINDOW_DAYS: Final = 28
"""How many local days before an event's own day its facts are summed over."""

COUNTS: Final = ("views", "carts", "buys", "cents", "sessions", "buyers")
"""What is counted of a subject on a day."""


class Subject(models.TextChoices):
    """What is counted."""

    PRODUCT = "product", _("product")
    CATEGORY = "category", _("category")
    SHOP = "shop", _("the whole shop")


class CatalogueDayQuerySet(models.QuerySet["CatalogueDay"]):
    """Catalogue days, in the words the rest of the app asks for them."""

    def before(self, day: date) -> CatalogueDayQuerySet:
        """Keep the window of a local day: the 28 days before it, the day itself left out."""
        return self.filter(day__gte=day - timedelta(days=WINDOW_DAYS), day__lt=day)

    def facts(self, day: date, *, product: str = "", category: str = "") -> dict[str, int]:
        """The facts that an event of local day `day` carries (names of FACTS): one query."""
        keys = {Subject.PRODUCT: product, Subject.CATEGORY: category, Subject.SHOP: ""}
        wanted = {name: name.split("_", maxsplit=1) for name in FACTS}
        subjects = Q(subject=Subject.SHOP)
        for subject in (Subject.PRODUCT, Subject.CATEGORY):
            if keys[subject]:
                subjects |= Q(subject=subject, key=keys[subject])
        sums: dict[str, Any] = {
            name: Sum(count, filter=Q(subject=subject), default=0) for name, (subject, count) in wanted.items()
        }
        return {name: int(total) for name, total in self.before(day).filter(subjects).aggregate(**sums).items()}

    def latest_day(self) -> date | None:
        """The last day that was frozen; None where none was."""
        day: date | None = self.order_by("-day").values_list("day", flat=True).first()
        return day

    def write(self, day: date, rows: Mapping[tuple[str, str], Sequence[int]]) -> int:
        """Bring one day's counts (COUNTS, by subject and key) up to date, all or nothing; how many rows differed."""
        with transaction.atomic(using=self.db):
            there = {
                (subject, key): tuple(counts)
                for subject, key, *counts in self.filter(day=day).values_list("subject", "key", *COUNTS)
            }
            changed = [
                self.model(day=day, subject=subject, key=key, **dict(zip(COUNTS, counts, strict=True)))
                for (subject, key), counts in rows.items()
                if there.get((subject, key)) != tuple(counts)
            ]
            self.bulk_create(
                changed,
                update_conflicts=True,
                update_fields=COUNTS,
                unique_fields=("day", "subject", "key"),
                batch_size=1000,
            )
        return len(changed)


class CatalogueDay(models.Model):
    """The counts of one subject on one local day of the shop."""

    day = models.DateField(_("day"), help_text=_("In the shop's time zone."))
    subject = models.CharField(_("subject"), max_length=16, choices=Subject)
    key = models.CharField(_("key"), max_length=LONGEST_TEXT, blank=True, default="")
    views = models.PositiveBigIntegerField(_("views"), default=0)
    carts = models.PositiveBigIntegerField(_("additions to the basket"), default=0)
    buys = models.PositiveBigIntegerField(_("purchase lines"), default=0)
    cents = models.PositiveBigIntegerField(_("prices viewed"), default=0, help_text=_("Summed, in hundredths."))
    sessions = models.PositiveBigIntegerField(_("sessions begun"), default=0, help_text=_("Of the shop only."))
    buyers = models.PositiveBigIntegerField(_("sessions that first bought"), default=0, help_text=_("The shop only."))

    objects = CatalogueDayQuerySet.as_manager()

    class Meta:
        verbose_name = _("catalogue day")
        verbose_name_plural = _("catalogue days")
        ordering = ("-day", "subject", "key")
        indexes = (models.Index(fields=("subject", "key", "day"), name="intent_day_window"),)
        constraints = (
            models.UniqueConstraint(fields=("day", "subject", "key"), name="intent_one_count_per_day"),
            models.CheckConstraint(
                condition=Q(subject="shop", key="") | ~Q(subject="shop") & ~Q(key=""), name="intent_day_subject_has_key"
            ),
        )

    def __str__(self) -> str:
        return f"{self.day} {self.subject} {self.key}".rstrip()
