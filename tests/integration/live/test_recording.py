"""What a request leaves in the database: rows, queries, signals, and nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.dispatch import Signal
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from purchase_intent import signals
from purchase_intent.events import EventName, Page
from purchase_intent.features.state import State
from purchase_intent.models import Event, ModelVersion, Order, Score, Session, Visitor
from purchase_intent.scoring.answer import Intent, Standing
from purchase_intent.sources.refold import Refolded
from purchase_intent.tracking.place import next_key
from purchase_intent.tracking.recorder import Journey, Recorded, Sender
from tests.integration.live.equality import differing
from tests.integration.live.walks import BEGIN, Browser, act

pytestmark = pytest.mark.django_db

SENDER = Sender(visitor="v1", session="s1")


def later(**span: float) -> datetime:
    """So long after BEGIN."""
    return BEGIN + timedelta(**span)


def counts() -> tuple[int, int, int, int]:
    """Visitors, sessions, events and orders stored."""
    return Visitor.objects.count(), Session.objects.count(), Event.objects.count(), Order.objects.count()


@pytest.fixture
def heard() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Return what the signals say, by name, in order."""
    said: list[tuple[str, dict[str, Any]]] = []
    named = {name: getattr(signals, name) for name in signals.__all__}

    def hear(name: str) -> Callable[..., None]:
        return lambda **given: said.append(
            (name, {key: given[key] for key in given if key not in ("signal", "sender")})
        )

    ears: list[tuple[Signal, Callable[..., None]]] = [(signal, hear(name)) for name, signal in named.items()]
    for signal, ear in ears:
        signal.connect(ear, weak=False)
    yield said
    for signal, ear in ears:
        signal.disconnect(ear)


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


def test_a_login_makes_the_visitor_known_in_place() -> None:
    Journey(SENDER).record([act(1, BEGIN)])
    known = Sender(visitor="v1", session="s1", customer="c1")
    assert Journey(known).record([act(2, later(seconds=9))]) == Recorded("v1", "s1", 2)
    assert Journey(known).record([act(3, later(seconds=10))]) == Recorded("v1", "s1", 1)
    assert list(Event.objects.in_order().values_list("name", flat=True)) == [1, EventName.LOGIN.value, 1, 1]
    visitor = Visitor.objects.get()
    assert (visitor.known, visitor.customer, visitor.read_past().known) == (True, "c1", 1)


def test_a_login_on_another_device_joins_the_customer(heard: list[tuple[str, dict[str, Any]]]) -> None:
    desk = Browser("v1", "s1", customer="c1")
    desk.send(act(1, BEGIN))
    phone = Browser("v2", "s2")
    phone.send(act(2, later(minutes=1)))
    phone.send(act(3, later(minutes=100)))
    phone.customer = "c1"
    assert phone.send(act(4, later(minutes=101))) == Recorded("v1", next_key("s2"), 2)
    customer, anonymous = Visitor.objects.get(cookie="v1"), Visitor.objects.get(cookie="v2")
    assert Session.objects.get(key=next_key("s2")).visitor == customer
    assert (customer.read_past().sessions, anonymous.read_past().sessions) == (2, 0)
    assert list(Event.objects.filter(visitor=customer).in_order().values_list("name", flat=True)) == [12, 1, 12, 1]
    assert differing() == Refolded()


def test_who_logs_in_as_another_visitor_was_seen_until_then() -> None:
    Browser("v1", "s1", customer="c1").send(act(1, BEGIN))
    phone = Browser("v2", "s2")
    phone.send(act(2, later(minutes=1)))
    phone.send(act(3, later(minutes=5)))
    phone.customer = "c1"
    phone.send(act(4, later(minutes=6)))
    assert Visitor.objects.get(cookie="v2").last_seen == later(minutes=5)


def test_a_login_among_the_events_is_the_login() -> None:
    Browser("v0", "s0", customer="c1").send(act(0, BEGIN))
    phone = Browser("v1", "s1", customer="c1")
    done = phone.send(act(1, later(minutes=1)), act(2, later(minutes=1), EventName.LOGIN), act(3, later(minutes=1)))
    assert done == Recorded("v0", "s1", 3)
    senders = Event.objects.filter(session__key="s1").in_order().values_list("visitor__cookie", "name")
    assert list(senders) == [("v1", 1), ("v0", 12), ("v0", 1)]
    assert differing() == Refolded()


def test_another_customer_on_the_same_browser_is_another_visitor() -> None:
    shared = Browser("v1", "s1", customer="c1")
    shared.send(act(1, BEGIN))
    shared.customer = "c2"
    done = shared.send(act(2, later(minutes=1)))
    assert (done.session, done.added, done.visitor != "v1") == ("s1", 2, True)
    assert dict(Visitor.objects.values_list("customer", "known")) == {"c1": True, "c2": True}
    assert differing() == Refolded()


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


def test_a_bot_is_labelled_when_it_begins_and_staff_when_they_log_in() -> None:
    Journey(Sender(visitor="b1", session="b1", bot="crawler", bot_reason="says so")).record([act(1, BEGIN)])
    Journey(SENDER).record([act(2, BEGIN)])
    Journey(Sender(visitor="v1", session="s1", customer="boss", bot="staff")).record([act(3, later(seconds=1))])
    assert dict(Visitor.objects.values_list("cookie", "bot")) == {"b1": "crawler", "v1": "staff"}


def test_staff_on_a_shoppers_browser_begin_a_session_of_their_own() -> None:
    Browser("v1", "s1", customer="c1").send(act(1, BEGIN))
    done = Journey(Sender(visitor="v1", session="s1", customer="boss", bot="staff")).record([act(2, later(minutes=1))])
    assert (done.session, done.visitor == "v1") == (next_key("s1"), False)
    assert dict(Visitor.objects.values_list("customer", "bot")) == {"c1": "", "boss": "staff"}
    back = Journey(Sender(visitor=done.visitor, session=done.session, customer="c1"))
    assert back.record([act(3, later(minutes=2))]) == Recorded("v1", next_key(done.session), 2)
    assert differing() == Refolded()


def test_a_customer_with_a_strange_user_agent_stays_a_customer() -> None:
    Browser("v1", "s1", customer="c1").send(act(1, BEGIN))
    Journey(Sender(visitor="v1", session="s1", customer="c1", bot="crawler")).record([act(2, later(minutes=1))])
    assert Visitor.objects.get().bot == ""


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
