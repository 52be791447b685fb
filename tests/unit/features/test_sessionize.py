"""Sessions where the log has none: 30 minutes idle, 24 hours long, to the millisecond."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purchase_intent.features.history import sessionize
from tests.unit.features.streams import NOON

MINUTE = 60_000
IDLE, LONGEST = 30 * MINUTE, 24 * 60 * MINUTE


def numbers(times: list[int], visitors: list[int] | None = None) -> list[int]:
    found = sessionize(np.array(visitors or [5] * len(times), np.int64), NOON + np.array(times, np.int64))
    assert found.dtype == np.int64
    return [int(number) for number in found]


def every(step: int, until: int) -> list[int]:
    return list(range(0, until + 1, step))


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        pytest.param([0], [0], id="one event"),
        pytest.param([0, 0, 0], [0, 0, 0], id="one moment"),
        pytest.param([0, IDLE], [0, 0], id="thirty minutes idle stay"),
        pytest.param([0, IDLE + 1], [0, 1], id="one millisecond more splits"),
        pytest.param([0, IDLE, 2 * IDLE + 1], [0, 0, 1], id="idle counts from the latest event"),
        pytest.param(every(IDLE, LONGEST), [0] * 49, id="twenty-four hours stay"),
        pytest.param([*every(IDLE, LONGEST), LONGEST + 1], [*[0] * 49, 1], id="and one millisecond more splits"),
        pytest.param(
            [*every(IDLE, LONGEST), LONGEST + 1, LONGEST + 1 + IDLE],
            [*[0] * 49, 1, 1],
            id="the new session counts its own hours",
        ),
        pytest.param([0, 10**12], [0, 1], id="years later"),
    ],
)
def test_where_a_session_ends(times: list[int], expected: list[int]) -> None:
    assert numbers(times) == expected


def test_another_visitor_is_another_session_at_the_same_moment() -> None:
    assert numbers([0, 0, 0, 5, 5], [-3, -3, 8, 8, 2]) == [0, 0, 1, 1, 2]


def test_a_session_of_one_visitor_does_not_shorten_the_next_visitor_s() -> None:
    assert numbers([0, LONGEST, LONGEST, LONGEST + IDLE], [1, 1, 2, 2]) == [0, 1, 2, 2]


def test_no_events_have_no_sessions() -> None:
    assert numbers([], []) == []


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3 * LONGEST)), max_size=50))
@settings(deadline=None)
def test_every_session_keeps_both_rules_and_no_split_was_needless(events: list[tuple[int, int]]) -> None:
    events.sort()
    found = numbers([time for _, time in events], [visitor for visitor, _ in events]) if events else []
    sessions: dict[int, list[tuple[int, int]]] = {}
    for number, event in zip(found, events, strict=True):
        sessions.setdefault(number, []).append(event)
    assert list(sessions) == list(range(len(sessions)))
    before: list[tuple[int, int]] = []
    for session in sessions.values():
        times = [time for _, time in session]
        assert len({visitor for visitor, _ in session}) == 1
        assert times[-1] - times[0] <= LONGEST
        assert all(later - earlier <= IDLE for earlier, later in pairwise(times))
        if before and before[0][0] == session[0][0]:
            assert times[0] - before[-1][1] > IDLE or times[0] - before[0][1] > LONGEST
        before = session


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one visitor and one time"):
        sessionize(np.zeros(2, np.int64), np.zeros(3, np.int64))


@pytest.mark.parametrize(
    "call",
    [
        pytest.param("history.sessionize(numpy.zeros(1, 'i8'), numpy.zeros(1, 'i8'))", id="sessionize"),
        pytest.param(
            "history.replay(numpy.zeros(1, HIT), numpy.zeros(1, 'i8'), numpy.zeros(1, 'i8'))",
            id="replay",
        ),
    ],
)
def test_without_numba_the_error_says_what_to_install(call: str) -> None:
    script = f"""
import sys; sys.modules["numba"] = None
import numpy
from purchase_intent.exceptions import MissingExtra
from purchase_intent.features import history
from purchase_intent.features.hit import HIT
try:
    {call}
except MissingExtra as error:
    print(error, error.facts)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.strip() == (
        "numba is not installed: pip install 'django-purchase-intent[train]' {'extra': 'train', 'package': 'numba'}"
    )
