"""Who a session belongs to: logins, other devices, shared browsers, bots and staff."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from purchase_intent.events import EventName
from purchase_intent.models import Event, Session, Visitor
from purchase_intent.scoring.nightly import score_visitors
from purchase_intent.sources.refold import Refolded
from purchase_intent.tracking.place import next_key
from purchase_intent.tracking.recorder import Journey, Recorded, Sender
from tests.integration.live.equality import differing
from tests.integration.live.walks import BEGIN, SENDER, Browser, act, later

pytestmark = pytest.mark.django_db


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


def listed(desk: Client) -> list[str]:
    page = desk.get("/admin/purchase_intent/visitor/").content.decode()
    return re.findall(r'field-who"><a [^>]*>([^<]+)<', page)


def test_whom_a_login_has_left_nothing_is_neither_scored_nor_listed_until_it_comes_back(admin_client: Client) -> None:
    Browser("v1", "s1", customer="c1").send(act(1, BEGIN))
    phone = Browser("v2", "s2")
    phone.send(act(2, later(minutes=1)))
    Visitor.objects.update(scored_at=later(minutes=1), score=0.4, band="top_1")
    phone.customer = "c1"
    phone.send(act(3, later(minutes=2)))
    assert dict(Visitor.objects.values_list("cookie", "joined")) == {"v1": False, "v2": True}
    assert differing() == Refolded()
    assert score_visitors(later(hours=1)) == 1
    assert listed(admin_client) == ["Customer c1"]
    assert "Visitor v2" not in admin_client.get("/admin/purchase_intent/visitor/").content.decode()
    gone = Visitor.objects.get(cookie="v2")
    page = admin_client.get(f"/admin/purchase_intent/visitor/{gone.pk}/change/").content.decode()
    customer = Visitor.objects.get(customer="c1")
    assert f'counts for <a href="/admin/purchase_intent/visitor/{customer.pk}/change/">Customer c1</a>' in page
    assert "Will the next visit buy?" not in page
    found = admin_client.get("/admin/purchase_intent/visitor/?q=v2").content.decode()
    assert f"/admin/purchase_intent/visitor/{gone.pk}/change/" in found
    Browser("v2", "s3").send(act(4, later(hours=2)))
    assert not Visitor.objects.filter(joined=True).exists()
    assert differing() == Refolded()
    assert listed(admin_client) == ["Visitor v2", "Customer c1"]
    assert score_visitors(later(hours=3)) == 2


def test_a_customer_whose_only_session_went_over_to_another_is_not_asked_about() -> None:
    shared = Browser("v1", "s1", customer="c1")
    shared.send(act(1, BEGIN))
    shared.customer = "c2"
    shared.send(act(2, later(minutes=1)))
    assert dict(Visitor.objects.values_list("customer", "joined")) == {"c1": True, "c2": False}
    assert differing() == Refolded()
    assert score_visitors(later(days=1)) == 1
