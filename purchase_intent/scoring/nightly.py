"""The recent visitors scored, every night, in parts that any number of workers share.

A part is a range of primary keys. Whoever is scored as of a night is not scored as of it again, so a part that was
killed, or is done twice, goes on where it was, and the figures are the same however the visitors are parted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

import numpy as np
from django.db.models import Count, Max, Min, OuterRef, Q, Subquery, Sum
from numpy.typing import NDArray

from purchase_intent.conf import config
from purchase_intent.features.columns import tell_all, unpacked
from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT, Past, State
from purchase_intent.models import CatalogueDay, Horizon, Order, Session, Visitor, VisitorQuerySet
from purchase_intent.models.bulk import Keys, Numbers, instant, listed, microseconds, write_said
from purchase_intent.scoring.columns import Part, Rows, say
from purchase_intent.scoring.customers import CustomerScores, score_customers, unknown
from purchase_intent.scoring.nights import RECENT, arrival, last_night
from purchase_intent.scoring.shadow import shadows

__all__ = [
    "RECENT",
    "Part",
    "latest_manners",
    "next_visit",
    "night_of",
    "parts",
    "rows_as_of",
    "score_visitors",
    "tell_news",
]

PAGE: Final = 2_000
"""Visitors in memory, and of one call of the learners."""
OF_A_PART: Final = 50_000
"""Keys of a part, where nobody names a number of parts: some seconds of work, so that workers finish together."""

Progress = Callable[[str], None]
Packed: TypeAlias = bytes | memoryview
Manner: TypeAlias = tuple[str, str, str]
"""Device, channel and country of a visit."""


def night_of(now: datetime) -> datetime:
    """The latest three o'clock in the morning on the shop's clock, in UTC."""
    return last_night(now, config().time_zone)


def parts(night: datetime, *, count: int | None = None) -> list[Part]:
    """The visitors that wait for a score as of `night`, cut into `count` ranges of keys, or into ranges of 50,000.

    None where nobody waits. ValueError where `count` is less than 1.
    """
    if count is not None and count < 1:
        raise ValueError(f"count: there must be at least one part, got {count}")
    ends = _waiting(night).order_by().aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is None:
        return []
    first, after = ends["first"], ends["last"] + 1
    number = min(count or -(-(after - first) // OF_A_PART), after - first)
    edges = [first + (after - first) * place // number for place in range(number + 1)]
    return [Part(edges[place], edges[place + 1] - 1) for place in range(number)]


def score_visitors(night: datetime, *, part: Part | None = None, progress: Progress | None = None) -> int:
    """What is said of each recent visitor as of the moment `night` (`scoring.customers`); how many got a score.

    As if the visitor came to the home page at that moment, by the way and with the device of the latest visit. Who
    has come since is left out until the next night. A visitor scored as of this night is not scored again. One whose
    row a page is writing is scored at the end.
    """
    waiting = _waiting(night)
    if part is not None:
        waiting = waiting.filter(pk__gte=part.first, pk__lte=part.last)
    arrivals = _Arrivals(night)
    kept, last = 0, 0
    busy: list[int] = []
    while found := list(waiting.filter(pk__gt=last).order_by("pk").values_list("pk", "past")[:PAGE]):
        last = found[-1][0]
        rows = _rows(_away_since(night, dict(found)), arrivals)
        free = _write(rows)
        kept += int(free.sum())
        busy += rows.keys[~free].tolist()
        if progress is not None:
            progress(f"scoring visitors: {kept:,}")
    return kept + _once_more(waiting, busy, arrivals)


def rows_as_of(night: datetime, keys: Iterable[int]) -> Rows:
    """What is read of visitors, by their keys, as of `night`; those who have come since are left out."""
    pasts = dict(Visitor.objects.filter(pk__in=listed(keys)).order_by("pk").values_list("pk", "past"))
    return _rows(_away_since(night, pasts), _Arrivals(night))


def next_visit(visitor: Visitor, at: datetime) -> tuple[State, Past, Session]:
    """A visitor's next visit after its first page, if it began at `at` (aware), with the past that it would read.

    The session is not stored: it names device, channel and country of the latest visit. For a page: nothing compiles.
    """
    pasts = unpacked(PAST_LAYOUT, [visitor.past])
    tell_news([visitor.pk], pasts, compiles=False)
    manner = latest_manners([visitor.pk]).get(visitor.pk, ("", "", ""))
    state = STATE_LAYOUT.loads(_Arrivals(at).states([manner])[0].tobytes())
    session = Session(visitor=visitor, device=manner[0], channel=manner[1], country=manner[2])
    return state, PAST_LAYOUT.loads(pasts[0].tobytes()), session


def _once_more(waiting: VisitorQuerySet, busy: Sequence[int], arrivals: _Arrivals) -> int:
    """Score those whose rows were held, waiting for each by itself; how many got one."""
    kept = 0
    for begin in range(0, len(busy), PAGE):
        found = waiting.filter(pk__in=listed(busy[begin : begin + PAGE])).order_by("pk").values_list("pk", "past")
        rows = _rows(_away_since(arrivals.night, dict(found)), arrivals)
        kept += int(_write(rows, patient=True).sum())
    return kept


def _waiting(night: datetime) -> VisitorQuerySet:
    """The recent visitors that have no score as of `night` yet."""
    recent = Visitor.objects.people().seen_since(night - RECENT)
    return recent.filter(Q(scored_at=None) | Q(scored_at__lt=night), first_seen__lte=night)


def _write(rows: Rows, *, patient: bool = False) -> NDArray[np.bool_]:
    """Score visitors and write what is said of each; whose rows were written."""
    orders, revenue = _spent(rows.keys, rows.moments)
    found = score_customers(rows, orders=orders, revenue=revenue)
    horizon = Horizon.SESSION if found is None else Horizon.WEEK
    found = found or CustomerScores(say(rows), unknown(len(rows)))
    everybody = [found.said, *shadows(rows, found.said, horizon=horizon)]
    return write_said(Visitor, rows.keys, rows.moments, everybody, found.columns, patient=patient)


def _spent(keys: Keys, moments: Keys) -> tuple[Numbers, Numbers]:
    """How many orders each visitor had placed by its moment, one for all, and what they brought."""
    if not len(keys):
        return np.zeros(0), np.zeros(0)
    orders = Order.objects.filter(visitor__in=listed(keys.tolist()), placed_at__lte=instant(int(moments[0]))).order_by()
    sums = orders.values("visitor").annotate(number=Count("pk"), total=Sum("revenue"))
    found = {each["visitor"]: (each["number"], float(each["total"])) for each in sums}
    both = np.array([found.get(key, (0, 0.0)) for key in keys.tolist()], np.float64)
    return both[:, 0], both[:, 1]


def _away_since(night: datetime, pasts: Mapping[int, Packed]) -> dict[int, Packed]:
    """Those who have begun no session after the moment `night`.

    Asked of a few at a time: in the query of all who wait, PostgreSQL reads every session for each few.
    """
    come = Session.objects.filter(visitor__in=listed(pasts), last_at__gt=night, started_at__gt=night).order_by()
    back = set(come.values_list("visitor_id", flat=True))
    return {key: past for key, past in pasts.items() if key not in back}


def _rows(packed: Mapping[int, Packed], arrivals: _Arrivals) -> Rows:
    """Each visitor's next session after its first page, with what it would read of the visitor's past."""
    keys = list(packed)
    pasts = unpacked(PAST_LAYOUT, packed.values())
    tell_news(keys, pasts)
    manners = latest_manners(keys)
    states = arrivals.states([manners.get(key, ("", "", "")) for key in keys])
    moments = np.full(len(keys), microseconds(arrivals.night), np.int64)
    return Rows(keys=np.array(keys, np.int64), states=states, pasts=pasts, moments=moments)


def tell_news(keys: Sequence[int], pasts: NDArray[np.void], *, compiles: bool = True) -> None:
    """Tell the visitors' pasts, in memory, what their sessions have not told yet."""
    places = {key: place for place, key in enumerate(keys)}
    news = Session.objects.filter(visitor__in=listed(keys), has_news=True)
    found = list(news.order_by("visitor_id", "last_at", "started_at", "pk").values_list("visitor_id", "state"))
    owners = np.array([places[owner] for owner, _ in found], np.int64)
    # A state of an earlier layout reads as blank and has nothing to tell.
    tell_all(pasts, owners, unpacked(STATE_LAYOUT, (state for _, state in found)), compiles=compiles)


