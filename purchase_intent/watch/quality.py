"""Whether the events of a day can be believed: each check a figure, a limit and a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from math import sqrt
from statistics import median
from typing import Any, Final

from django.db.models import Avg, Count, DurationField, Exists, ExpressionWrapper, F, Max, OuterRef, Q

from purchase_intent.conf import config
from purchase_intent.events import EventName
from purchase_intent.models import CatalogueDay, Event, EventQuerySet, Refusal, Subject
from purchase_intent.models.catalogue_day import WINDOW_DAYS
from purchase_intent.scoring.freezing import day_start

__all__ = ["Check", "check_events"]

WEEKS: Final = 8
"""The same weekday of so many weeks is looked back on."""
LEAST_WEEKS: Final = 3
SPREADS: Final = 3.0
"""A volume further from the median than so many spreads is out of order: 1 day in 370 of a normal one."""
FUTURE: Final = timedelta(minutes=1)
LATE: Final = timedelta(hours=1)
WITH_PRODUCT: Final = (EventName.VIEW, EventName.CART, EventName.REMOVE_FROM_CART, EventName.PURCHASE)
FIELDS: Final = {
    "product": ("Events about a product that name none", 0.01),
    "price": ("Events about a product without a price", 0.05),
    "category": ("Events about a product without a category", 0.05),
    "device": ("Events without a device", 0.05),
    "channel": ("Events without a channel", 0.05),
}
"""Fields, what their absence is called, and the share of it above which something is wrong at once.

Where the week before was worse, its share and five points more is the limit: that the shop does not tell is known.
"""
WORSE: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: `passed` is None where nothing can be said yet. `figure` and `limit` are in the words of `said`."""

    name: str
    passed: bool | None
    figure: float | None
    limit: float | None
    said: str


def check_events(day: date) -> dict[str, Any]:
    """JSON of the events of people on one local day: `events`, `score` (0 to 100), `checks`, `refused` by reason.

    The score is the share of the checks that can be made and are passed; None where none can.
    """
    begin, end = _bounds(day)
    events = _between(begin, end)
    today = _counted(events)
    before = _counted(_between(_bounds(day - timedelta(days=7))[0], begin))
    refused = Refusal.objects.counts(begin, end)
    checks = [
        _volume(day, today["events"]),
        *_absent(today, before),
        *_unknown(events, day),
        *_prices(today, before),
        _refused(refused, today["events"]),
        _twice(events, today["events"]),
        *_clock(events, today["events"]),
    ]
    made = [check.passed for check in checks if check.passed is not None]
    return {
        "events": today["events"],
        "score": round(100 * sum(made) / len(made), 1) if made else None,
        "checks": [asdict(check) for check in checks],
        "refused": [{"reason": reason, "field": field, "count": count} for (reason, field), count in refused.items()],
    }


def _bounds(day: date) -> tuple[datetime, datetime]:
    zone = config().time_zone
    return day_start(day, zone), day_start(day + timedelta(days=1), zone)


def _between(begin: datetime, end: datetime) -> EventQuerySet:
    return Event.objects.of_people().filter(occurred_at__gte=begin, occurred_at__lt=end).order_by()


def _counted(events: EventQuerySet) -> dict[str, Any]:
    """Every count and mean that the checks need, in one reading of the events."""
    about = Q(name__in=[name.value for name in WITH_PRODUCT])
    viewed = Q(name=EventName.VIEW.value, price__gt=0)
    found: dict[str, Any] = events.aggregate(
        events=Count("pk"),
        about=Count("pk", filter=about),
        priced=Count("pk", filter=about & Q(price__isnull=False)),
        no_product=Count("pk", filter=about & Q(product="")),
        no_category=Count("pk", filter=about & Q(category="")),
        no_price=Count("pk", filter=about & Q(price=None)),
        no_device=Count("pk", filter=Q(device="")),
        no_channel=Count("pk", filter=Q(channel="")),
        free=Count("pk", filter=about & Q(price=0)),
        mean_price=Avg("price", filter=viewed),
        top_price=Max("price", filter=about),
    )
    return found


def _volume(day: date, count: int) -> Check:
    """Against the same weekday of the last eight weeks: median, and a spread of at least a tenth of it."""
    first = Event.objects.of_people().in_order().values_list("occurred_at", flat=True).first()
    zone = config().time_zone
    begun = first.astimezone(zone).date() if first is not None else day
    days = [day - timedelta(weeks=back) for back in range(1, WEEKS + 1)]
    past = [_between(*_bounds(each)).count() for each in days if each > begun]
    name = f"{day:%A}"
    if len(past) < LEAST_WEEKS:
        said = f"{count:,} events. Too few weeks yet to say whether that is usual: {len(past)} of {LEAST_WEEKS}."
        return Check(name="volume", passed=None, figure=count, limit=None, said=said)
    middle = median(past)
    deviation = 1.4826 * median(abs(each - middle) for each in past)
    spread = max(deviation, 0.1 * middle, sqrt(middle), 1.0)
    off = abs(count - middle) / spread
    what = "as usual" if off <= SPREADS else ("far fewer than usual" if count < middle else "far more than usual")
    said = f"{count:,} events, {what} for a {name}: the median of {len(past)} weeks is {middle:,.0f}."
    return Check(name="volume", passed=off <= SPREADS, figure=round(off, 2), limit=SPREADS, said=said)


