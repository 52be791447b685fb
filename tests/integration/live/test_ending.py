"""When a session ends and the next begins."""

from __future__ import annotations

from datetime import timedelta

import pytest

from purchase_intent.models import Session
from purchase_intent.sources.refold import Refolded
from purchase_intent.tracking.place import next_key
from purchase_intent.tracking.recorder import Journey, Recorded
from tests.integration.live.equality import differing
from tests.integration.live.walks import BEGIN, SENDER, act, counts, later

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("gap", "key"),
    [
        pytest.param(timedelta(minutes=30), "s1", id="half an hour on the dot"),
        pytest.param(timedelta(minutes=30, milliseconds=1), next_key("s1"), id="a millisecond more"),
    ],
)
def test_a_session_ends_after_half_an_idle_hour(gap: timedelta, key: str) -> None:
    Journey(SENDER).record([act(1, BEGIN)])
    assert Journey(SENDER).record([act(2, BEGIN + gap)]) == Recorded("v1", key, 1)


def test_a_session_ends_after_a_day_however_busy() -> None:
    for number in range(50):
        Journey(SENDER).record([act(number, later(minutes=29.5 * number))])
    assert dict(Session.objects.values_list("key", "started_at")) == {
        "s1": BEGIN,
        next_key("s1"): later(minutes=29.5 * 49),
    }


def test_two_tabs_that_come_back_share_the_next_session() -> None:
    Journey(SENDER).record([act(1, BEGIN)])
    one = Journey(SENDER).record([act(2, later(hours=1))])
    other = Journey(SENDER).record([act(3, later(hours=1, seconds=2))])
    assert one == other == Recorded("v1", next_key("s1"), 1)
    assert counts() == (1, 2, 3, 0)
    assert differing() == Refolded()


def test_a_late_event_and_a_page_of_today_are_two_visits() -> None:
    Journey(SENDER).record([act(1, BEGIN)])
    done = Journey(SENDER).record([act(2, later(hours=3)), act(3, later(minutes=5)), act(4, later(hours=3))])
    assert done == Recorded("v1", next_key("s1"), 3)
    sessions = Session.objects.order_by("started_at").values_list("key", "started_at", "last_at")
    assert list(sessions) == [("s1", BEGIN, later(minutes=5)), (next_key("s1"), later(hours=3), later(hours=3))]
    assert differing() == Refolded()
