"""The calendar's curves, in the shop's own time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from demo_shop.simulator import Plan
from demo_shop.simulator.rhythm import HOUR_MS, Rhythm

YEAR = Plan(start=date(2026, 1, 1), days=365, sessions_per_day=1000.0, seed=3)


@pytest.fixture(scope="module")
def year() -> Rhythm:
    return Rhythm(YEAR)


def test_a_year_has_the_mean_that_was_asked_for(year: Rhythm) -> None:
    first = YEAR.first_hour - year.first
    daily = year.visits[first : first + 365 * 24].sum() / 365
    assert daily == pytest.approx(1000, rel=0.06)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata"])
def test_the_evening_is_busiest_on_working_days_in_any_zone(zone: str) -> None:
    rhythm = Rhythm(Plan(start=date(2026, 3, 2), days=56, zone=zone))
    working = rhythm.weekday < 5
    by_hour = np.bincount(rhythm.local_hour[working], rhythm.visits[working], minlength=24)
    assert int(by_hour.argmax()) == 20
    assert int(by_hour.argmin()) in (3, 4)
    moment = datetime.fromtimestamp((rhythm.first + 100) * 3600, UTC).astimezone(ZoneInfo(zone))
    assert (rhythm.local_hour[100], rhythm.weekday[100]) == (moment.hour, moment.weekday())


def test_saturday_is_quietest_and_november_busiest(year: Rhythm) -> None:
    days = np.bincount(year.weekday, year.visits) / np.bincount(year.weekday)
    assert int(days.argmin()) == 5
    months = np.bincount(year.calendar_month, year.visits) / np.bincount(year.calendar_month)
    assert int(months.argmax()) in (10, 11)


def test_one_sale_a_month_lowers_one_departments_prices(year: Rhythm) -> None:
    on = np.flatnonzero(year.sale >= 0)
    first = on[0]
    time = np.array([(year.first + first) * HOUR_MS] * 5)
    factors = year.price_factor(time, np.arange(5))
    assert sorted(factors.tolist()) == [0.8, 1.0, 1.0, 1.0, 1.0]
    assert factors[year.sale[first]] == 0.8
    # Four days of about 30, in every month.
    assert len(on) / len(year.sale) == pytest.approx(4 / 30.4, rel=0.1)
    assert set(year.calendar_month[on].tolist()) == set(range(12))


def test_usual_hours_keep_the_local_day(year: Rhythm) -> None:
    rng = np.random.default_rng(1)
    time = (YEAR.first_hour + rng.integers(24, 300 * 24, 5000)) * HOUR_MS
    moved = year.at_usual_hour(time, rng.random(5000))
    zone = ZoneInfo(YEAR.zone)
    days = [[datetime.fromtimestamp(t / 1000, zone).date() for t in times] for times in (time.tolist(), moved.tolist())]
    # Only the hour that the clock change moves across midnight may leave its day.
    assert sum(a != b for a, b in zip(*days, strict=True)) <= 5
    hours = np.array([datetime.fromtimestamp(t / 1000, zone).hour for t in moved.tolist()])
    assert (np.bincount(hours, minlength=24)[18:22].sum() / 5000) > 0.19
