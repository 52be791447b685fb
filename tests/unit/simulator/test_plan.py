"""A plan checks itself."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from demo_shop.simulator import Plan, SimulationRefused

START = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"layout": "gstore"}, "layout 'gstore'"),
        ({"days": 0}, "days 0"),
        ({"days": 1001}, "days 1001"),
        ({"days": 1.5}, "days 1.5"),
        ({"days": True}, "days True"),
        ({"events": 0}, "events 0"),
        ({"events": -5}, "events -5"),
        ({"seed": -1}, "seed -1"),
        ({"hours_per_slice": 0}, "hours_per_slice 0"),
        ({"sessions_per_day": 0.0}, "sessions a day"),
        ({"sessions_per_day": float("nan")}, "sessions a day"),
        ({"sessions_per_day": 1e12}, "sessions a day"),
        ({"events": 10**10, "days": 1}, "sessions a day"),
        ({"zone": "Mars/Olympus"}, "zone 'Mars/Olympus'"),
        ({"zone": "../etc/passwd"}, "zone '../etc/passwd'"),
        ({"zone": ""}, "zone ''"),
        ({"start": date(1900, 1, 1)}, "start 1900-01-01"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_bad_option_is_named(options: dict[str, Any], named: str) -> None:
    with pytest.raises(SimulationRefused, match=r"choose|give") as refusal:
        Plan(**{"start": START, **options})
    assert named in refusal.value.message
    assert "\n" not in refusal.value.message


def test_the_first_day_begins_at_the_shops_midnight() -> None:
    hours = {zone: Plan(start=START, days=1, zone=zone) for zone in ("UTC", "Europe/Berlin", "America/Los_Angeles")}
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    midnight = int((datetime(2026, 3, 2, tzinfo=UTC) - epoch).total_seconds() // 3600)
    assert {zone: plan.first_hour - midnight for zone, plan in hours.items()} == {
        "UTC": 0,
        "Europe/Berlin": -1,
        "America/Los_Angeles": 8,
    }


def test_the_day_of_the_clock_change_has_23_hours() -> None:
    plan = Plan(start=date(2026, 3, 29), days=1)
    assert plan.end_hour - plan.first_hour == 23


def test_the_rate_comes_from_events_and_days() -> None:
    assert Plan(start=START).rate == 200.0
    assert Plan(start=START, sessions_per_day=12.5).rate == 12.5
    assert Plan(start=START, events=5_800, days=10).rate == pytest.approx(100, rel=0.05)


@pytest.mark.parametrize(("rate", "hours"), [(1.0, 672), (50_000.0, 24), (1e7, 1)])
def test_slices_hold_about_fifty_thousand_sessions(rate: float, hours: int) -> None:
    assert Plan(start=START, sessions_per_day=rate).slice_hours == hours
    assert Plan(start=START, sessions_per_day=rate, hours_per_slice=5).slice_hours == 5
