"""Visitors, sessions, events, orders, catalogue days and scores: what querysets mean, what the database forbids."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from purchase_intent.events import EventName
from purchase_intent.features.hit import FACTS
from purchase_intent.features.past import outcome
from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT, Past, State
from purchase_intent.models import CatalogueDay, Event, Order, Score, Session, Visitor
from tests.integration.models.builders import NOON, event, minutes, session, visitor
from tests.integration.models.conftest import Register

pytestmark = pytest.mark.django_db


def test_people_are_those_not_labelled_as_bots() -> None:
    person = visitor("v1")
    visitor("v2", bot="crawler", bot_reason="says so in its user agent")
    assert list(Visitor.objects.people()) == [person]
    assert list(Visitor.objects.people().seen_since(NOON)) == [person]
    assert list(Visitor.objects.people().seen_since(minutes(1))) == []


def test_a_customer_is_one_visitor_of_a_site_and_nobody_is_found_by_an_empty_key() -> None:
    ada = visitor("v1", customer="c1")
    visitor("v2")
    visitor("v3")
    visitor("v4", customer="c1", site="other")
    with pytest.raises(IntegrityError), transaction.atomic():
        visitor("v5", customer="c1")
    assert list(Visitor.objects.of_customer("c1")) == [ada]
    assert list(Visitor.objects.of_customer("")) == []


def test_records_of_the_fold_come_back_as_they_went_in() -> None:
    owner = visitor(past=PAST_LAYOUT.dumps(Past(sessions=3)))
    within = session(owner, state=STATE_LAYOUT.dumps(State(events=7)), past=PAST_LAYOUT.dumps(Past(known=1)))
    owner.refresh_from_db()
    within.refresh_from_db()
    assert (owner.read_past(), within.read_state(), within.read_past()) == (
        Past(sessions=3),
        State(events=7),
        Past(known=1),
    )
    blank = session(owner, "s2", state=b"an earlier layout")
    assert (blank.read_state(), blank.read_past()) == (State(), Past())
    assert outcome(blank.read_state()) == 0


def test_idle_sessions_are_open_and_silent_for_more_than_half_an_hour() -> None:
    owner = visitor()
    late = session(owner, "s1", last_at=minutes(5))
    early = session(owner, "s2")
    session(owner, "s3", closed_at=NOON, outcome="left")
    assert list(Session.objects.open()) == [late, early]
    assert list(Session.objects.idle(minutes(30))) == []
    assert list(Session.objects.idle(minutes(31))) == [early]
    assert list(Session.objects.idle(minutes(36))) == [early, late]


def test_news_is_told_in_the_order_in_which_sessions_ended() -> None:
    owner, other = visitor("v1"), visitor("v2")
    second = session(owner, "s1", last_at=minutes(9), has_news=True)
    first = session(owner, "s2", last_at=minutes(3), has_news=True)
    session(owner, "s3")
    session(other, "s4", has_news=True)
    assert list(Session.objects.with_news(owner)) == [first, second]


def test_of_two_writers_the_second_is_told_that_it_came_late() -> None:
    one = session(visitor())
    same = Session.objects.get()
    assert Session.objects.swap(one, stage=3) is True
    assert Session.objects.swap(same, stage=2) is False
    stored = Session.objects.get()
    assert (stored.stage, stored.version, one.stage, one.version, same.stage) == (3, 1, 3, 1, 0)


def test_what_was_known_is_what_had_happened_and_arrived() -> None:
    within = session(visitor())
    Event.objects.bulk_create(
        [event(within, 1, sequence=2), event(within, 0, sequence=1), event(within, 2, received_at=minutes(9))]
    )
    assert list(Event.objects.known_by(minutes(3)).in_order().values_list("event_id", flat=True)) == ["e0", "e1"]
    assert Event.objects.known_by(minutes(10)).count() == 3
    assert Event.objects.older_than(minutes(2)).count() == 2


def test_revenue_is_summed_over_orders() -> None:
    owner = visitor()
    for number, revenue in (("o1", "19.99"), ("o2", "0.005")):
        Order.objects.create(number=number, visitor=owner, revenue=Decimal(revenue), placed_at=NOON)
    assert Order.objects.revenue() == Decimal("19.9950")
    assert Order.objects.none().revenue() == 0


def test_facts_are_of_the_28_days_before(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    day = date(2026, 3, 1)
    for before, views in ((0, 1), (1, 10), (28, 100), (29, 1000)):
        when = day - timedelta(days=before)
        CatalogueDay.objects.create(day=when, subject="product", key="p1", views=views)
        CatalogueDay.objects.create(day=when, subject="category", key="c1", views=views, cents=views * 100)
        CatalogueDay.objects.create(day=when, subject="shop", sessions=views, buyers=1)
    CatalogueDay.objects.create(day=day - timedelta(days=1), subject="product", key="p2", views=7)
    with django_assert_num_queries(1):
        facts = CatalogueDay.objects.facts(day, product="p1", category="c1")
    assert tuple(facts) == FACTS
    assert facts == dict.fromkeys(FACTS, 0) | {
        "product_views": 110,
        "category_views": 110,
        "category_cents": 11_000,
        "shop_sessions": 110,
        "shop_buyers": 2,
    }
    assert CatalogueDay.objects.facts(day)["product_views"] == 0
    assert CatalogueDay.objects.latest_day() == day


def test_scores_wait_until_they_are_judged(register: Register) -> None:
    within = session(visitor())
    sound = {"session": within, "model": register(), "probability": 0.2}
    later = Score.objects.create(moment=minutes(1), **sound)
    first = Score.objects.create(moment=NOON, **sound)
    judged = Score.objects.create(moment=minutes(2), came_true=False, **sound)
    assert list(Score.objects.waiting()) == [first, later]
    assert list(Score.objects.judged()) == [judged]


Breach = Callable[[], object]


@pytest.mark.parametrize(
    "breach",
    [
        pytest.param(lambda: visitor("v1"), id="two visitors of one cookie"),
        pytest.param(lambda: visitor(""), id="no cookie"),
        pytest.param(lambda: visitor("v2", last_seen=minutes(-1)), id="seen backwards"),
        pytest.param(lambda: visitor("v2", bot_reason="fast"), id="a reason without a bot"),
        pytest.param(lambda: session(Visitor.objects.get(), "s1"), id="two sessions of one key"),
        pytest.param(lambda: session(Visitor.objects.get(), "s2", last_at=minutes(-1)), id="a session backwards"),
        pytest.param(lambda: session(Visitor.objects.get(), "s2", score=1.1), id="a score above 1"),
        pytest.param(lambda: session(Visitor.objects.get(), "s2", closed_at=NOON), id="closed without an outcome"),
        pytest.param(lambda: session(Visitor.objects.get(), "s2", outcome="left"), id="an outcome while open"),
        pytest.param(lambda: event(Session.objects.get(), price=-0.01).save(), id="a negative price"),
        pytest.param(lambda: event(Session.objects.get(), quantity=100_001).save(), id="an absurd quantity"),
        pytest.param(
            lambda: event(Session.objects.get(), name=EventName.PURCHASE.value).save(), id="a purchase without an order"
        ),
        pytest.param(lambda: order("o1"), id="two orders of one number"),
        pytest.param(lambda: order(""), id="an order without a number"),
        pytest.param(lambda: order("o2", revenue=-1), id="a negative revenue"),
        pytest.param(lambda: CatalogueDay.objects.create(day=NOON, subject="shop", key="x"), id="a shop with a key"),
        pytest.param(lambda: CatalogueDay.objects.create(day=NOON, subject="product"), id="a product without a key"),
    ],
)
def test_the_database_itself_refuses(breach: Breach) -> None:
    session(visitor("v1"), "s1")
    order("o1")
    with pytest.raises(IntegrityError), transaction.atomic():
        breach()
    counts = [model.objects.count() for model in (Visitor, Session, Event, Order, CatalogueDay)]
    assert counts == [1, 1, 0, 1, 0]


def order(number: str, **fields: object) -> Order:
    """An order of the one visitor on record."""
    sound: dict[str, object] = {"visitor": Visitor.objects.get(), "revenue": 1, "placed_at": NOON}
    made: Order = Order.objects.create(number=number, **sound | fields)
    return made


@pytest.mark.parametrize("subjects", [("session", "visitor"), ()], ids=["of both", "of neither"])
def test_a_score_is_of_a_session_or_of_a_visitor(register: Register, subjects: tuple[str, ...]) -> None:
    within = session(visitor())
    given = {"session": within, "visitor": within.visitor}
    with pytest.raises(IntegrityError), transaction.atomic():
        Score.objects.create(model=register(), probability=0.5, moment=NOON, **{name: given[name] for name in subjects})
    assert not Score.objects.exists()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        pytest.param(lambda: Session.objects.idle(NOON), "intent_session_open", id="idle sessions"),
        pytest.param(lambda: Session.objects.with_news(1), "intent_session_news", id="sessions with news"),
        pytest.param(lambda: Session.objects.all()[:50], "intent_session_latest", id="the list of sessions"),
        pytest.param(lambda: Session.objects.filter(band="high")[:50], "intent_session_band", id="sessions of a band"),
        pytest.param(lambda: Event.objects.filter(session=1).in_order(), "intent_event_timeline", id="a timeline"),
        pytest.param(lambda: Event.objects.in_order()[:50], "intent_event_order", id="events in order"),
        pytest.param(lambda: Event.objects.all()[:50], "intent_event_order", id="the list of events"),
        pytest.param(lambda: Event.objects.filter(name=15)[:50], "intent_event_name", id="events of a name"),
        pytest.param(lambda: Visitor.objects.all()[:50], "intent_visitor_latest", id="the list of visitors"),
        pytest.param(lambda: Visitor.objects.of_customer("c1"), "intent_visitor_customer", id="a customer's visitor"),
        pytest.param(lambda: Score.objects.waiting().of_sessions()[:50], "intent_score_waiting", id="scores to judge"),
    ],
)
def test_each_query_has_the_index_made_for_it(query: Callable[[], object], index: str) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL reads tables of a few rows as they are")
    with connection.cursor() as cursor:
        # An import before this test may have had the tables' sizes noted, which nothing takes back.
        cursor.execute("ANALYZE purchase_intent_event")  # so that there is a table of sizes to empty
        cursor.execute("DELETE FROM sqlite_stat1")
        cursor.execute("ANALYZE sqlite_schema")
    assert index in query().explain()  # type: ignore[attr-defined]
