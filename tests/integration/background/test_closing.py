"""Sessions close once, with their outcome, and what was said of them is compared with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from purchase_intent.events import EventName
from purchase_intent.models import ModelVersion, Outcome, Score, Session, Visitor
from purchase_intent.models.score import CalibrationBin
from purchase_intent.models.session import IDLE
from purchase_intent.scoring import closing
from purchase_intent.scoring.closing import Closed, close_sessions
from purchase_intent.signals import session_closed
from tests.integration.background.conftest import Browse
from tests.integration.models.builders import NOON, minutes, visitor

pytestmark = pytest.mark.django_db(transaction=True)

VIEW, CART, PURCHASE = EventName.VIEW, EventName.CART, EventName.PURCHASE
LATER = NOON + timedelta(hours=2)


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """The sessions that were said to be closed."""
    keys: list[str] = []

    def hear(sender: Any, session: Session, **kwargs: Any) -> None:
        keys.append(f"{session.key} {session.outcome}")

    session_closed.connect(hear)
    yield keys
    session_closed.disconnect(hear)


def score(version: ModelVersion, moment: datetime, probability: float = 0.1, **subject: Any) -> Score:
    return Score.objects.create(model=version, moment=moment, probability=probability, **subject)


def judged() -> list[bool | None]:
    return list(Score.objects.order_by("moment", "pk").values_list("came_true", flat=True))


def test_sessions_that_have_ended_are_closed_with_their_outcome(browse: Browse, heard: list[str]) -> None:
    owner = visitor()
    buys = browse(owner, "buys", VIEW, CART, PURCHASE)
    leaves = browse(owner, "leaves", VIEW, begin=minutes(5))
    goes_on = browse(owner, "goes on", VIEW, begin=LATER - IDLE)
    assert close_sessions(LATER) == Closed(bought=1, left=1)
    assert close_sessions(LATER) == Closed()
    for row in (buys, leaves, goes_on):
        row.refresh_from_db()
    assert (buys.outcome, buys.closed_at) == (Outcome.BOUGHT, minutes(2) + IDLE)
    assert (leaves.outcome, leaves.closed_at) == (Outcome.LEFT, minutes(5) + IDLE)
    assert (goes_on.outcome, goes_on.closed_at) == (Outcome.OPEN, None)
    assert sorted(heard) == ["buys bought", "leaves left"]
    assert Visitor.objects.get().last_seen == minutes(5)


def test_a_session_that_goes_on_meanwhile_is_left_alone(
    browse: Browse, version: ModelVersion, heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = browse(visitor(), "s1", VIEW)
    score(version, NOON, session=idle)
    real = closing._close

    def beaten(keys: list[int], now: datetime, done: Closed) -> None:
        assert Session.objects.swap(Session.objects.get(pk=keys[0]), last_at=LATER)
        real(keys, now, done)

    monkeypatch.setattr(closing, "_close", beaten)
    assert close_sessions(LATER) == Closed(busy=1)
    idle.refresh_from_db()
    assert (idle.outcome, idle.closed_at, idle.last_at) == (Outcome.OPEN, None, LATER)
    assert (judged(), heard) == ([None], [])


def test_scores_come_true_where_the_session_bought_later(browse: Browse, version: ModelVersion) -> None:
    buys = browse(visitor(), "buys", VIEW, CART, PURCHASE, VIEW)
    leaves = browse(visitor("v2"), "leaves", VIEW)
    for minute in (0, 1, 2, 3):
        score(version, minutes(minute), session=buys)
    score(version, minutes(9), session=leaves)
    assert close_sessions(LATER) == Closed(bought=1, left=1, judged=5)
    assert judged() == [True, True, False, False, False]
    assert close_sessions(LATER).judged == 0


def test_a_score_written_too_late_is_judged_by_the_next_run(browse: Browse, version: ModelVersion) -> None:
    buys = browse(visitor(), "buys", VIEW, PURCHASE)
    close_sessions(LATER)
    score(version, NOON, session=buys)
    assert close_sessions(LATER) == Closed(judged=1)
    assert judged() == [True]


def test_a_visitors_score_is_judged_by_the_first_session_begun_after_it(browse: Browse, version: ModelVersion) -> None:
    owner = visitor()
    browse(owner, "before", PURCHASE)
    early = score(version, minutes(-1), visitor=owner)
    asked = score(version, minutes(1), visitor=owner)
    other = score(version, minutes(1), visitor=visitor("other"))
    assert close_sessions(LATER) == Closed(bought=1, judged=1)
    browse(owner, "first", VIEW, begin=minutes(200))
    browse(owner, "second", PURCHASE, begin=minutes(210))
    assert close_sessions(minutes(400)) == Closed(bought=1, left=1, judged=1)
    for row in (early, asked, other):
        row.refresh_from_db()
    assert (early.came_true, asked.came_true, other.came_true) == (True, False, None)


def test_a_run_that_is_killed_goes_on_where_it_was(
    browse: Browse, version: ModelVersion, heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        made = browse(visitor(f"v{number}"), f"s{number}", VIEW, PURCHASE, begin=minutes(number))
        score(version, minutes(number), session=made)
    real, calls = closing._judge, iter(range(9))

    def failing(ended: Any) -> int:
        if next(calls) == 1:
            raise RuntimeError("killed")
        return real(ended)

    monkeypatch.setattr(closing, "AT_ONCE_HEARD", 2)
    with monkeypatch.context() as patch:
        patch.setattr(closing, "_judge", failing)
        with pytest.raises(RuntimeError, match="killed"):
            close_sessions(LATER)
    assert judged() == [True, True, None, None, None]
    assert Session.objects.open().count() == 3
    assert close_sessions(LATER) == Closed(bought=3, judged=3)
    assert heard == [f"s{number} bought" for number in range(5)]


def test_a_run_is_bounded_and_begins_with_the_oldest(browse: Browse) -> None:
    owner = visitor()
    for number in range(3):
        browse(owner, f"s{number}", VIEW, begin=minutes(-number))
    assert close_sessions(LATER, most=2).left == 2
    assert Session.objects.open().get().key == "s0"


def test_scores_against_what_happened(version: ModelVersion) -> None:
    owner = visitor()
    told = ((0.015, True), (0.019, False), (0.5, True), (1.0, True), (0.03, None))
    for minute, (probability, came_true) in enumerate(told):
        score(version, minutes(minute), probability, visitor=owner, came_true=came_true)
    found = Score.objects.calibration()
    assert found[0].mean == pytest.approx(0.017)
    assert found == [
        CalibrationBin(0.01, 0.02, 2, found[0].mean, 0.5),
        CalibrationBin(0.4, 0.6, 1, 0.5, 1.0),
        CalibrationBin(0.8, 1.0, 1, 1.0, 1.0),
    ]
