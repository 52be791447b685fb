"""A session event by event: in order, with the answer after each, and bounded."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from purchase_intent.events import EventName, Page
from purchase_intent.models import Event, ModelVersion, Session, Stage
from purchase_intent.scoring.answer import Standing
from purchase_intent.scoring.rebuild import lived
from purchase_intent.scoring.score import answer
from purchase_intent.scoring.timeline import timeline
from tests.integration.models.builders import NOON
from tests.integration.scoring.recorded import BOUGHT, recorded

pytestmark = pytest.mark.django_db


def queries(session: Session) -> int:
    timeline(session)
    with CaptureQueriesContext(connection) as asked:
        timeline(session)
    return len(asked)


def test_each_event_has_the_session_right_after_it() -> None:
    line = timeline(recorded(*BOUGHT))
    assert [EventName(moment.event.name) for moment in line] == [name for _, name, _ in BOUGHT]
    assert [(moment.stage, moment.cart_units, moment.cart_value, moment.orders) for moment in line] == [
        (Stage.BROWSING, 0, 0.0, 0),
        (Stage.PRODUCT, 0, 0.0, 0),
        (Stage.CART, 2, 25.0, 0),
        (Stage.CART, 2, 25.0, 0),
        (Stage.CHECKOUT, 2, 25.0, 0),
        (Stage.BOUGHT, 0, 0.0, 1),
    ]
    assert [moment.intent.moment for moment in line] == [NOON + timedelta(seconds=second) for second, _, _ in BOUGHT]
    assert (len(line), line.more) == (6, 0)


def test_without_a_model_rules_answer_until_the_session_has_bought() -> None:
    line = timeline(recorded(*BOUGHT))
    assert [moment.intent.standing for moment in line] == [Standing.RULES] * 5 + [Standing.ALREADY_BOUGHT]
    assert line[5].intent.probability is None
    scores = [moment.intent.probability or 0 for moment in line.moments[:5]]
    assert scores == sorted(scores)
    assert scores[0] < scores[-1]


def test_its_end_is_what_the_session_answers() -> None:
    session = recorded(*BOUGHT[:5])
    assert timeline(session)[4].intent == answer(session.read_state(), session.read_past(), at=session.last_at)


def test_a_second_visit_knows_the_first() -> None:
    recorded(*BOUGHT, session="earlier")
    later = recorded((86_400, EventName.PAGE_VIEW, {}), (86_405, EventName.VIEW, {"product": "mug"}), session="later")
    assert later.read_past().purchases == 1
    assert timeline(later)[1].intent == answer(later.read_state(), later.read_past(), at=later.last_at)


def test_the_latest_events_are_kept_and_the_others_folded_and_counted() -> None:
    session = recorded(*BOUGHT)
    line = timeline(session, most=2)
    assert [EventName(moment.event.name) for moment in line] == [EventName.CHECKOUT, EventName.PURCHASE]
    assert (line.moments, line.more) == (timeline(session).moments[4:], 4)


def test_more_than_five_hundred_events_are_cut() -> None:
    line = timeline(recorded(*((second, EventName.PAGE_VIEW, {"page": Page.HOME}) for second in range(253))))
    assert (len(line), line.more) == (250, 3)
    assert line[0].event.occurred_at == NOON + timedelta(seconds=3)


def test_of_a_person_with_too_many_events_the_session_alone_is_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    session = recorded((0, EventName.VIEW, {"product": "p0"}), (9, EventName.LOGIN, {}), (19, EventName.CART, {}))
    among = timeline(session)
    with CaptureQueriesContext(connection) as whole:
        timeline(session)
    monkeypatch.setattr("purchase_intent.scoring.timeline.MOST_OF_PERSON", 2)
    with CaptureQueriesContext(connection) as alone:
        line = timeline(session)
    assert [moment.event.name for moment in line] == [moment.event.name for moment in among]
    assert line[-1] == among[-1]
    read = [[query["sql"] for query in asked if '"price"' in query["sql"]] for asked in (whole, alone)]
    assert ['"session_id" =' in sqls[-1].rpartition("WHERE")[2] for sqls in read] == [False, True]


def test_a_session_whose_events_are_pruned_has_no_moments() -> None:
    session = recorded(*BOUGHT[:1])
    Event.objects.filter(session=session).delete()
    assert timeline(session).moments == ()


def test_the_queries_do_not_grow_with_the_events() -> None:
    short = recorded((0, EventName.VIEW, {"product": "p0"}), visitor="short", session="short")
    long = recorded(*((second, EventName.VIEW, {"product": "p0"}) for second in range(60)), session="long")
    assert queries(short) == queries(long)


def test_the_champion_scores_them_all_in_one_batch_as_it_would_one_by_one(champion: ModelVersion) -> None:
    session = recorded(*BOUGHT)
    line = timeline(session)
    assert [moment.intent.standing for moment in line] == [Standing.SCORED] * 5 + [Standing.ALREADY_BOUGHT]
    assert {moment.intent.model for moment in line.moments[:5]} == {champion.pk}
    for (_, state, past), moment in zip(lived(session), line, strict=True):
        assert moment.intent == answer(state, past, at=moment.event.occurred_at)
