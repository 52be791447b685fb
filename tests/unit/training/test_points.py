"""Which moments are decision points, and what they are labelled."""

from __future__ import annotations

import numpy as np
import pytest

from purchase_intent.training.points import decision_points

VIEW, CART, PURCHASE = 4, 6, 11


def points(*events: tuple[int, int, int], finished_by: int = 1_000) -> list[tuple[int, int]]:
    time, session, kind = (np.array(column, np.int64) for column in zip(*events, strict=True))
    found = decision_points(time, session, kind, finished_by=finished_by)
    return list(zip(found.index.tolist(), found.label.tolist(), strict=True))


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([(1, 0, VIEW), (2, 0, VIEW)], [(0, 0), (1, 0)], id="no purchase"),
        pytest.param([(1, 0, VIEW), (2, 0, PURCHASE)], [(0, 1)], id="nothing from the purchase on"),
        pytest.param([(1, 0, PURCHASE), (2, 0, VIEW)], [], id="begins with the purchase"),
        pytest.param([(1, 0, VIEW), (1, 0, CART), (2, 0, PURCHASE)], [(1, 1)], id="the last event of a moment"),
        pytest.param([(1, 0, VIEW), (1, 0, PURCHASE)], [], id="a purchase in the same moment"),
        pytest.param([(1, 0, VIEW), (2, 0, PURCHASE), (3, 0, VIEW), (4, 0, PURCHASE)], [(0, 1)], id="two purchases"),
        pytest.param(
            [(1, 0, VIEW), (1, 1, VIEW), (2, 0, VIEW), (3, 1, PURCHASE)], [(0, 0), (2, 0), (1, 1)], id="interleaved"
        ),
        pytest.param([(1, 0, VIEW), (1_000, 0, VIEW), (5, 1, VIEW)], [(2, 0)], id="a session that may go on"),
    ],
)
def test_decision_points(events: list[tuple[int, int, int]], expected: list[tuple[int, int]]) -> None:
    assert points(*events) == expected


def test_no_events_no_points() -> None:
    empty = np.empty(0, np.int64)
    found = decision_points(empty, empty, empty, finished_by=1)
    assert (len(found.index), len(found.label)) == (0, 0)
