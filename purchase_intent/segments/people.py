"""Visitors read a page at a time, as rules and figures need them: people seen within 90 days who are on no visit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
from django.db.models import F, OuterRef, Subquery

from purchase_intent.features.columns import unpacked, vectors
from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT
from purchase_intent.models import Session, Visitor, VisitorQuerySet
from purchase_intent.models.bulk import listed
from purchase_intent.models.session import IDLE
from purchase_intent.scoring.nightly import tell_news
from purchase_intent.scoring.nights import RECENT
from purchase_intent.scoring.score import milliseconds
from purchase_intent.segments.subject import RANKS, UNKNOWN, Numbers, People

__all__ = ["PAGE", "drawn_people", "pages", "recent"]

PAGE: Final = 2_000
"""Visitors in memory, at some five kilobytes each."""
_GOLDEN: Final = (618_033, 1_000_003)
"""The golden section as a ratio, the second number a prime."""
_SCORES: Final = {"customer_score": "score", "churn": "churn", "revenue_28d": "revenue_28d", "value_12m": "value_12m"}
"""What the nightly scores say of a visitor, and the columns that hold it."""


class _Latest(NamedTuple):
    """A visitor's latest visit."""

    state: bytes
    past: bytes
    device: str
    channel: str
    country: str
    score: float | None
    band: str


def recent(moment: datetime) -> VisitorQuerySet:
    """People, neither bots nor staff, seen within the 90 days before a moment."""
    return Visitor.objects.people().seen_since(moment - RECENT).filter(first_seen__lte=moment)


def pages(moment: datetime, *, most: int = PAGE) -> Iterator[People]:
    """All of them in the order of their keys, at most `most` at a time, as of `moment` (aware).

    Left out is who is on a visit at that moment, and whose visits were pruned.
    """
    last = 0
    while keys := list(recent(moment).filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:most]):
        last = keys[-1]
        yield _read(keys, moment)


def drawn_people(moment: datetime, *, most: int) -> People:
    """`most` of them drawn from all alike, the same every time, for a page: nothing is compiled for it.

    Keys are given out in the order of the first visits. Multiples of the golden section, taken modulo 1, lie evenly
    (Weyl 1916): so does the sample over those who came first and last, and no rule about time sees another shop.
    """
    place = (F("pk") * _GOLDEN[0]) % _GOLDEN[1]
    keys = list(recent(moment).order_by(place, "pk").values_list("pk", flat=True)[:most])
    return _read(sorted(keys), moment, compiles=False)


def _read(keys: Sequence[int], moment: datetime, *, compiles: bool = True) -> People:
    rows = {row["pk"]: row for row in _visitors(keys)}
    sessions = _latest_sessions(keys, moment)
    found = sorted(rows.keys() & sessions.keys())
    pasts = unpacked(PAST_LAYOUT, (rows[key]["past"] for key in found))
    tell_news(found, pasts, compiles=compiles)
    seen = [sessions[key] for key in found]
    states = unpacked(STATE_LAYOUT, (each.state for each in seen))
    known = unpacked(PAST_LAYOUT, (each.past for each in seen))
    matrix = vectors(states, known, states["last"].copy(), compiles=compiles)
    there = np.flatnonzero(states["events"] > 0)  # a state of an earlier layout reads as blank
    return People(
        keys=np.array(found, np.int64)[there],
        matrix=matrix[there],
        told=pasts[there],
        now=milliseconds(moment),
        scores={name: column[there] for name, column in _scores([rows[key] for key in found], seen).items()},
        manners=tuple((seen[at].device, seen[at].channel, seen[at].country) for at in there.tolist()),
    )


def _visitors(keys: Sequence[int]) -> Any:
    found = Visitor.objects.filter(pk__in=listed(keys)).order_by()
    return found.values("pk", "past", "band", *_SCORES.values())


def _latest_sessions(keys: Sequence[int], moment: datetime) -> dict[int, _Latest]:
    """Each one's latest visit, but for those who are on it."""
    newest = Session.objects.filter(visitor=OuterRef("pk")).order_by("-last_at", "-pk").values("pk")[:1]
    latest = Visitor.objects.filter(pk__in=listed(keys)).order_by().values_list(Subquery(newest), flat=True)
    sessions = Session.objects.filter(pk__in=listed(key for key in latest if key is not None)).order_by()
    ended = sessions.filter(last_at__lt=moment - IDLE) | sessions.filter(closed_at__isnull=False)
    columns = ended.filter(last_at__lte=moment).values_list("visitor_id", *_Latest._fields)
    return {owner: _Latest(*rest) for owner, *rest in columns}


def _scores(rows: Sequence[dict[str, Any]], seen: Sequence[_Latest]) -> dict[str, Numbers]:
    found = {name: _column([row[column] for row in rows]) for name, column in _SCORES.items()}
    found["customer_band"] = _ranks([row["band"] for row in rows], found["customer_score"])
    found["score"] = _column([each.score for each in seen])
    found["band"] = _ranks([each.band for each in seen], found["score"])
    return found


def _ranks(bands: Sequence[str], scores: Numbers) -> Numbers:
    """Bands as numbers; of what has no score there is none."""
    ranks = np.array([RANKS.get(band, 0) for band in bands], np.float64)
    return np.where(np.isnan(scores), UNKNOWN, ranks)


def _column(values: Sequence[float | None]) -> Numbers:
    return np.array([UNKNOWN if value is None else value for value in values], np.float64)
