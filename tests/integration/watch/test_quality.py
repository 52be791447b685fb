"""The checks of a day's events: each passes on a sound day, and fails on its own fault alone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from purchase_intent.events import EventName
from purchase_intent.models import CatalogueDay, Event, Refusal, Visitor
from purchase_intent.watch.quality import check_events
from tests.integration.watch.conftest import END, Fill, event_of

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 30)


@pytest.fixture
def sound(fill: Fill) -> Fill:
    """Five Mondays alike, the week before the day, and a catalogue that knows the goods."""
    for week in range(1, 6):
        fill(20, prefix=f"w{week}-", ago=timedelta(weeks=week, hours=2))
    for back in range(1, 20):
        when = DAY - timedelta(days=back)
        CatalogueDay.objects.create(day=when, subject="shop")
        CatalogueDay.objects.create(day=when, subject="product", key="kettle", views=9)
        CatalogueDay.objects.create(day=when, subject="category", key="kitchen", views=9)
    return fill


def checks(day: date = DAY) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in check_events(day)["checks"]}


def failed(found: dict[str, dict[str, Any]]) -> list[str]:
    return sorted(name for name, check in found.items() if check["passed"] is False)


def test_a_sound_day_passes_every_check(sound: Fill) -> None:
    sound(20)
    found = check_events(DAY)
    assert (found["events"], found["score"], found["refused"]) == (100, 100.0, [])
    assert {check["passed"] for check in found["checks"]} == {True}
    assert checks()["volume"]["said"] == "100 events, as usual for a Monday: the median of 4 weeks is 100."


@pytest.mark.parametrize(
    ("count", "said"),
    [pytest.param(5, "far fewer than usual", id="fewer"), pytest.param(60, "far more than usual", id="more")],
)
def test_a_volume_out_of_order_is_seen(sound: Fill, count: int, said: str) -> None:
    sound(count)
    assert failed(checks()) == ["volume"]
    assert said in checks()["volume"]["said"]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        pytest.param({"product": ""}, "no_product", id="no product"),
        pytest.param({"price": None}, "no_price", id="no price"),
        pytest.param({"category": ""}, "no_category", id="no category"),
        pytest.param({"device": ""}, "no_device", id="no device"),
        pytest.param({"channel": ""}, "no_channel", id="no channel"),
        pytest.param({"category": "moon"}, "unknown_category", id="unknown category"),
        pytest.param({"product": "rock"}, "unknown_product", id="unknown product"),
        pytest.param({"price": 0.0}, "price_zero", id="free"),
        pytest.param({"price": 39.0}, "price_level", id="dearer"),
        pytest.param({"price": 10.0}, "price_level", id="cheaper"),
    ],
)
def test_each_fault_fails_its_own_check(sound: Fill, fields: dict[str, Any], name: str) -> None:
    sound(20, **fields)
    assert failed(checks()) == [name]


def test_one_absurd_price_is_seen(sound: Fill) -> None:
    session = sound(20)[0]
    event_of(session, EventName.CART, session.last_at + timedelta(seconds=1), 9, price=1950.0).save()
    assert failed(checks()) == ["price_top"]
    assert "100.0 times that of the week before" in checks()["price_top"]["said"]


@pytest.mark.parametrize(
    ("lag", "name"),
    [pytest.param(timedelta(hours=2), "late", id="late"), pytest.param(timedelta(minutes=-2), "future", id="future")],
)
def test_clocks_are_looked_at(sound: Fill, lag: timedelta, name: str) -> None:
    sound(20)
    for event in Event.objects.filter(occurred_at__gte=END - timedelta(days=1))[:5]:
        Event.objects.filter(pk=event.pk).update(received_at=event.occurred_at + lag)
    assert failed(checks()) == [name]


def test_events_told_twice_under_another_id_are_seen(sound: Fill) -> None:
    for session in sound(20)[:5]:
        event_of(session, EventName.PAGE_VIEW, session.started_at, 8, event_id="again").save()
    assert failed(checks()) == ["twice"]
    assert checks()["twice"]["figure"] == round(5 / 105, 5)


def test_refusals_are_counted_by_reason(sound: Fill) -> None:
    sound(20)
    noon = END - timedelta(hours=12)
    Refusal.objects.create(moment=noon, reason="bad_price", field="price", count=3)
    Refusal.objects.create(moment=noon, reason="bad_price", field="price", count=2)
    Refusal.objects.create(moment=noon - timedelta(days=1), reason="bad_price", field="price", count=90)
    found = check_events(DAY)
    assert found["refused"] == [{"reason": "bad_price", "field": "price", "count": 5}]
    assert failed(checks()) == ["refused"]
    assert "bad_price (price) 5" in checks()["refused"]["said"]
    assert found["score"] == round(100 * 14 / 15, 1)


def test_what_a_shop_never_tells_is_no_fault_of_today(fill: Fill) -> None:
    for week in range(1, 6):
        fill(20, prefix=f"w{week}-", ago=timedelta(weeks=week, hours=2), channel="")
    fill(20, channel="")
    assert checks()["no_channel"]["passed"] is True
    assert "100% in the week before" in checks()["no_channel"]["said"]


def test_a_first_day_says_what_is_missing(fill: Fill) -> None:
    fill(20)
    found = checks()
    assert found["volume"]["passed"] is None
    assert "Too few weeks yet to say whether that is usual: 0 of 3." in found["volume"]["said"]
    assert found["unknown_category"]["said"] == "Unknown category: too few days counted yet, 0 of 7."


def test_no_events_make_no_score() -> None:
    found = check_events(DAY)
    assert (found["events"], found["score"]) == (0, None)
    assert {check["passed"] for check in found["checks"]} == {None}


def test_bots_are_not_counted(sound: Fill) -> None:
    sound(20)
    sound(20, prefix="bot", price=0.0)
    Visitor.objects.filter(cookie="bot-visitor").update(bot="crawler")
    assert check_events(DAY)["events"] == 100
    assert failed(checks()) == []


def test_the_day_is_the_shops_own(fill: Fill, settings: Any) -> None:
    settings.PURCHASE_INTENT = {"TIME_ZONE": "Asia/Tokyo"}
    (session,) = fill(1, ago=timedelta(hours=2))
    assert session.last_at == datetime.fromisoformat("2026-03-30T22:00:00+00:00")
    assert check_events(date(2026, 3, 31))["events"] == 5
    assert check_events(DAY)["events"] == 0