def _absent(today: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Check]:
    for field, (what, most) in FIELDS.items():
        whole = "about" if field in ("product", "price", "category") else "events"
        if not today[whole]:
            yield _nothing(f"no_{field}", f"{what}: there were none to look at.")
            continue
        share = today[f"no_{field}"] / today[whole]
        usual = before[f"no_{field}"] / before[whole] if before[whole] else None
        limit = max(most, min(usual + WORSE, 1.0)) if usual is not None else most
        compared = "" if usual is None else f", {_per_cent(usual)} in the week before"
        yield _share(f"no_{field}", share, limit, f"{what}: {_per_cent(share)}{compared}")


def _unknown(events: EventQuerySet, day: date) -> Iterator[Check]:
    """Categories and products that no frozen day of the last 28 has seen."""
    frozen = CatalogueDay.objects.filter(day__gte=day - timedelta(days=WINDOW_DAYS), day__lt=day)
    known_days = frozen.filter(subject=Subject.SHOP).count()
    for subject, limit in ((Subject.CATEGORY, 0.05), (Subject.PRODUCT, 0.25)):
        field, name = subject.value, f"unknown_{subject.value}"
        if known_days < 7:
            yield _nothing(name, f"Unknown {field}: too few days counted yet, {known_days} of 7.")
            continue
        named = events.exclude(**{field: ""})
        seen = frozen.filter(subject=subject, key=OuterRef(field))
        total, strange = named.count(), named.filter(~Exists(seen)).count()
        if not total:
            yield _nothing(name, f"Unknown {field}: no event names one.")
            continue
        what = f"Events whose {field} was not seen in the 28 days before"
        yield _share(name, strange / total, limit, f"{what}: {_per_cent(strange / total)}")


def _prices(today: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Check]:
    if not today["priced"]:
        yield _nothing("price", "No event named a price.")
        return
    share = today["free"] / today["priced"]
    yield _share("price_zero", share, 0.01, f"Prices of zero: {_per_cent(share)}")
    for name, key, what, limit in (
        ("price_level", "mean_price", "The mean price viewed", 1.5),
        ("price_top", "top_price", "The highest price", 10.0),
    ):
        now, then = today[key], before[key]
        if not now or not then:
            yield _nothing(name, f"{what}: nothing to compare it with yet.")
            continue
        times = now / then
        passed = times <= limit and (name == "price_top" or times >= 1 / limit)
        said = f"{what} is {now:,.2f}, {times:,.1f} times that of the week before ({then:,.2f})."
        yield Check(name=name, passed=passed, figure=round(times, 3), limit=limit, said=said)


def _refused(refused: Mapping[tuple[str, str], int], stored: int) -> Check:
    total = sum(refused.values())
    told = total + stored
    if not told:
        return _nothing("refused", "Nothing was told, so nothing was refused.")
    reasons = ", ".join(f"{reason} ({field}) {count:,}" for (reason, field), count in list(refused.items())[:3])
    because = f": {reasons}" if reasons else ""
    return _share("refused", total / told, 0.01, f"Refused of what the shop told: {_per_cent(total / told)}{because}")


def _twice(events: EventQuerySet, count: int) -> Check:
    """Events that say the same as another one of the same session and moment, under another id."""
    if not count:
        return _nothing("twice", "No event to find twice.")
    same = events.values("session", "occurred_at", "name", "product", "order", "page")
    repeated = same.annotate(times=Count("pk")).filter(times__gt=1)
    more = sum(times - 1 for times in repeated.values_list("times", flat=True).iterator())
    return _share(
        "twice", more / count, 0.02, f"Events that repeat another to the millisecond: {_per_cent(more / count)}"
    )


def _clock(events: EventQuerySet, count: int) -> Iterator[Check]:
    if not count:
        yield _nothing("clock", "No event whose clock could be looked at.")
        return
    lag = ExpressionWrapper(F("received_at") - F("occurred_at"), output_field=DurationField())
    found = events.alias(lag=lag).aggregate(
        late=Count("pk", filter=Q(lag__gt=LATE)), future=Count("pk", filter=Q(lag__lt=-FUTURE))
    )
    for name, what in (("late", "Events that arrived more than an hour late"), ("future", "Events from the future")):
        share = found[name] / count
        yield _share(name, share, 0.01, f"{what}: {_per_cent(share)}")


def _share(name: str, share: float, limit: float, said: str) -> Check:
    passed = share <= limit
    text = f"{said}." if passed else f"{said}; at most {_per_cent(limit)} is in order."
    return Check(name=name, passed=passed, figure=round(share, 5), limit=round(limit, 5), said=text)


def _nothing(name: str, said: str) -> Check:
    return Check(name=name, passed=None, figure=None, limit=None, said=said)


def _per_cent(share: float) -> str:
    return f"{share * 100:.2g}%" if 0 < share < 0.1 else f"{share * 100:.0f}%"
