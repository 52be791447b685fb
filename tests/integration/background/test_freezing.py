"""A night's catalogue day equals what an import counts of the same events."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pytest_django import Settings

from purchase_intent.events import EventName
from purchase_intent.exceptions import DayNotOver
from purchase_intent.models import CatalogueDay, Event
from purchase_intent.models.catalogue_day import COUNTS
from purchase_intent.scoring.freezing import day_start, freeze_day, freeze_days_due
from purchase_intent.sources.days import freeze_days
from purchase_intent.sources.orm import stored_events
from tests.integration.models.builders import event, session, visitor

pytestmark = pytest.mark.django_db

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


def quiet(step: str) -> None:
    """No progress shown."""


def told() -> list[tuple[Any, ...]]:
    return list(CatalogueDay.objects.order_by("day", "subject", "key").values_list("day", "subject", "key", *COUNTS))


def store(first: datetime) -> None:
    """Sessions of people and of a bot over 72 hours: over midnights, without category, with half a cent."""
    people = [visitor(f"v{number}") for number in range(3)]
    bot = visitor("crawler", bot="crawler")
    prices = (0.285, 1.005, 2.675, 10.0, None, 19.999, 0.0, 0.125)
    kinds = (EventName.VIEW, EventName.VIEW, EventName.CART, EventName.PAGE_VIEW, EventName.PURCHASE, EventName.VIEW)
    rows = []
    for turn in range(36):
        owner = bot if turn % 5 == 4 else people[turn % 3]
        within = session(owner, f"s{turn}", started_at=first, last_at=first)
        for step in range(6):
            when = first + 2 * turn * HOUR + step * timedelta(minutes=25, milliseconds=7 * turn)
            kind = kinds[(turn + step) % 6]
            rows.append(
                event(
                    within,
                    event_id=f"e{turn}-{step}",
                    occurred_at=when,
                    received_at=when,
                    sequence=step,
                    name=kind.value,
                    product=f"p{(turn + step) % 4}" if step else "",
                    category=f"c{turn % 2}" if turn % 3 else "",
                    price=prices[(turn * 6 + step) % 8],
                    order=f"o{turn}-{step}" if kind is EventName.PURCHASE else "",
                )
            )
    Event.objects.bulk_create(rows)


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        pytest.param("Europe/Berlin", datetime(2026, 3, 27, 20, tzinfo=UTC), id="the clock is put forward"),
        pytest.param("Europe/Berlin", datetime(2026, 10, 23, 20, tzinfo=UTC), id="the clock is put back"),
        pytest.param("America/Havana", datetime(2025, 10, 31, 20, tzinfo=UTC), id="midnight comes twice"),
        pytest.param("America/Sao_Paulo", datetime(2018, 11, 2, 20, tzinfo=UTC), id="midnight never comes"),
        pytest.param("America/St_Johns", datetime(2010, 11, 5, 20, tzinfo=UTC), id="back across midnight"),
        pytest.param("Pacific/Apia", datetime(2011, 12, 28, 20, tzinfo=UTC), id="a day that never was"),
    ],
)
def test_the_counts_are_those_of_an_import(zone: str, first: datetime, settings: Settings) -> None:
    settings.PURCHASE_INTENT = {"TIME_ZONE": zone}
    store(first)
    with stored_events(zone=zone, progress=quiet) as stored:
        freeze_days(stored, before=date(2100, 1, 1))
    wanted = told()
    assert len({row[0] for row in wanted}) >= 3
    assert sum(row[3] for row in wanted) > 100
    CatalogueDay.objects.all().delete()
    now = first + timedelta(days=6)
    for day in sorted({row[0] for row in wanted}):
        assert freeze_day(day, now=now) == len([row for row in wanted if row[0] == day])
        assert freeze_day(day, now=now) == 0
    assert told() == wanted


def test_a_day_that_goes_on_is_refused() -> None:
    store(datetime(2026, 3, 27, 20, tzinfo=UTC))
    with pytest.raises(DayNotOver, match="2026-03-28 is not over in Europe/Berlin"):
        freeze_day(date(2026, 3, 28), now=datetime(2026, 3, 28, 22, 59, 59, 999_000, tzinfo=UTC))
    assert told() == []
    assert freeze_day(date(2026, 3, 28), now=datetime(2026, 3, 28, 23, tzinfo=UTC)) > 0


def test_missed_nights_are_made_good_and_named(caplog: pytest.LogCaptureFixture) -> None:
    store(datetime(2026, 3, 27, 20, tzinfo=UTC))
    now = datetime(2026, 4, 2, 3, tzinfo=UTC)
    days = [date(2026, 3, 27) + timedelta(days=number) for number in range(6)]
    with caplog.at_level(logging.WARNING):
        assert freeze_days_due(now) == days
    assert "2026-03-27 to 2026-03-31 were not frozen" in caplog.text
    caplog.clear()
    assert freeze_days_due(now) == []
    assert freeze_days_due(now + timedelta(days=1)) == [date(2026, 4, 2)]
    assert caplog.text == ""
    empty = CatalogueDay.objects.get(day=date(2026, 4, 2))
    assert (empty.subject, empty.views, empty.sessions) == ("shop", 0, 0)


def test_a_run_that_is_killed_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    store(datetime(2026, 3, 27, 20, tzinfo=UTC))
    now = datetime(2026, 4, 2, 3, tzinfo=UTC)
    freeze_days_due(now)
    wanted = told()
    CatalogueDay.objects.all().delete()
    real = freeze_day
    calls: list[date] = []

    def failing(day: date, *, now: datetime) -> int:
        if len(calls) == 2:
            raise RuntimeError("killed")
        calls.append(day)
        return real(day, now=now)

    with monkeypatch.context() as patch:
        patch.setattr("purchase_intent.scoring.freezing.freeze_day", failing)
        with pytest.raises(RuntimeError, match="killed"):
            freeze_days_due(now)
    assert CatalogueDay.objects.latest_day() == date(2026, 3, 28)
    assert freeze_days_due(now)[0] == date(2026, 3, 29)
    assert told() == wanted


def test_no_more_than_the_window_of_facts_is_made_good() -> None:
    store(datetime(2026, 1, 1, 20, tzinfo=UTC))
    assert len(freeze_days_due(datetime(2026, 4, 2, 3, tzinfo=UTC))) == 28


def test_without_events_there_is_nothing_to_freeze() -> None:
    assert freeze_days_due(datetime(2026, 4, 2, 3, tzinfo=UTC)) == []
    assert told() == []


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        pytest.param("Europe/Berlin", date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC), id="forward"),
        pytest.param("Europe/Berlin", date(2026, 10, 26), datetime(2026, 10, 25, 23, tzinfo=UTC), id="back"),
        pytest.param("America/Havana", date(2025, 11, 2), datetime(2025, 11, 2, 4, tzinfo=UTC), id="twice"),
        pytest.param("America/Sao_Paulo", date(2018, 11, 4), datetime(2018, 11, 4, 3, tzinfo=UTC), id="never"),
    ],
)
def test_a_day_begins(zone: str, day: date, begins: datetime) -> None:
    assert day_start(day, ZoneInfo(zone)) == begins
