"""A score of the week is judged when the week is over, by orders, wherever a login has led."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from purchase_intent.events import EventName
from purchase_intent.models import Horizon, ModelVersion, Order, Score, Session, Visitor
from purchase_intent.scoring.closing import close_sessions
from purchase_intent.scoring.judging import judge_weeks
from tests.integration.background.conftest import Browse
from tests.integration.models.builders import NOON, visitor

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
WEEK = 7 * DAY


@pytest.fixture
def week(version: ModelVersion) -> ModelVersion:
    """A champion of the week on record."""
    version.horizon = Horizon.WEEK
    version.save()
    return version


def said(model: ModelVersion, owner: Visitor, moment: datetime = NOON) -> Score:
    made: Score = Score.objects.create(model=model, visitor=owner, probability=0.1, moment=moment)
    return made


def ordered(owner: Visitor, number: str, at: datetime, session: Session | None = None) -> None:
    Order.objects.create(number=number, visitor=owner, session=session, revenue=9, placed_at=at)


@pytest.mark.parametrize(
    ("after", "came_true"),
    [
        pytest.param(timedelta(0), False, id="at the moment itself"),
        pytest.param(timedelta(seconds=1), True, id="right after"),
        pytest.param(WEEK, True, id="at the very end"),
        pytest.param(WEEK + timedelta(seconds=1), False, id="too late"),
        pytest.param(None, False, id="never"),
    ],
)
def test_an_order_within_seven_days(week: ModelVersion, after: timedelta | None, came_true: bool) -> None:
    owner = visitor("v1")
    score = said(week, owner)
    if after is not None:
        ordered(owner, "o1", NOON + after)
    assert judge_weeks(NOON + WEEK - timedelta(seconds=1)) == 0
    assert judge_weeks(NOON + WEEK) == 1
    score.refresh_from_db()
    assert score.came_true is came_true
    assert judge_weeks(NOON + 2 * WEEK) == 0


def test_an_order_counts_for_whom_the_session_was_of_before_a_login(week: ModelVersion, browse: Browse) -> None:
    anonymous, customer, other = visitor("anonymous"), visitor("customer", known=True), visitor("other")
    session = browse(anonymous, "s1", EventName.VIEW, EventName.CART, begin=NOON + DAY)
    session.visitor = customer
    session.save()
    ordered(customer, "o1", NOON + DAY + timedelta(minutes=5), session)
    scores = [said(week, each) for each in (anonymous, customer, other)]
    assert judge_weeks(NOON + WEEK) == 3
    assert [Score.objects.get(pk=each.pk).came_true for each in scores] == [True, True, False]


def test_the_end_of_the_next_visit_judges_no_score_of_the_week(week: ModelVersion, browse: Browse) -> None:
    owner = visitor("v1")
    score = said(week, owner)
    browse(owner, "s1", EventName.VIEW, begin=NOON + timedelta(hours=1))
    close_sessions(NOON + DAY)
    score.refresh_from_db()
    assert score.came_true is None


def test_a_run_that_was_killed_goes_on_where_it_was(week: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    from purchase_intent.scoring import judging

    monkeypatch.setattr(judging, "AT_ONCE", 2)
    for number in range(5):
        said(week, visitor(f"v{number}"))

    def killed(step: str) -> None:
        raise RuntimeError(step)

    with pytest.raises(RuntimeError, match="judging scores of the week: 2"):
        judge_weeks(NOON + WEEK, progress=killed)
    assert Score.objects.judged().count() == 2
    assert judge_weeks(NOON + WEEK) == 3
