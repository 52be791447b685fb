"""Scores written down: the latest on the session, each as a row, however often and in whatever order they come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from purchase_intent.models import ModelVersion, Score, Session, Visitor
from purchase_intent.scoring.answer import UNKNOWN, Intent, Standing
from purchase_intent.scoring.keeping import BATCH, keep_scores

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def sessions(count: int) -> list[Session]:
    owner = Visitor.objects.create(cookie="v", first_seen=NOON, last_seen=NOON)
    return Session.objects.bulk_create(
        Session(key=f"s{number}", visitor=owner, started_at=NOON, last_at=NOON) for number in range(count)
    )


def said(probability: float, *, minute: int = 0, model: ModelVersion | None = None, band: str = "") -> Intent:
    return Intent(
        standing=Standing.SCORED if model is not None else Standing.RULES,
        probability=probability,
        band=band,
        model=model.pk if model is not None else None,
        moment=NOON + timedelta(minutes=minute),
    )


def test_an_answer_is_written_to_the_session_and_as_a_row(champion: ModelVersion) -> None:
    [session] = sessions(1)
    assert keep_scores([(session, said(0.25, model=champion, band="top_5"))]) == 1
    session.refresh_from_db()
    assert (session.score, session.band, session.model, session.scored_at) == (0.25, "top_5", champion, NOON)
    assert session.version == 0
    row = Score.objects.get()
    assert (row.session, row.model, row.probability, row.band, row.moment) == (session, champion, 0.25, "top_5", NOON)


@pytest.mark.parametrize("minutes", [[1, 0], [0, 1]], ids=["the later first", "the later last"])
@pytest.mark.parametrize("at_once", [True, False], ids=["in one go", "one by one"])
def test_the_later_answer_stands(champion: ModelVersion, minutes: list[int], at_once: bool) -> None:
    [session] = sessions(1)
    scored = [(session, said(minute / 2, minute=minute, model=champion)) for minute in minutes]
    if at_once:
        keep_scores(scored)
    else:
        for pair in scored:
            keep_scores([pair])
    session.refresh_from_db()
    assert (session.score, session.scored_at) == (0.5, NOON + timedelta(minutes=1))
    assert Score.objects.count() == 2


def test_the_same_answers_again_change_nothing(champion: ModelVersion) -> None:
    scored = [(session, said(0.5, model=champion)) for session in sessions(3)]
    assert [keep_scores(scored), keep_scores(scored)] == [3, 3]
    assert Score.objects.count() == 3


def test_an_answer_by_rules_is_no_row_to_compare() -> None:
    [session] = sessions(1)
    assert keep_scores([(session, said(0.1))]) == 1
    session.refresh_from_db()
    assert (session.score, session.model) == (0.1, None)
    assert Score.objects.count() == 0


def test_no_answer_is_not_written() -> None:
    [session] = sessions(1)
    bought = Intent(standing=Standing.ALREADY_BOUGHT, moment=NOON)
    assert keep_scores([(session, UNKNOWN), (session, bought)]) == 0
    session.refresh_from_db()
    assert (session.score, session.scored_at) == (None, None)


def test_a_session_that_is_gone_is_left_out(champion: ModelVersion) -> None:
    gone, here = sessions(2)
    Session.objects.filter(pk=gone.pk).delete()
    assert keep_scores([(gone, said(0.5, model=champion)), (here, said(0.5, model=champion))]) == 1
    assert Score.objects.get().session == here


def test_thousands_are_written_in_few_statements(
    champion: ModelVersion, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    many = sessions(BATCH + 1)
    with django_assert_max_num_queries(40):
        written = keep_scores((each, said(place / 1000, model=champion)) for place, each in enumerate(many))
    assert written == BATCH + 1
    stored = list(Session.objects.order_by("pk").values_list("score", flat=True))
    assert stored == [place / 1000 for place in range(BATCH + 1)]
