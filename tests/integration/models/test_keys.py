"""The key of an event: same input same key, nobody else's, in the order of time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purchase_intent.models.keys import (
    MOST_MILLISECONDS,
    event_key,
    first_key,
    month_after,
    month_keys,
    month_of,
)

NOON = 1_772_366_400_000  # 2026-03-01 12:00 UTC


def key(**changed: object) -> UUID:
    given = {"site": "", "visitor": "v1", "event_id": "e1", "milliseconds": NOON}
    return event_key(**given | changed)  # type: ignore[arg-type]


def test_a_key_is_what_it_was_and_will_be() -> None:
    assert key() == key() == UUID("019ca945-0a00-8774-95ed-4ed4bc0140e6")
    assert key().version == 8
    assert key().variant == "specified in RFC 4122"


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"site": "b"}, id="another site"),
        pytest.param({"visitor": "v2"}, id="another visitor"),
        pytest.param({"event_id": "e2"}, id="another event"),
        pytest.param({"milliseconds": NOON + 1}, id="another moment"),
        pytest.param({"visitor": "v", "event_id": "1e1"}, id="the parts cut elsewhere"),
        pytest.param({"site": "v1", "visitor": ""}, id="the parts moved along"),
    ],
)
def test_whatever_differs_makes_another_key(changed: dict[str, object]) -> None:
    assert key(**changed) != key()


def test_two_visitors_share_no_bit_of_the_hash_by_rule() -> None:
    theirs = {key(visitor=f"other-{number}").int & (2**76 - 1) for number in range(1000)}
    assert len(theirs) == 1000
    assert key().int & (2**76 - 1) not in theirs


@given(st.integers(0, MOST_MILLISECONDS - 1), st.text(), st.text())
def test_keys_sort_by_time_as_numbers_and_as_text(moment: int, one: str, other: str) -> None:
    earlier = event_key(site="", visitor="v", event_id=one.encode("utf-8", "replace").decode(), milliseconds=moment)
    later = event_key(site="", visitor="v", event_id=other.encode("utf-8", "replace").decode(), milliseconds=moment + 1)
    assert earlier < later
    assert earlier.hex < later.hex


@pytest.mark.parametrize(
    ("given", "held"),
    [pytest.param(-1, 0, id="before 1970"), pytest.param(2**60, MOST_MILLISECONDS, id="beyond the last")],
)
def test_a_clock_set_to_nonsense_still_gives_a_key(given: int, held: int) -> None:
    assert key(milliseconds=given) == key(milliseconds=held)


def test_a_month_is_a_range_of_keys() -> None:
    low, high = month_keys(date(2026, 2, 17))
    assert (low, high) == (
        UUID("019c167f-cc00-0000-0000-000000000000"),
        UUID("019ca6b1-dc00-0000-0000-000000000000"),
    )
    begin, end = 1_769_904_000_000, 1_772_323_200_000
    assert low.int >> 80 == begin
    assert high.int >> 80 == end
    assert key(milliseconds=begin - 1) < low <= key(milliseconds=begin) < key(milliseconds=end - 1) < high
    assert high <= key(milliseconds=end)
    assert month_keys(date(2026, 3, 1))[0] == high


@pytest.mark.parametrize(
    ("month", "after"), [(date(2026, 1, 31), date(2026, 2, 1)), (date(2026, 12, 1), date(2027, 1, 1))]
)
def test_the_month_after(month: date, after: date) -> None:
    assert month_after(month) == after


def test_months_are_those_of_utc() -> None:
    west = timezone(timedelta(hours=-5))
    assert month_of(datetime(2026, 2, 28, 20, tzinfo=west)) == date(2026, 3, 1)
    assert first_key(datetime(2026, 2, 28, 20, tzinfo=west)) == first_key(datetime(2026, 3, 1, 1, tzinfo=UTC))
