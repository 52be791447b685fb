"""Sessions lived through once more: the decision points of training, as the live path saw them."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from purchase_intent.events import EventName
from purchase_intent.features.live import read_row
from purchase_intent.models import Event, Session, Visitor
from purchase_intent.scoring.rebuild import lived
from purchase_intent.watch.replay import chosen_sessions, replayed
from tests.integration.watch.conftest import END, Fill, event_of

pytestmark = pytest.mark.django_db


def test_each_moment_before_the_purchase_is_a_point_with_the_live_vector(fill: Fill) -> None:
    bought, left = fill(2, bought=1)
    found = replayed(chosen_sessions(END - timedelta(days=1), END))
    assert found.session_count == 2
    assert found.sessions.tolist() == [bought.pk] * 4 + [left.pk] * 5
    assert found.labels.tolist() == [1] * 4 + [0] * 5
    expected = [
        read_row(state, past, int(event.occurred_at.timestamp() * 1000))[0].tolist()
        for session in (bought, left)
        for event, state, past in lived(session)
        if event.name != EventName.PURCHASE.value
    ]
    assert found.vectors.tolist() == expected
    assert set(found.texts["category"].values()) == {"kitchen"}


def test_of_one_moment_the_last_event_counts(fill: Fill) -> None:
    (session,) = fill(1)
    at = Event.objects.in_order().last()
    assert at is not None
    event_of(session, EventName.SEARCH, at.occurred_at, 9).save()
    found = replayed([session.pk])
    assert len(found.moments) == len(set(found.moments.tolist())) == 5


def test_a_login_in_mid_session_is_lived_through_as_it_was(fill: Fill) -> None:
    (session,) = fill(1)
    event_of(session, EventName.LOGIN, session.started_at + timedelta(seconds=45), 9).save()
    found = replayed([session.pk])
    points = [read_row(state, past, int(event.occurred_at.timestamp() * 1000)) for event, state, past in lived(session)]
    assert found.vectors.tolist() == [row[0].tolist() for row in points]


def test_bots_open_sessions_and_other_days_are_left_out(fill: Fill) -> None:
    (kept,) = fill(1)
    fill(1, prefix="old", ago=timedelta(days=2))
    (still_open,) = fill(1, prefix="open")
    Session.objects.filter(pk=still_open.pk).update(closed_at=None, outcome="")
    fill(1, prefix="bot")
    Visitor.objects.filter(cookie="bot-visitor").update(bot="crawler")
    assert chosen_sessions(END - timedelta(days=1), END) == [kept.pk]


def test_of_many_sessions_some_are_chosen_evenly(fill: Fill) -> None:
    keys = [session.pk for session in fill(60)]
    found = chosen_sessions(END - timedelta(days=1), END, most=20)
    assert len(found) == 20
    assert {later - earlier for earlier, later in pairwise(found)} == {3}
    assert set(found) <= set(keys)


def test_nothing_is_chosen_of_nothing() -> None:
    assert chosen_sessions(END - timedelta(days=1), END) == []
    assert len(replayed([]).vectors) == 0
