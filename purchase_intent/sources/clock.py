"""Local time of a shop as a few additions: the zone's offsets between the first and the last event.

Python's own `zoneinfo` says when the offset changes; SQL and NumPy then only add. So both agree with Python, and no
database extension or time zone table is involved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

__all__ = ["LocalClock"]

DAY = 86_400_000
HOUR = 3_600_000
STEP = timedelta(hours=6)  # two changes of one zone are never closer


@dataclass(frozen=True, slots=True)
class LocalClock:
    """Offsets of a zone: from `starts[i]` (ms UTC) on, local time is UTC plus `offsets[i]` (ms)."""

    starts: NDArray[np.int64]
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, zone: ZoneInfo, first: int, last: int) -> LocalClock:
        """The clock of `zone` for moments from `first` to `last`, both ms UTC and inclusive."""
        begin = moment(first) - timedelta(milliseconds=1)
        starts, offsets = [first], [offset_ms(zone, moment(first))]
        for change in changes(zone, begin, moment(last) + STEP):
            starts.append(change)
            offsets.append(offset_ms(zone, moment(change)))
        return cls(np.array(starts, np.int64), np.array(offsets, np.int64))

    def local(self, time: NDArray[np.int64]) -> NDArray[np.int64]:
        """Milliseconds on the local clock since 1970-01-01 00:00 local."""
        at = np.searchsorted(self.starts, time, side="right") - 1
        return time + self.offsets[np.maximum(at, 0)]

    def hour(self, time: NDArray[np.int64]) -> NDArray[np.int64]:
        """0 to 23."""
        return self.local(time) // HOUR % 24

    def weekday(self, time: NDArray[np.int64]) -> NDArray[np.int64]:
        """0 (Monday) to 6."""
        return (self.local(time) // DAY + 3) % 7

    def day_sql(self, time: str) -> str:
        """SQL for the local day of `time` (days since 1970-01-01), never lower for a later moment.

        A clock put back across midnight would show a day, then the day before, again. There the earlier moments
        count to the earlier day, so that facts of earlier days never hold a later event.
        """
        caps = np.minimum.accumulate(((self.starts + self.offsets) // DAY)[::-1])[::-1]
        cases = []
        for i in range(len(self.starts)):
            day = f"({time} + {self.offsets[i]}) // {DAY}"
            if i + 1 == len(self.starts):
                cases.append(f"ELSE {day}")
                continue
            if (self.starts[i + 1] + self.offsets[i] - 1) // DAY > caps[i + 1]:
                day = f"least({day}, {caps[i + 1]})"
            cases.append(f"WHEN {time} < {self.starts[i + 1]} THEN {day}")
        if len(cases) == 1:
            return f"(({time} + {self.offsets[0]}) // {DAY})::INTEGER"
        return f"(CASE {' '.join(cases)} END)::INTEGER"


def moment(time: int) -> datetime:
    """Milliseconds since 1970 as an aware datetime."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time)


def milliseconds(when: datetime) -> int:
    """An aware datetime as milliseconds since 1970."""
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def offset_ms(zone: ZoneInfo, when: datetime) -> int:
    """What the zone adds to UTC at a moment."""
    local = when.astimezone(zone)
    return milliseconds(local.replace(tzinfo=UTC)) - milliseconds(local)


def changes(zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[int]:
    """The moments (ms UTC) after `begin` at which the offset of `zone` changes."""
    while begin < end:
        following = begin + STEP
        if offset_ms(zone, begin) != offset_ms(zone, following):
            yield first_change(zone, begin, following)
        begin = following


def first_change(zone: ZoneInfo, low: datetime, high: datetime) -> int:
    """The first moment after `low` that has the offset of `high`."""
    before, after = milliseconds(low), milliseconds(high)
    old = offset_ms(zone, low)
    while after - before > 1:
        middle = (before + after) // 2
        if offset_ms(zone, moment(middle)) == old:
            before = middle
        else:
            after = middle
    return after
