"""Records as bytes: those of their row in a structured array, there and back."""

from __future__ import annotations

import struct
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from purchase_intent.features.hit import FACTS, HIT, Hit
from purchase_intent.features.past import copy_past
from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT, Layout, Past, State
from tests.unit.features.streams import Shop

LAYOUTS = [pytest.param(STATE_LAYOUT, State, id="state"), pytest.param(PAST_LAYOUT, Past, id="past")]
INTEGERS = st.integers(-(2**63), 2**63 - 1)


def values_of(record: type[Any]) -> st.SearchStrategy[Any]:
    """A record with anything in its fields that 64 bits can hold."""
    columns = {}
    for item in fields(record):
        one = st.floats() if "float" in str(item.type) else INTEGERS
        length = item.metadata.get("length")
        columns[item.name] = st.lists(one, min_size=length, max_size=length) if length else one
    return st.builds(record, **columns)


@given(values_of(State))
def test_a_state_is_the_bytes_of_its_row_and_comes_back(state: State) -> None:
    agree(STATE_LAYOUT, state)


@given(values_of(Past))
def test_a_past_is_the_bytes_of_its_row_and_comes_back(past: Past) -> None:
    agree(PAST_LAYOUT, past)


def agree(layout: Any, record: Any) -> None:
    data = layout.dumps(record)
    row = np.zeros(1, layout.dtype)
    for item in fields(record):
        row[item.name] = getattr(record, item.name)
    assert data == row.tobytes()
    again = layout.loads(data)
    assert layout.dumps(again) == data
    assert [type(getattr(again, item.name)) for item in fields(record)] == [
        type(getattr(record, item.name)) for item in fields(record)
    ]


@pytest.mark.parametrize(("layout", "record"), LAYOUTS)
def test_a_new_record_is_all_zeros_as_new_memory_is(layout: Layout[Any], record: type[Any]) -> None:
    assert layout.dumps(record()) == bytes(layout.size)
    assert layout.loads(bytes(layout.size)) == record()


@pytest.mark.parametrize(("layout", "record"), LAYOUTS)
@pytest.mark.parametrize("change", [-1, 1, 8])
def test_bytes_of_another_length_are_refused(layout: Layout[Any], record: type[Any], change: int) -> None:
    with pytest.raises(ValueError, match=rf"^{record.__name__} has {layout.size} bytes, not {layout.size + change}$"):
        layout.loads(bytes(layout.size + change))


@pytest.mark.parametrize(("layout", "record"), LAYOUTS)
def test_no_bytes_are_refused(layout: Layout[Any], record: type[Any]) -> None:
    with pytest.raises(ValueError, match=r"not 0$"):
        layout.loads(b"")


def test_a_number_beyond_64_bits_does_not_wrap() -> None:
    with pytest.raises(struct.error):
        STATE_LAYOUT.dumps(State(events=2**63))


@pytest.mark.parametrize("layout", [STATE_LAYOUT, PAST_LAYOUT])
def test_every_field_has_64_bits_and_no_gap_lies_between_them(layout: Layout[Any]) -> None:
    names = layout.dtype.names or ()
    assert {layout.dtype[name].base.str for name in names} <= {"<i8", "<f8"}
    assert sum(layout.dtype[name].itemsize for name in names) == layout.size


def test_what_a_session_stores_stays_a_few_hundred_bytes() -> None:
    assert STATE_LAYOUT.size <= 1024
    assert PAST_LAYOUT.size <= 512


def test_a_row_of_history_has_the_fields_of_a_hit_in_its_order() -> None:
    assert HIT.names == tuple(item.name for item in fields(Hit))
    assert np.array([tuple(getattr(Hit(), name) for name in HIT.names or ())], HIT).tobytes() == bytes(HIT.itemsize)
    assert HIT.itemsize == 8 * len(fields(Hit))


def test_the_facts_are_the_counts_at_the_end_of_a_hit() -> None:
    assert HIT.names is not None
    assert HIT.names[-len(FACTS) :] == FACTS
    assert HIT.names[-len(FACTS) - 1] == "weekday"


@given(values_of(Past), values_of(Past))
def test_a_copied_past_is_equal_and_shares_no_list(source: Past, target: Past) -> None:
    copy_past(target, source)
    assert PAST_LAYOUT.dumps(target) == PAST_LAYOUT.dumps(source)
    assert target.starts is not source.starts
    assert target.ring is not source.ring


def test_a_new_session_reads_the_past_and_not_a_live_view_of_it() -> None:
    shop = Shop()
    shop.send("ann", "a1", 1, 0)  # type: ignore[arg-type]
    shop.send("ann", "a2", 1, 10)  # type: ignore[arg-type]
    shop.journeys.tables.pasts[0].sessions = 99
    assert shop.journeys.tables.seen[1].sessions == 1
