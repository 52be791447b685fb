"""What a request leaves in the database: rows, queries, signals, and nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError, connection
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from purchase_intent.events import EventName, Page
from purchase_intent.models import Event, Order, Session, Visitor
from purchase_intent.sources.refold import Refolded
from purchase_intent.tracking.recorder import Journey, Recorded, Sender
from tests.integration.live.equality import differing
from tests.integration.live.walks import BEGIN, SENDER, Browser, act, counts, later

pytestmark = pytest.mark.django_db


@contextmanager
def broken(word: str) -> Iterator[None]:
    """Lose the database at the first statement that begins with `word`."""

    def execute(run: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith(word):
            raise OperationalError("server closed the connection unexpectedly")
        return run(sql, *rest)

    with connection.execute_wrapper(execute):
        yield


def test_a_first_event_makes_the_visitor_and_the_session() -> None:
    done = Journey(SENDER).record([act(1, BEGIN + timedelta(microseconds=999), page=Page.HOME, device="phone")])
    assert done == Recorded("v1", "s1", 1)
    session = Session.objects.select_related("visitor").get()
    event = Event.objects.get()
    assert (session.key, session.visitor.cookie, session.visitor.known) == ("s1", "v1", False)
    assert (session.landing, session.device, session.sequence, session.has_news) == (Page.HOME, "phone", 1, True)
    assert (event.occurred_at, event.sequence, event.visitor) == (BEGIN, 1, session.visitor)
    assert session.started_at == session.last_at == session.visitor.first_seen == BEGIN


def test_an_event_that_goes_on_costs_three_statements(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    Browser("v1", "s1").send(act(1, BEGIN))
    journey = Journey(SENDER)
    with django_assert_num_queries(1):
        journey.foresee([act(2, later(seconds=5))], at=later(seconds=5))
    with django_assert_num_queries(4):  # with the savepoint of a test's own transaction: two more
        journey.record([act(2, later(seconds=5)), act(3, later(seconds=5))])
    with django_assert_num_queries(5):
        Journey(SENDER).record([act(4, later(seconds=9))])
    assert counts() == (1, 1, 4, 0)


def test_catalogue_facts_are_asked_for_once(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    Browser("v1", "s1").send(act(1, BEGIN))
    seen = {"product": "p1", "category": "c1"}
    with django_assert_num_queries(6):
        Journey(SENDER).record([act(2, later(seconds=5), EventName.VIEW, **seen)])
    with django_assert_num_queries(5):
        Journey(SENDER).record([act(3, later(seconds=6), EventName.VIEW, **seen)])


def test_an_event_sent_twice_is_recorded_once() -> None:
    assert Journey(SENDER).record([act(1, BEGIN)]).added == 1
    assert Journey(SENDER).record([act(1, BEGIN)]) == Recorded("v1", "s1", 0)
    assert Journey(SENDER).record([act(1, BEGIN), act(2, later(seconds=3)), act(2, later(seconds=3))]).added == 1
    assert Journey(SENDER).record([act(2, later(seconds=3)), act(3, later(seconds=4))]).added == 1
    assert counts() == (1, 1, 3, 0)
    assert Session.objects.get().read_state().events == 3
    assert differing() == Refolded()


def test_nothing_to_record_touches_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert Journey(SENDER).record([]) == Recorded("v1", "s1", 0)


@pytest.mark.parametrize("revenue", [pytest.param(59.9, id="a total"), pytest.param(None, id="what lines add up to")])
def test_an_order_is_told_once(revenue: float | None) -> None:
    lines = [
        act(
            number,
            BEGIN,
            EventName.PURCHASE,
            order="o1",
            revenue=revenue,
            price=price,
            quantity=2,
            product=f"p{number}",
        )
        for number, price in ((1, 9.95), (2, 20.0))
    ]
    assert Journey(SENDER).record(lines).added == 2
    again = [act(9, later(seconds=1), EventName.PURCHASE, order="o1", price=1.0), act(10, later(seconds=1))]
    assert Journey(SENDER).record(again).added == 1
    order = Order.objects.get()
    assert (order.number, order.revenue, order.placed_at) == ("o1", Decimal("59.9"), BEGIN)
    assert (order.session, order.visitor) == (Session.objects.get(), Visitor.objects.get())
    assert Session.objects.get().read_state().purchases == 1


@pytest.mark.parametrize("word", ["UPDATE", "INSERT INTO", "SELECT"])
@pytest.mark.parametrize("begins", [True, False], ids=["a session begins", "a session goes on"])
def test_a_database_that_is_gone_leaves_nothing_half_written(word: str, begins: bool) -> None:
    if not begins:
        Journey(SENDER).record([act(1, BEGIN)])
    before = counts(), list(Session.objects.values_list("version", "sequence"))
    with broken(word), pytest.raises(OperationalError):
        Journey(SENDER).record([act(2, later(seconds=1), EventName.PURCHASE, order="o1", revenue=1.0)])
    assert (counts(), list(Session.objects.values_list("version", "sequence"))) == before
    assert Journey(SENDER).record([act(2, later(seconds=1), EventName.PURCHASE, order="o1", revenue=1.0)]).added == 1
    assert differing() == Refolded()


def test_the_shop_is_told_after_the_commit_and_once(
    heard: list[tuple[str, dict[str, Any]]],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        Journey(SENDER).record([act(1, BEGIN), act(2, BEGIN, EventName.PURCHASE, order="o1", revenue=2.0)])
        assert heard == []
    session = Session.objects.get()
    assert [name for name, _ in heard] == ["session_started", "events_recorded", "order_recorded"]
    assert all(given["session"] == session for _, given in heard)
    assert [event.event_id for event in heard[1][1]["events"]] == ["e1", "e2"]
    heard.clear()
    with django_capture_on_commit_callbacks(execute=True):
        Journey(SENDER).record([act(1, BEGIN)])
    assert heard == []
    with django_capture_on_commit_callbacks(execute=True):
        Journey(Sender(visitor="v1", session="s1", customer="c1")).record([act(3, later(seconds=1))])
    assert [name for name, _ in heard] == ["visitor_known", "events_recorded"]
    assert heard[0][1]["visitor"].customer == "c1"
