"""Catalogue facts of live events: the frozen days before an event's own, summed once and kept for a while."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from threading import Lock
from time import monotonic
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Q, Sum

from purchase_intent.events import Event
from purchase_intent.features.hit import FACTS
from purchase_intent.models import CatalogueDay, Subject

__all__ = ["FactCache", "facts", "local_day"]

Key = tuple[date, str, str]
Counts = dict[str, int]

MEASURES: Final = {
    subject: tuple(name for name in FACTS if name.startswith(f"{subject}_")) for subject in Subject.values
}
"""Which of the facts are counted of each subject."""

NAMES: Final = sorted({name.split("_", maxsplit=1)[1] for names in MEASURES.values() for name in names})
"""The columns of a catalogue day that they are sums of."""

FRESH: Final = 300.0
"""Seconds for which sums are believed: a day frozen late is seen by every process within this time."""
MOST: Final = 20_000
"""Sums held by one process; at a few hundred bytes each."""
_SMALL_HOURS: Final = 4
"""No clock has been put back by as much, since 1995: from this hour on it stays in its day."""
AT_ONCE: Final = 400
"""Keys asked for in one query."""


class FactCache:
    """Sums over the 28 frozen days before a local day, by day and subject: bounded, safe among threads."""

    def __init__(self, *, most: int = MOST, fresh: float = FRESH, clock: Callable[[], float] = monotonic) -> None:
        self._most, self._fresh, self._clock = most, fresh, clock
        self._held: OrderedDict[Key, tuple[float, Counts]] = OrderedDict()
        self._lock = Lock()

    def of(self, events: Iterable[Event], zone: ZoneInfo) -> list[dict[str, int]]:
        """The facts that each event carries (names of FACTS); at most one query a local day, none where all is held."""
        wanted = [keys_of(event, zone) for event in events]
        found = self._sums({key for keys in wanted for key in keys})
        return [found[product] | found[category] | found[shop] for product, category, shop in wanted]

    def forget(self) -> None:
        """Drop everything: a day has been frozen."""
        with self._lock:
            self._held.clear()

    def _sums(self, keys: set[Key]) -> Mapping[Key, Counts]:
        now = self._clock()
        found = {}
        with self._lock:
            for key in keys:
                held = self._held.get(key)
                if held is not None and now - held[0] < self._fresh:
                    self._held.move_to_end(key)
                    found[key] = held[1]
        missing = keys - found.keys()
        if not missing:
            return found
        new = summed(missing)
        with self._lock:
            self._held.update({key: (now, counts) for key, counts in new.items()})
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        return found | new


def local_day(when: datetime, zone: ZoneInfo) -> date:
    """The local day of a moment. A clock put back across midnight counts to the earlier day, as in a log."""
    local = when.astimezone(zone)
    if local.hour >= _SMALL_HOURS:
        return local.date()
    return min(local.date(), (when + timedelta(minutes=30)).astimezone(zone).date())


def keys_of(event: Event, zone: ZoneInfo) -> tuple[Key, Key, Key]:
    """Whose sums an event carries."""
    day = local_day(event.occurred_at, zone)
    return (
        (day, Subject.PRODUCT.value, event.product or ""),
        (day, Subject.CATEGORY.value, event.category or ""),
        (day, Subject.SHOP.value, ""),
    )


def summed(keys: set[Key]) -> dict[Key, Counts]:
    """The sums of `keys`, read from the frozen days; nothing is counted of no product, or of no category."""
    found = {key: dict.fromkeys(MEASURES[key[1]], 0) for key in keys}
    asked = sorted(key for key in keys if key[2] or key[1] == Subject.SHOP)
    sums: dict[str, Any] = {f"total_{name}": Sum(name) for name in NAMES}
    for day in sorted({key[0] for key in asked}):
        of_day = [key for key in asked if key[0] == day]
        for begin in range(0, len(of_day), AT_ONCE):
            subjects = Q()
            for subject in Subject.values:
                names = [key for _, kind, key in of_day[begin : begin + AT_ONCE] if kind == subject]
                if names:
                    subjects |= Q(subject=subject, key__in=names)
            days: Any = CatalogueDay.objects.before(day).filter(subjects).order_by()
            for subject, key, *totals in days.values_list("subject", "key").annotate(**sums):
                counts = found[day, subject, key]
                counts |= {name: int(totals[NAMES.index(name.split("_", maxsplit=1)[1])]) for name in counts}
    return found


facts = FactCache()
"""What this process holds."""
