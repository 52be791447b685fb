"""Fields of a rule that are no feature of the vector: history, and scores. Each read live, and of many as a column.

Live they are of the visit that goes on and those before it; of visitors between two visits, of all their visits.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from purchase_intent.conf import config
from purchase_intent.segments.subject import RANKS, UNKNOWN, Numbers, People, Subject

__all__ = [
    "band",
    "band_of_row",
    "evening_share",
    "evening_shares",
    "left_unit_counts",
    "left_units",
    "left_value",
    "left_values",
    "of_row",
    "order_counts",
    "orders",
    "score",
    "since_first_visit",
    "since_first_visits",
    "since_order",
    "since_orders",
    "since_visit",
    "since_visits",
    "visit_counts",
    "visits",
    "weekend_share",
    "weekend_shares",
]

EVENING: Final = range(18, 22)
"""Hours of the shop's clock."""


def visits(subject: Subject) -> float:
    """Visits so far, this one counted."""
    return subject.past.sessions + 1


def visit_counts(people: People) -> Numbers:
    return _numbers(people.told["sessions"])


def orders(subject: Subject) -> float:
    """Orders so far, those of this visit counted."""
    return subject.past.purchases + subject.state.purchases


def order_counts(people: People) -> Numbers:
    return _numbers(people.told["purchases"])


def left_units(subject: Subject) -> float:
    """Units in a basket that an earlier visit left behind, with no order since."""
    return 0 if subject.state.purchases > 0 else subject.past.left_units


def left_unit_counts(people: People) -> Numbers:
    return _numbers(people.told["left_units"])


def left_value(subject: Subject) -> float:
    """What that basket was worth, in the shop's currency."""
    return 0.0 if subject.state.purchases > 0 else subject.past.left_value


def left_values(people: People) -> Numbers:
    return _numbers(people.told["left_value"])


def since_order(subject: Subject) -> float:
    """Seconds since the latest order."""
    return _since(max(subject.past.last_purchase, subject.state.last_purchase), subject.now)


def since_orders(people: People) -> Numbers:
    return _all_since(people.told["last_purchase"], people.now)


def since_visit(subject: Subject) -> float:
    """Seconds from the visit before to the start of this one."""
    return _since(subject.past.last_seen, subject.state.start)


def since_visits(people: People) -> Numbers:
    return _all_since(people.told["last_seen"], people.now)


def since_first_visit(subject: Subject) -> float:
    """Seconds since the first visit began."""
    return _since(subject.past.first_seen or subject.state.start, subject.now)


def since_first_visits(people: People) -> Numbers:
    return _all_since(people.told["first_seen"], people.now)


def weekend_share(subject: Subject) -> float:
    """Of the latest four visits, the share that began on a Saturday or Sunday of the shop's clock."""
    return _share(_starts(subject), weekend=True)


def weekend_shares(people: People) -> Numbers:
    return _numbers([_share(starts, weekend=True) for starts in people.told["starts"].tolist()])


def evening_share(subject: Subject) -> float:
    """Of the latest four visits, the share that began from 18 to 22 o'clock of the shop's clock."""
    return _share(_starts(subject), weekend=False)


def evening_shares(people: People) -> Numbers:
    return _numbers([_share(starts, weekend=False) for starts in people.told["starts"].tolist()])


def score(subject: Subject) -> float:
    """The chance that this visit buys."""
    probability = subject.intent.probability
    return UNKNOWN if probability is None else probability


def band(subject: Subject) -> float:
    """The rank of the narrowest band that this visit's chance reaches."""
    intent = subject.intent
    return UNKNOWN if intent.probability is None else RANKS.get(intent.band, 0)


def band_of_row(subject: Subject) -> float:
    """The rank of the band that the nightly scores gave the visitor."""
    known = subject.visitor is not None and subject.visitor.score is not None
    return RANKS.get(subject.visitor.band, 0) if known and subject.visitor is not None else UNKNOWN


def of_row(subject: Subject, name: str) -> float:
    """What the nightly scores say of the visitor; not known of one who has no row yet."""
    found: float | None = None if subject.visitor is None else getattr(subject.visitor, name)
    return UNKNOWN if found is None else found


def _starts(subject: Subject) -> list[int]:
    return [subject.state.start, *subject.past.starts[:-1]]


def _share(starts: Iterable[int], *, weekend: bool) -> float:
    zone = config().time_zone
    clocks = [datetime.fromtimestamp(start / 1000.0, UTC).astimezone(zone) for start in starts if start > 0]
    if not clocks:
        return UNKNOWN
    hits = sum(clock.weekday() >= 5 if weekend else clock.hour in EVENING for clock in clocks)
    return hits / len(clocks)


def _since(moment: int, now: int) -> float:
    return max(0.0, (now - moment) / 1000.0) if moment > 0 else UNKNOWN


def _all_since(moments: NDArray[np.int64], now: int) -> Numbers:
    found: Numbers = np.where(moments > 0, np.maximum(0.0, (now - moments) / 1000.0), UNKNOWN)
    return found


def _numbers(values: object) -> Numbers:
    return np.asarray(values, np.float64)
