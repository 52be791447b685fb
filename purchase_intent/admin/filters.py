"""The filters of the lists; each leads to rows that an index holds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.contrib import admin
from django.db.models import Exists, F, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from purchase_intent.learning.thresholds import BANDS
from purchase_intent.models import Outcome, Segment, SegmentMembership, Stage, Visitor
from purchase_intent.models.session import IDLE

__all__ = [
    "MOST_LABELLED",
    "BandOfCustomer",
    "BandOfSession",
    "BestCustomers",
    "Choice",
    "KnownOrNot",
    "Label",
    "LabelOfSession",
    "LastSeen",
    "OpenNow",
    "OutcomeOfSession",
    "SegmentOfCustomer",
    "StageOfSession",
    "likeliest_open",
]

MOST_LABELLED: Final = 1_000
"""Sessions of bots or staff are those of so many of them, seen last."""
_BANDS: Final = (*((name, name.replace("_", " ") + "%") for name in BANDS),)
_LABELS: Final = (("shoppers", "shoppers"), ("bots", "bots"), ("staff", "staff"))


class Choice(admin.SimpleListFilter):
    choices_given: tuple[tuple[str, str], ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> tuple[tuple[str, str], ...]:
        """What can be chosen."""
        return self.choices_given

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what was chosen; everything for no choice, or one that does not exist."""
        value = self.value()
        return self.kept(queryset, value) if value in dict(self.choices_given) else queryset

    def kept(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        raise NotImplementedError


class BandOfCustomer(Choice):
    """Customers by the band of their score, the likeliest first (the admin orders by score where this is chosen)."""

    title = "chance to buy"
    parameter_name = "band"
    choices_given = (*_BANDS, ("scored", "any score, likeliest first"))

    def kept(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        scored = queryset.filter(score__isnull=False)
        return scored if value == "scored" else scored.filter(band=value)


class BestCustomers(Choice):
    """Customers by what is expected of them, the highest first (the admin orders so where this is chosen)."""

    title = "what is expected"
    parameter_name = "by"
    choices_given = (
        ("revenue", "revenue expected in 28 days"),
        ("value", "revenue expected in 12 months"),
        ("churn", "chance to stay away for 30 days"),
    )
    columns: Final = {"revenue": "revenue_28d", "value": "value_12m", "churn": "churn"}

    def kept(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return queryset.filter(**{f"{self.columns[value]}__isnull": False})


class SegmentOfCustomer(Choice):
    """Customers who belong to a segment, as they were last told."""

    title = "segment"
    parameter_name = "segment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> tuple[tuple[str, str], ...]:
        """The segments that are switched on."""
        self.choices_given = tuple(Segment.objects.active().values_list("key", "title"))
        return self.choices_given

    def kept(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        members = SegmentMembership.objects.open().filter(segment__key=value, visitor=OuterRef("pk"))
        return queryset.filter(Exists(members))


class KnownOrNot(Choice):
    title = "known"
    parameter_name = "known"
    choices_given = (("yes", "has logged in"), ("no", "anonymous"))

    def kept(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return queryset.filter(known=value == "yes")


class Label(Choice):
    title = "who"
    parameter_name = "who"
    choices_given = _LABELS

    def kept(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return labelled(queryset, value)


class LabelOfSession(Choice):
    title = "who"
    parameter_name = "who"
    choices_given = _LABELS

    def kept(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if value == "shoppers":
            return queryset.filter(visitor__bot="")
        latest = labelled(Visitor.objects.all(), value).order_by("-last_seen", "-pk")
        return queryset.filter(visitor__in=list(latest.values_list("pk", flat=True)[:MOST_LABELLED]))


class LastSeen(Choice):
    title = "last seen"
    parameter_name = "seen"
    choices_given = (("hour", "in the last hour"), ("day", "in the last 24 hours"), ("week", "in the last 7 days"))
    spans: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}

    def kept(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return queryset.filter(last_seen__gte=timezone.now() - self.spans[value])


class OpenNow(Choice):
    """Sessions going on, the likeliest first (the admin orders by score where this is chosen)."""

    title = "going on"
    parameter_name = "open"
    choices_given = (("now", "open now, likeliest first"),)

    def kept(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return going_on(queryset)


class BandOfSession(Choice):
    title = "score"
    parameter_name = "band"
    choices_given = _BANDS

    def kept(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return queryset.filter(band=value)


class StageOfSession(Choice):
    title = "stage"
    parameter_name = "stage"
    choices_given = tuple((str(stage.value), str(stage.label)) for stage in Stage if stage is not Stage.NONE)

    def kept(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return queryset.filter(stage=int(value))


class OutcomeOfSession(Choice):
    title = "outcome"
    parameter_name = "outcome"
    choices_given = tuple((each.value, str(each.label)) for each in (Outcome.BOUGHT, Outcome.LEFT))

    def kept(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if value == Outcome.BOUGHT:  # the index of stages finds the few
            return queryset.filter(stage=Stage.BOUGHT, outcome=value)
        return queryset.filter(outcome=value)


def labelled(queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
    """Keep visitors of one label: shoppers, staff, or bots, which is everything else that is labelled."""
    if value == "shoppers":
        return queryset.filter(bot="")
    others = queryset.exclude(bot="")
    return others.filter(bot="staff") if value == "staff" else others.exclude(bot="staff")


def going_on(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Keep the sessions that have not ended: an event in the last 30 minutes, and no outcome."""
    return queryset.filter(closed_at=None, last_at__gte=timezone.now() - IDLE)


def likeliest_open(queryset: QuerySet[Any], most: int) -> list[Any]:
    """The shoppers' open sessions that are likeliest to buy; those that have bought already are left out."""
    asked = going_on(queryset).filter(visitor__bot="", score__isnull=False, stage__lt=Stage.BOUGHT)
    return list(asked.order_by(F("score").desc(), "-last_at", "-pk")[:most])
