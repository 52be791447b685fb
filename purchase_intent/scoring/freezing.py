"""Catalogue days frozen from the stored events, a night each: the counts that an import makes, without its tools."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import BigIntegerField, Case, Count, Exists, F, OuterRef, Q, Sum, Value, When
from django.db.models.functions import Cast, Floor

from purchase_intent.conf import config
from purchase_intent.events import EventName
from purchase_intent.exceptions import DayNotOver
from purchase_intent.models import CatalogueDay, Event, EventQuerySet, Subject
from purchase_intent.models.catalogue_day import WINDOW_DAYS
from purchase_intent.scoring.facts import facts

__all__ = ["day_start", "days_due", "freeze_day", "freeze_days_due"]

logger = logging.getLogger(__name__)

AROUND: Final = timedelta(days=2)
"""No zone is further from UTC, whatever it changes."""
QUARTER: Final = timedelta(minutes=15)
MILLISECOND: Final = timedelta(milliseconds=1)

HUNDREDTHS: Final = F("price") * 100.0
# Half a cent counts up. ROUND differs from one database to the next; these steps are exact in all of them.
CENTS: Final = Cast(
    Floor(HUNDREDTHS) + Case(When(Q(half__gte=0.5), then=Value(1.0)), default=Value(0.0)), BigIntegerField()
)


def freeze_days_due(now: datetime) -> list[date]:
    """Freeze every local day that is over by `now` and not frozen yet; which.

    After missed nights that is more than yesterday: the log names them. At most the 28 days that facts look back on.
    """
    due = list(days_due(now))
    if len(due) > 1:
        logger.warning("Catalogue days %s to %s were not frozen in their night; they are now.", due[0], due[-2])
    for day in due:
        freeze_day(day, now=now)
    return due


def days_due(now: datetime) -> Iterator[date]:
    """The local days to freeze, in order: a run that is killed goes on where it was."""
    today = now.astimezone(config().time_zone).date()
    day = max(_first_due(today), today - timedelta(days=WINDOW_DAYS))
    while day < today:
        yield day
        day += timedelta(days=1)


def freeze_day(day: date, *, now: datetime) -> int:
    """Write the counts of one local day, people's events only; how many rows differed.

    A day without events gets a row of zeros for the shop, which says that it was frozen. Raises DayNotOver where the
    day still goes on at `now`: its counts would change under the scores that use them.
    """
    zone = config().time_zone
    begin, end = day_start(day, zone), day_start(day + timedelta(days=1), zone)
    if now < end:
        raise DayNotOver(f"{day} is not over in {zone}: freeze it after its midnight", day=day)
    events = Event.objects.of_people().filter(occurred_at__gte=begin, occurred_at__lt=end)
    rows = {
        **_counted(events, Subject.PRODUCT, "product"),
        **_counted(events, Subject.CATEGORY, "category"),
        (Subject.SHOP.value, ""): (
            *_numbers(events.annotate(half=_half()).aggregate(**_counts())),
            _firsts(events, begin),
            _firsts(events, begin, name=EventName.PURCHASE.value),
        ),
    }
    changed = CatalogueDay.objects.write(day, rows)
    facts.forget()
    return changed


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The moment from which on the local clock never shows an earlier day again, in UTC.

    Where a clock is put back across midnight the earlier moments count to the earlier day, as in history.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    low, high = midnight - AROUND, midnight + AROUND
    while high - low > QUARTER and (high - QUARTER).astimezone(zone).date() >= day:
        high -= QUARTER
    # One quarter of an hour is left, within which a clock changes once at most.
    low = high - QUARTER
    while high - low > MILLISECOND:
        middle = low + (high - low) // (2 * MILLISECOND) * MILLISECOND
        if middle.astimezone(zone).date() >= day:
            high = middle
        else:
            low = middle
    return high


def _first_due(today: date) -> date:
    latest = CatalogueDay.objects.latest_day()
    if latest is not None:
        return latest + timedelta(days=1)
    first = Event.objects.of_people().in_order().values_list("occurred_at", flat=True).first()
    return today if first is None else first.astimezone(config().time_zone).date()


def _half() -> Any:
    return HUNDREDTHS - Floor(HUNDREDTHS)


def _counts() -> dict[str, Any]:
    kinds = {"views": EventName.VIEW, "carts": EventName.CART, "buys": EventName.PURCHASE}
    counts: dict[str, Any] = {name: Count("pk", filter=Q(name=kind.value)) for name, kind in kinds.items()}
    return counts | {"cents": Sum(CENTS, filter=Q(name=EventName.VIEW.value), default=0)}


def _numbers(found: dict[str, Any]) -> tuple[int, ...]:
    return tuple(int(found[name]) for name in ("views", "carts", "buys", "cents"))


def _counted(events: EventQuerySet, subject: Subject, column: str) -> dict[tuple[str, str], tuple[int, ...]]:
    """The counts of each product, or each category, that these events name."""
    named = events.exclude(**{column: ""}).annotate(half=_half()).order_by().values(column)
    return {
        (subject.value, found[column]): (*_numbers(found), 0, 0) for found in named.annotate(**_counts()).iterator()
    }


def _firsts(events: EventQuerySet, begin: datetime, **kind: int) -> int:
    """Of how many sessions the first event (of that kind) is one of these, none being earlier than `begin`."""
    earlier = Event.objects.of_people().filter(session=OuterRef("session"), occurred_at__lt=begin, **kind)
    return events.filter(~Exists(earlier), **kind).order_by().values("session").distinct().count()
