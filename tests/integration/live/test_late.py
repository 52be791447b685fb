"""Events that arrive after later ones, and states that have to be folded again."""

from __future__ import annotations

import pytest

from purchase_intent.events import EventName
from purchase_intent.models import Event, Session, Visitor
from purchase_intent.sources.refold import Refolded
from purchase_intent.tracking.recorder import Journey, Recorded, Sender
from tests.integration.live.equality import differing
from tests.integration.live.walks import BEGIN, SENDER, Browser, act, later

pytestmark = pytest.mark.django_db


def test_a_late_event_is_counted_where_it_belongs() -> None:
    Journey(SENDER).record([act(1, BEGIN), act(2, later(minutes=5), EventName.VIEW, product="p1", price=3.0)])
    Journey(SENDER).record([act(3, later(minutes=2), EventName.CART, product="p1", price=3.0)])
    session = Session.objects.get()
    assert (session.last_at, session.sequence, session.read_state().gap) == (later(minutes=5), 3, 180.0)
    assert session.read_state().cart_units == 1
    assert differing() == Refolded()


def test_a_clock_set_back_loses_nothing() -> None:
    Journey(SENDER).record([act(1, BEGIN)])
    assert Journey(SENDER).record([act(2, later(hours=-2))]).added == 1
    session = Session.objects.get()
    assert (session.started_at, session.last_at) == (later(hours=-2), BEGIN)
    assert Journey(SENDER).record([act(3, later(seconds=1))]) == Recorded("v1", "s1", 1)
    assert differing() == Refolded()


def test_a_login_does_not_reach_back_to_a_late_event() -> None:
    Browser("v0", "s0", customer="c1").send(act(0, BEGIN))
    phone = Browser("v1", "s1")
    phone.send(act(1, later(minutes=1)))
    phone.customer = "c1"
    phone.send(act(2, later(minutes=9)))
    Journey(Sender(visitor="v1", session="s1")).record([act(3, later(minutes=2))])
    assert Event.objects.get(event_id="e3").visitor.cookie == "v1"
    assert Session.objects.get(key="s1").visitor.cookie == "v0"
    assert differing() == Refolded()


def test_a_state_of_another_layout_is_folded_again_from_the_log() -> None:
    Journey(SENDER).record([act(1, BEGIN), act(2, later(seconds=5), EventName.VIEW, product="p1")])
    Session.objects.update(state=b"of another release", past=b"")
    Visitor.objects.update(past=b"")
    Journey(SENDER).record([act(3, later(seconds=9))])
    assert Session.objects.get().read_state().events == 3
    assert differing() == Refolded()


def test_a_late_purchase_turns_the_outcome() -> None:
    Journey(SENDER).record([act(1, BEGIN), act(2, later(minutes=3))])
    Session.objects.update(closed_at=later(minutes=33), outcome="left")
    Journey(SENDER).record([act(3, later(minutes=1), EventName.PURCHASE, order="o1", revenue=1.0)])
    assert Session.objects.get().outcome == "bought"


def test_of_a_person_with_too_many_events_the_session_alone_is_folded_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3):
        Journey(SENDER).record([act(number, later(hours=number), EventName.VIEW, product=f"p{number}")])
    past = Visitor.objects.get().past
    monkeypatch.setattr("purchase_intent.tracking.joined.MOST_EVENTS", 2)
    assert Journey(SENDER).record([act(9, later(minutes=-1), EventName.VIEW, product="p9")]).added == 1
    first = Session.objects.get(key="s1")
    assert (first.read_state().events, first.started_at, first.has_news) == (2, later(minutes=-1), True)
    assert bytes(Visitor.objects.get().past) == bytes(past)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
