"""From an event to numbers: local time, milliseconds, hashes, facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purchase_intent.events import Event, EventName, Page, key_hash
from purchase_intent.features.encode import encode, milliseconds
from purchase_intent.features.hit import FACTS, Hit

NEW_YORK, BERLIN = ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin")


def event_at(moment: datetime, **values: object) -> Event:
    given_ = {"event_id": "e1", "name": EventName.PAGE_VIEW, "occurred_at": moment, "visitor": "ann", **values}
    return Event(**given_)  # type: ignore[arg-type]


def local(moment: str, zone: str) -> tuple[int, int]:
    hit = encode(event_at(datetime.fromisoformat(moment)), zone=ZoneInfo(zone), facts={})
    return hit.hour, hit.weekday


@pytest.mark.parametrize(
    ("moment", "zone", "expected"),
    [
        pytest.param("2026-01-05T00:00:00Z", "UTC", (0, 0), id="a Monday at midnight"),
        pytest.param("2026-01-04T23:59:59.999999Z", "UTC", (23, 6), id="the Sunday before"),
        pytest.param("2026-03-08T06:59:59Z", "America/New_York", (1, 6), id="spring: the last winter second"),
        pytest.param("2026-03-08T07:00:00Z", "America/New_York", (3, 6), id="spring: two o'clock is three"),
        pytest.param("2026-11-01T05:30:00Z", "America/New_York", (1, 6), id="autumn: half past one, summer time"),
        pytest.param("2026-11-01T06:30:00Z", "America/New_York", (1, 6), id="autumn: half past one, once more"),
        pytest.param("2026-11-01T07:00:00Z", "America/New_York", (2, 6), id="autumn: and then two"),
        pytest.param("2026-03-29T00:59:59Z", "Europe/Berlin", (1, 6), id="Berlin before the change"),
        pytest.param("2026-03-29T01:00:00Z", "Europe/Berlin", (3, 6), id="Berlin after it"),
        pytest.param("2026-10-25T00:30:00Z", "Europe/Berlin", (2, 6), id="Berlin: half past two"),
        pytest.param("2026-10-25T01:30:00Z", "Europe/Berlin", (2, 6), id="Berlin: half past two again"),
        pytest.param("2026-06-30T18:30:00Z", "Asia/Kolkata", (0, 2), id="half an hour makes it Wednesday"),
        pytest.param("2026-06-30T18:29:59Z", "Asia/Kolkata", (23, 1), id="one second less is Tuesday"),
        pytest.param("2026-06-30T18:15:00Z", "Asia/Kathmandu", (0, 2), id="three quarters of an hour"),
        pytest.param("2026-04-04T15:00:00Z", "Australia/Lord_Howe", (1, 6), id="a change by half an hour, once"),
        pytest.param("2026-04-04T15:30:00Z", "Australia/Lord_Howe", (2, 6), id="and half an hour on"),
        pytest.param("2011-12-30T09:59:59Z", "Pacific/Apia", (23, 3), id="Samoa on Thursday night"),
        pytest.param("2011-12-30T10:00:00Z", "Pacific/Apia", (0, 5), id="and then on Saturday: Friday never was"),
    ],
)
def test_hour_and_weekday_are_the_shop_s(moment: str, zone: str, expected: tuple[int, int]) -> None:
    assert local(moment, zone) == expected


@given(
    st.datetimes(datetime(1995, 1, 2), datetime(2099, 12, 30)),  # noqa: DTZ001 - the zone comes next
    st.sampled_from(["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Apia"]),
    st.sampled_from(["UTC", "America/Los_Angeles", "Asia/Tokyo", "Australia/Lord_Howe"]),
)
def test_the_zone_in_which_an_event_was_written_does_not_matter(moment: datetime, shop: str, sender: str) -> None:
    utc = moment.replace(tzinfo=UTC)
    elsewhere = utc.astimezone(ZoneInfo(sender))
    here = encode(event_at(utc), zone=ZoneInfo(shop), facts={})
    assert encode(event_at(elsewhere), zone=ZoneInfo(shop), facts={}) == here
    wall = utc.astimezone(ZoneInfo(shop))
    assert (here.hour, here.weekday) == (wall.hour, wall.weekday())


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        pytest.param(datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC), 1_000_000_000_000, id="whole seconds"),
        pytest.param(datetime(2001, 9, 9, 1, 46, 40, 999, tzinfo=UTC), 1_000_000_000_000, id="less than one"),
        pytest.param(datetime(2001, 9, 9, 1, 46, 40, 1000, tzinfo=UTC), 1_000_000_000_001, id="exactly one"),
        pytest.param(datetime(2001, 9, 9, 1, 46, 40, 999_999, tzinfo=UTC), 1_000_000_000_999, id="rounded down"),
        pytest.param(datetime(2099, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), 4_102_444_799_999, id="the last one"),
        pytest.param(
            datetime(2001, 9, 9, 1, 46, 40, tzinfo=timezone(timedelta(microseconds=1500))),
            999_999_999_998,
            id="a zone of odd microseconds",
        ),
        pytest.param(
            datetime(2001, 9, 9, 1, 46, 40, 250_000, tzinfo=timezone(timedelta(microseconds=-500_000))),
            1_000_000_000_750,
            id="a zone of half a second",
        ),
    ],
)
def test_milliseconds_are_exact_and_rounded_down(moment: datetime, expected: int) -> None:
    assert milliseconds(event_at(moment)) == expected


@given(st.integers(788_918_400_000_000, 4_102_444_799_999_999))
def test_every_microsecond_falls_into_its_millisecond(microseconds: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    assert milliseconds(event_at(moment)) == microseconds // 1000


def test_every_field_reaches_its_place() -> None:
    facts = {name: number for number, name in enumerate(FACTS, start=100)}
    event = event_at(
        datetime(2026, 1, 10, 12, 0, tzinfo=UTC),
        name=EventName.CART,
        page=Page.LISTING,
        session="s",
        product="p",
        category="c",
        brand="b",
        price=12,
        quantity=3,
        device="d",
        channel="ch",
        country="co",
    )
    hit = encode(event, zone=BERLIN, facts=facts)
    assert hit == Hit(
        time=1_768_046_400_000,
        kind=6,
        page=2,
        product=key_hash("p"),
        category=key_hash("c"),
        brand=key_hash("b"),
        device=key_hash("d"),
        channel=key_hash("ch"),
        country=key_hash("co"),
        price=12.0,
        quantity=3,
        hour=13,
        weekday=5,
        **facts,
    )
    assert type(hit.price) is float


def test_what_an_event_does_not_name_is_zero() -> None:
    hit = encode(event_at(datetime(2026, 1, 5, tzinfo=UTC)), zone=NEW_YORK, facts={})
    assert hit == Hit(time=1_767_571_200_000, kind=1, hour=19, weekday=6)


def test_the_page_is_the_one_the_event_implies_unless_it_names_one() -> None:
    moment = datetime(2026, 1, 5, tzinfo=UTC)
    assert encode(event_at(moment, name=EventName.VIEW), zone=BERLIN, facts={}).page == Page.PRODUCT
    assert encode(event_at(moment, name=EventName.VIEW, page=Page.OTHER), zone=BERLIN, facts={}).page == Page.OTHER


def test_a_fact_nobody_knows_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match="weather"):
        encode(event_at(datetime(2026, 1, 5, tzinfo=UTC)), zone=BERLIN, facts={"weather": 1})


# Hashes

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(st.lists(TEXTS.filter(bool), min_size=1, max_size=20))
@settings(deadline=None)
def test_a_hash_is_the_one_of_the_database(texts: list[str]) -> None:
    with duckdb.connect() as connection:
        rows = connection.execute("SELECT md5_number_lower(unnest(?::VARCHAR[]))", [texts]).fetchall()
    for text, (number,) in zip(texts, rows, strict=True):
        assert key_hash(text) == (number - 2**64 if number >= 2**63 else number or 1)


@given(TEXTS)
def test_a_hash_fits_64_bits_and_is_zero_for_nothing_only(text: str) -> None:
    number = key_hash(text)
    assert -(2**63) <= number < 2**63
    assert (number == 0) == (text == "")


@pytest.mark.parametrize(
    ("text", "number"), [(None, 0), ("", 0), ("abc", 8250560606382298838), ("b", -8117965422732716230)]
)
def test_a_hash_never_changes(text: str | None, number: int) -> None:
    assert key_hash(text) == number
