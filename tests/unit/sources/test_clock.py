"""Local time agrees with Python's own, and a local day never comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from purchase_intent.sources.clock import LocalClock, milliseconds, moment

ZONES = [
    *("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns"),
    *("Africa/Casablanca", "Asia/Tehran", "Pacific/Apia", "America/Sao_Paulo"),
]
FIRST, LAST = milliseconds(datetime(1995, 1, 1, tzinfo=UTC)), milliseconds(datetime(2037, 12, 31, tzinfo=UTC))
MOMENTS = st.integers(FIRST, LAST)


def days(clock: LocalClock, times: list[int]) -> list[int]:
    query = f"SELECT {clock.day_sql('time')} FROM (SELECT unnest(?::BIGINT[]) AS time)"
    return [day for (day,) in duckdb.execute(query, [times]).fetchall()]


@given(st.sampled_from(ZONES), MOMENTS, st.lists(st.integers(0, 400 * 86_400_000), min_size=1))
def test_hour_and_weekday_are_those_of_zoneinfo(zone: str, first: int, gaps: list[int]) -> None:
    times = [first + gap for gap in gaps]
    clock = LocalClock.of(ZoneInfo(zone), min(times), max(times))
    local = [moment(time).astimezone(ZoneInfo(zone)) for time in times]
    array = np.array(times, np.int64)
    assert clock.hour(array).tolist() == [when.hour for when in local]
    assert clock.weekday(array).tolist() == [when.weekday() for when in local]


@given(st.sampled_from([zone for zone in ZONES if zone != "America/St_Johns"]), MOMENTS, st.integers(0, 400))
def test_the_day_is_the_calendars(zone: str, first: int, later: int) -> None:
    times = [first + later * 86_400_000 * i // 7 for i in range(8)]
    clock = LocalClock.of(ZoneInfo(zone), times[0], times[-1])
    epoch = datetime(1970, 1, 1).date()  # noqa: DTZ001
    expected = [(moment(time).astimezone(ZoneInfo(zone)).date() - epoch).days for time in times]
    assert days(clock, times) == expected


def test_both_sides_of_a_change_to_the_millisecond() -> None:
    spring = milliseconds(datetime(2024, 3, 31, 1, tzinfo=UTC))
    autumn = milliseconds(datetime(2024, 10, 27, 1, tzinfo=UTC))
    clock = LocalClock.of(ZoneInfo("Europe/Berlin"), spring - 1, autumn)
    assert clock.hour(np.array([spring - 1, spring, autumn - 1, autumn])).tolist() == [1, 3, 2, 2]
    assert clock.starts.tolist()[1:] == [spring, autumn]


def test_a_clock_put_back_across_midnight_repeats_no_day() -> None:
    """St. John's put its clocks back at 00:01 until 2011: the new day began, stopped, and began again."""
    change = datetime(2010, 11, 7, 2, 31, tzinfo=UTC)
    zone = ZoneInfo("America/St_Johns")
    assert change.astimezone(zone).date() < (change - timedelta(seconds=30)).astimezone(zone).date()
    times = [milliseconds(change + timedelta(minutes=minute)) for minute in range(-90, 90)]
    clock = LocalClock.of(zone, times[0], times[-1])
    found = days(clock, times)
    assert found == sorted(found)
    assert set(np.diff(found)) == {0, 1}
    assert found.index(found[-1]) > 90
