"""Requests at the same moment, in threads with connections of their own: nothing lost, nothing twice, no error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from purchase_intent.events import EventName
from purchase_intent.models import Event, Order, Session, Visitor
from purchase_intent.sources.refold import Refolded
from purchase_intent.tracking.recorder import Journey, Recorded, Sender
from tests.integration.live.equality import differing
from tests.integration.live.walks import BEGIN, Browser, act

pytestmark = pytest.mark.django_db(transaction=True)

SENDER = Sender(visitor="v1", session="s1")


def at_once(calls: Sequence[Callable[[], Recorded]]) -> list[Recorded]:
    """Run every call in a thread of its own, all from one moment on; what each gave back."""
    start = Barrier(len(calls))

    def run(call: Callable[[], Recorded]) -> Recorded:
        try:
            start.wait(timeout=300)
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def send(sender: Sender, number: int, **fields: object) -> Callable[[], Recorded]:
    """A call that records one event, as many milliseconds after BEGIN as its number says."""
    event = act(number, BEGIN + timedelta(milliseconds=number), **fields)  # type: ignore[arg-type]
    return lambda: Journey(sender).record([event])


@pytest.mark.parametrize("begun", [True, False], ids=["in a session", "as its first event"])
@pytest.mark.parametrize("name", [EventName.VIEW, EventName.PURCHASE], ids=["a view", "an order"])
def test_one_event_delivered_four_times_is_recorded_once(begun: bool, name: EventName) -> None:
    if begun:
        send(SENDER, 0)()
    order = {"order": "o1", "revenue": 5.0} if name is EventName.PURCHASE else {}
    done = at_once([send(SENDER, 1, name=name, **order)] * 4)
    assert sorted(one.added for one in done) == [0, 0, 0, 1]
    assert Event.objects.count() == Session.objects.get().read_state().events == 1 + begun
    assert Order.objects.count() == len(order) // 2
    assert differing() == Refolded()


@pytest.mark.parametrize("begun", [True, False], ids=["in a session", "as its first events"])
def test_tabs_that_advance_one_session_lose_nothing(begun: bool) -> None:
    if begun:
        send(SENDER, 0)()
    done = at_once([send(SENDER, number, name=EventName.VIEW, product=f"p{number}") for number in range(1, 7)])
    assert {(one.visitor, one.session, one.added) for one in done} == {("v1", "s1", 1)}
    session = Session.objects.get()
    assert (session.read_state().events, session.sequence) == (6 + begun, 6 + begun)
    assert sorted(Event.objects.values_list("sequence", flat=True)) == list(range(1, 7 + begun))
    assert differing() == Refolded()


def test_one_customer_logs_in_twice_at_once() -> None:
    for number in range(1, 5):
        Browser(f"v{number}", f"s{number}").send(act(number, BEGIN))
    senders = [Sender(visitor=f"v{number}", session=f"s{number}", customer="c1") for number in range(1, 5)]
    done = at_once([send(sender, 10 + number) for number, sender in enumerate(senders)])
    customer = Visitor.objects.get(customer="c1")
    assert {one.visitor for one in done} == {customer.cookie}
    assert Session.objects.filter(visitor=customer).count() == 4
    assert Event.objects.filter(name=EventName.LOGIN.value, visitor=customer).count() == 4
    assert differing() == Refolded()


def test_sessions_of_one_visitor_begin_while_others_go_on() -> None:
    tabs = [Sender(visitor="v1", session=f"s{number}") for number in range(4)]
    for number, tab in enumerate(tabs[:2]):
        send(tab, number)()
    at_once([send(tab, 10 + 4 * turn + number) for turn in range(2) for number, tab in enumerate(tabs)])
    assert (Session.objects.count(), Event.objects.count(), Visitor.objects.count()) == (4, 10, 1)
    assert differing() == Refolded()
