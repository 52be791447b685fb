"""What a page may know of its session before the request is recorded, and the score kept with it."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from purchase_intent.events import EventName
from purchase_intent.features.state import State
from purchase_intent.models import ModelVersion, Score, Session
from purchase_intent.scoring.answer import Intent, Standing
from purchase_intent.tracking.recorder import Journey
from tests.integration.live.walks import BEGIN, SENDER, act, later

pytestmark = pytest.mark.django_db


def test_foreseeing_writes_nothing_and_is_what_then_comes() -> None:
    Journey(SENDER).record([act(1, BEGIN, EventName.VIEW, product="p1", price=3.0)])
    for when in (later(minutes=1), later(hours=2)):
        journey, events = Journey(SENDER), [act(2, when, EventName.CART, product="p1", price=3.0)]
        before = list(Session.objects.values())
        foreseen = journey.foresee(events, at=when)
        assert list(Session.objects.values()) == before
        journey.record(events)
        session = Session.objects.get(last_at=when)
        assert (session.read_state(), session.read_past()) == (foreseen.state, foreseen.past)
        assert foreseen.session is None or foreseen.session.key == "s1"


def test_foreseeing_nothing_of_nobody_is_blank(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(2):
        foreseen = Journey(SENDER).foresee([], at=BEGIN)
    assert (foreseen.state, foreseen.session) == (State(), None)


@pytest.fixture
def version(db: None) -> ModelVersion:
    """Return a model version, good enough to point at."""
    return ModelVersion.objects.create(
        trained_from=BEGIN, trained_until=BEGIN, events=1, sessions=1, buyers=1, schema_hash="5" * 64
    )


@pytest.mark.parametrize("begins", [True, False], ids=["a session begins", "a session goes on"])
def test_a_score_is_kept_with_the_state_it_was_given_for(version: ModelVersion, begins: bool) -> None:
    if not begins:
        Journey(SENDER).record([act(1, BEGIN)])
    when = later(seconds=5)
    journey, events = Journey(SENDER), [act(2, when)]
    journey.foresee(events, at=when)
    given = Intent(standing=Standing.SCORED, probability=0.25, band="top_5", model=version.pk, moment=when)
    journey.record(events, score=given)
    session = Session.objects.get()
    assert (session.score, session.band, session.model, session.scored_at) == (0.25, "top_5", version, when)
    assert list(Score.objects.values_list("session", "probability", "moment")) == [(session.pk, 0.25, when)]


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([act(2, later(seconds=5)), act(3, later(seconds=5))], id="one more event than was foreseen"),
        pytest.param([act(2, later(seconds=6))], id="another moment"),
    ],
)
def test_a_score_given_for_another_state_is_not_kept(version: ModelVersion, events: list[Any]) -> None:
    Journey(SENDER).record([act(1, BEGIN)])
    journey = Journey(SENDER)
    journey.foresee([act(2, later(seconds=5))], at=later(seconds=5))
    given = Intent(standing=Standing.SCORED, probability=0.25, model=version.pk, moment=later(seconds=5))
    assert journey.record(events, score=given).added == len(events)
    assert (Session.objects.get().score, Score.objects.count()) == (None, 0)