def latest_manners(keys: Sequence[int]) -> dict[int, Manner]:
    """How each visitor came the latest time, by the visitor's key."""
    newest = Session.objects.filter(visitor=OuterRef("pk")).order_by("-last_at", "-pk").values("pk")[:1]
    latest = Visitor.objects.filter(pk__in=listed(keys)).order_by().values_list(Subquery(newest), flat=True)
    shown = Session.objects.filter(pk__in=listed(key for key in latest if key is not None)).order_by()
    found = shown.values_list("visitor_id", "device", "channel", "country")
    return {owner: (device, channel, country) for owner, device, channel, country in found}


class _Arrivals:
    """The states of sessions that begin at `night` on the home page, made once for each manner of coming."""

    def __init__(self, night: datetime) -> None:
        self.night = night
        self._zone = config().time_zone
        self._facts = CatalogueDay.objects.facts(night.astimezone(self._zone).date())
        self._made: dict[Manner, bytes] = {}

    def states(self, manners: Sequence[Manner]) -> NDArray[np.void]:
        """The state of each manner, a line each."""
        return unpacked(STATE_LAYOUT, map(self._state, manners))

    def _state(self, manner: Manner) -> bytes:
        if manner not in self._made:
            self._made[manner] = STATE_LAYOUT.dumps(self._first_page(*manner))
        return self._made[manner]

    def _first_page(self, device: str, channel: str, country: str) -> State:
        return arrival(self.night, zone=self._zone, facts=self._facts, device=device, channel=channel, country=country)
