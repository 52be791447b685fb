"""The ledger of merges, and a merge taken back: the customer's past is as if the browser had never been theirs."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from purchase_intent.events import Event as Told
from purchase_intent.events import EventName
from purchase_intent.exceptions import MergeRefused
from purchase_intent.models import Event, Merge, Order, Session, Visitor
from purchase_intent.sources.refold import Refolded
from purchase_intent.tracking import unjoining
from purchase_intent.tracking.unjoining import undo
from tests.integration.live.equality import differing
from tests.integration.live.walks import BEGIN, Browser, act, later

pytestmark = pytest.mark.django_db

NOW = BEGIN + timedelta(days=3)


def viewed(number: int, when: float) -> Told:
    return act(number, later(minutes=when), EventName.VIEW, product=f"p{number}", price=5.0 + number)


def browsed_then_logged_in(*, known_before: bool) -> Browser:
    """A browser that came twice and then logs in, goes on as the customer, and buys."""
    if known_before:
        Browser("laptop", "s-laptop", customer="c1").send(viewed(1, -300), viewed(2, -299))
    phone = Browser("phone", "s-phone")
    phone.send(viewed(3, 0))
    phone.send(viewed(4, 100), viewed(5, 101))
    phone.customer = "c1"
    phone.send(viewed(6, 102))
    phone.send(act(7, later(minutes=103), EventName.PURCHASE, product="p6", order="o1", revenue=11.0))
    return phone


def of(visitor: Visitor) -> list[str]:
    """The ids of a visitor's events, logins by their name."""
    rows = Event.objects.filter(visitor=visitor).in_order().values_list("event_id", flat=True)
    return ["login" if row.startswith("login") else row for row in rows]


@pytest.mark.parametrize("known_before", [pytest.param(True, id="joined"), pytest.param(False, id="became")])
def test_a_login_is_on_record_once(known_before: bool) -> None:
    phone = browsed_then_logged_in(known_before=known_before)
    merge = Merge.objects.get()
    assert (merge.customer, merge.happened_at, merge.undone_at) == ("c1", later(minutes=102), None)
    assert merge.visitor.customer == "c1"
    assert (merge.anonymous.cookie if merge.anonymous else None) == ("phone" if known_before else None)
    assert merge.session == Session.objects.get(key=phone.session)
    assert differing() == Refolded()


def test_nothing_is_on_record_of_who_comes_logged_in() -> None:
    browser = Browser("v", "s", customer="c1")
    browser.send(viewed(1, 0))
    browser.send(viewed(2, 100))
    assert not Merge.objects.exists()


def test_a_known_visitor_is_never_joined_to_another() -> None:
    browser = Browser("v", "s", customer="c1")
    browser.send(viewed(1, 0))
    browser.customer = "c2"
    browser.send(viewed(2, 1))
    assert not Merge.objects.exists()
    assert {row.customer: of(row) for row in Visitor.objects.all()} == {"c1": ["login", "e1"], "c2": ["login", "e2"]}
    assert differing() == Refolded()


@pytest.mark.parametrize("known_before", [pytest.param(True, id="joined"), pytest.param(False, id="became")])
def test_undone_the_customers_past_is_as_if_the_browser_had_never_been_theirs(known_before: bool) -> None:
    phone = browsed_then_logged_in(known_before=known_before)
    key = phone.session
    merge = undo(Merge.objects.get().pk, now=NOW, who="the desk")
    merge.refresh_from_db()
    assert (merge.undone_at, merge.undone_by) == (NOW, "the desk")
    assert merge.anonymous is not None
    customer, anonymous = Visitor.objects.get(customer="c1"), merge.anonymous
    assert (anonymous.known, anonymous.customer, anonymous.joined) == (False, "", False)
    assert of(anonymous) == ["e3", "e4", "e5"]
    assert of(customer) == (["login", "e1", "e2"] if known_before else []) + ["login", "e6", "e7"]
    session = Session.objects.get(key=key)
    assert (session.visitor, session.started_at, Order.objects.get().session) == (customer, later(minutes=102), session)
    assert session.read_past().sessions == (1 if known_before else 0)
    assert differing() == Refolded()
    phone.send(viewed(8, 104))
    assert Merge.objects.count() == 1
    assert of(customer)[-1] == "e8"
    assert differing() == Refolded()


def test_the_browser_may_be_joined_again_later() -> None:
    browsed_then_logged_in(known_before=True)
    undo(Merge.objects.get().pk, now=NOW, who="x")
    again = Browser("phone", "s-new", customer="c1")
    again.send(viewed(9, 500))
    assert Merge.objects.in_force().count() == 1
    assert Merge.objects.count() == 2
    assert differing() == Refolded()


def test_what_cannot_be_undone_is_refused_and_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    browsed_then_logged_in(known_before=True)
    number = Merge.objects.get().pk
    with pytest.raises(MergeRefused, match="There is no merge 0"):
        undo(0, now=NOW, who="x")
    monkeypatch.setattr(unjoining, "MOST_EVENTS", 3)
    with pytest.raises(MergeRefused, match="more than 3 events"):
        undo(number, now=NOW, who="x")
    monkeypatch.undo()
    undo(number, now=NOW, who="x")
    with pytest.raises(MergeRefused, match="undone already"):
        undo(number, now=NOW, who="x")


def test_once_the_login_is_pruned_there_is_no_way_back() -> None:
    browsed_then_logged_in(known_before=True)
    merge = Merge.objects.get()
    Event.objects.filter(occurred_at=merge.happened_at, name=EventName.LOGIN.value).delete()
    with pytest.raises(MergeRefused, match="pruned"):
        undo(merge.pk, now=NOW, who="x")
    merge.refresh_from_db()
    assert merge.undone_at is None


def test_the_command_lists_and_undoes() -> None:
    out = StringIO()
    call_command("intent_merges", stdout=out)
    assert out.getvalue() == "No merges.\n"
    browsed_then_logged_in(known_before=True)
    merge = Merge.objects.get()
    call_command("intent_merges", "--customer", "c1", stdout=out)
    assert f"customer c1: visitor {merge.visitor_id}, was visitor {merge.anonymous_id}\n" in out.getvalue()
    call_command("intent_merges", "--undo", str(merge.pk), stdout=out)
    assert f"Merge {merge.pk} is undone: what came before is visitor {merge.anonymous_id} again." in out.getvalue()
    call_command("intent_merges", stdout=out)
    assert ", undone 20" in out.getvalue()
    with pytest.raises(CommandError, match="undone already"):
        call_command("intent_merges", "--undo", str(merge.pk))
