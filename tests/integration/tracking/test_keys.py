"""Servers with a key: what each scope may, whose events they are, and orders of the session that earned them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from purchase_intent.models import ApiKey, Event, Order, Scope, Session, Stage, Visitor
from purchase_intent.sources.refold import Refolded
from purchase_intent.tracking.identity import COOKIE
from purchase_intent.tracking.intake.batch import SERVER
from tests.integration.live.equality import differing
from tests.integration.tracking.sending import ago, beacon, event, key_of, said

pytestmark = pytest.mark.django_db


@pytest.fixture
def trusted(db: None) -> dict[str, str]:
    """The header of a server that may send everything."""
    return key_of(Scope.EVENTS, Scope.ORDERS)


def bought(number: int, order: str = "A-1", **fields: Any) -> dict[str, Any]:
    return event(number, "purchase", order=order, revenue=39.0, price=19.5, quantity=2, occurred_at=ago()) | fields


def test_a_key_is_shown_once_and_kept_as_a_hash() -> None:
    key, text = ApiKey.objects.make(name="backend", scopes=["events"])
    assert text.startswith(f"pi_{key.prefix}_")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM purchase_intent_apikey")
        row = str(cursor.fetchall())
    assert text not in row
    assert text.rpartition("_")[2] not in row
    assert ApiKey.objects.of_text(text) == key
    assert ApiKey.objects.of_text(text[:-1]) is None


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("Bearer", id="no key"),
        pytest.param("Bearer pi_0_0", id="none of ours"),
        pytest.param("Bearer a b", id="two"),
        pytest.param("Bearer \xff\xfe", id="no text"),
    ],
)
def test_without_a_sound_key_nothing_is_taken(client: Client, header: str) -> None:
    answer = beacon(client, event(visitor="v"), status=401, headers={"Authorization": header})
    assert answer["code"] == "authentication_failed"
    assert not Event.objects.exists()


def test_a_revoked_key_is_refused(client: Client) -> None:
    headers = key_of(Scope.EVENTS)
    beacon(client, event(visitor="v"), headers=headers)
    key = ApiKey.objects.get()
    assert key.last_used_at is not None
    key.revoke(timezone.now())
    beacon(client, event(2, visitor="v"), headers=headers, status=401)
    assert Event.objects.count() == 1


def test_a_key_without_the_scope_may_not_send(client: Client) -> None:
    beacon(client, event(visitor="v"), headers=key_of(Scope.ORDERS), status=403)
    assert not Event.objects.exists()


def test_a_key_for_events_is_believed_in_no_money_and_no_customer(client: Client) -> None:
    answer = beacon(
        client,
        event(1, visitor="v", price=0.01, revenue=1),
        bought(2, visitor="v"),
        event(3, customer="c1"),
        headers=key_of(Scope.EVENTS),
    )
    assert said(answer) == ["accepted", "refused name missing_scope", "refused customer missing_scope"]
    assert list(Event.objects.values_list("price", "revenue")) == [(19.5, None)]
    assert not Order.objects.exists()


def test_an_order_is_of_the_session_that_earned_it(client: Client, trusted: dict[str, str]) -> None:
    Client(headers={"User-Agent": "Firefox"}).get("/")
    client.get("/")
    session = Session.objects.latest("pk")
    lines = [bought(1, product="7"), bought(2, product="8", price=0.0)]
    answer = beacon(client, *(line | {"cookie": client.cookies[COOKIE].value} for line in lines), headers=trusted)
    assert said(answer) == ["accepted", "accepted"]
    order = Order.objects.get()
    assert (order.session, order.visitor, float(order.revenue), order.currency) == (
        session, session.visitor, 39.0, "EUR",
    )  # fmt: skip
    session.refresh_from_db()
    assert session.stage == Stage.BOUGHT
    assert Session.objects.count() == 2
    again = bought(3, visitor="elsewhere")
    assert said(beacon(client, again, headers=trusted)) == ["duplicate"]
    assert Order.objects.count() == 1
    assert differing() == Refolded()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"order": ""}, "refused order missing_order_id", id="no number"),
        pytest.param({"revenue": -1}, "refused revenue bad_revenue", id="less than nothing"),
        pytest.param({"revenue": "39"}, "refused revenue bad_revenue", id="a text"),
        pytest.param({"price": float("inf")}, "refused price bad_price", id="an endless price"),
        pytest.param({"currency": "USD"}, "refused currency bad_revenue", id="another currency"),
        pytest.param({"visitor": ""}, "refused visitor missing_visitor", id="nobody's"),
        pytest.param({"visitor": "a\nb"}, "refused visitor bad_text", id="no name for a visitor"),
        pytest.param({"cookie": "forged"}, "refused cookie forged_cookie", id="a forged cookie"),
        pytest.param({"cookie": ["x"]}, "refused cookie forged_cookie", id="a list for a cookie"),
        pytest.param({"customer": 1.5}, "refused customer bad_text", id="half a customer"),
        pytest.param({"session": "x" * 501}, "refused session bad_text", id="endless session"),
    ],
)
def test_what_a_server_sends_is_judged_too(
    client: Client, trusted: dict[str, str], fields: dict[str, Any], expected: str
) -> None:
    assert said(beacon(client, bought(1, visitor="v") | fields, headers=trusted)) == [expected]
    assert not Event.objects.exists()
    assert not Order.objects.exists()


def test_visitors_without_a_cookie_have_sessions_too(client: Client, trusted: dict[str, str]) -> None:
    def sent(number: int, **when: float) -> dict[str, Any]:
        return event(number, visitor="app-1", occurred_at=ago(**when))

    beacon(client, sent(1, hours=5), sent(2, hours=2), headers=trusted)
    beacon(client, sent(3, minutes=110), headers=trusted)
    beacon(client, sent(4), headers=trusted)
    beacon(client, sent(5, hours=5, minutes=1), headers=trusted)
    assert [Event.objects.filter(session=row).count() for row in Session.objects.order_by("started_at")] == [2, 2, 1]
    assert Visitor.objects.count() == 1


def test_a_customer_a_server_names_is_the_one_of_the_shop(client: Client, trusted: dict[str, str]) -> None:
    beacon(client, event(1, visitor="phone", session="s1"), headers=trusted)
    beacon(client, event(2, visitor="phone", session="s1", customer=42, occurred_at=ago()), headers=trusted)
    visitor = Visitor.objects.get()
    assert (visitor.known, visitor.customer, visitor.cookie) == (True, "42", "phone")
    beacon(client, event(3, customer="42", occurred_at=ago()), headers=trusted)
    assert Visitor.objects.count() == Session.objects.count() == 1
    assert differing() == Refolded()


def test_a_passed_on_user_agent_labels_and_is_not_kept(client: Client, trusted: dict[str, str]) -> None:
    agents = {"a": "Googlebot/2.1 (+http://www.google.com/bot.html)", "b": "Mozilla/5.0 (iPhone; Mobile) Safari/604.1"}
    beacon(client, *(event(visitor=name, user_agent=agent) for name, agent in agents.items()), headers=trusted)
    assert dict(Visitor.objects.values_list("cookie", "bot")) == {"a": "crawler", "b": ""}
    assert Event.objects.get(visitor__cookie="b").device == "mobile"
    assert "iPhone" not in str(list(Event.objects.values()))


def test_a_key_speaks_for_its_site(client: Client) -> None:
    beacon(client, event(visitor="v"), headers=key_of(Scope.EVENTS, site="fr"))
    assert Visitor.objects.get().site == Session.objects.get().site == "fr"


def test_a_server_may_send_more_at_once(client: Client, trusted: dict[str, str]) -> None:
    events = [event(number, "view", visitor=f"v{number % 3}", occurred_at=ago()) for number in range(260)]
    answer = beacon(client, *events, headers=trusted, padding="x" * 100_000)
    assert answer["accepted"] == 260
    assert Session.objects.count() == 3
    beacon(client, event(), headers=trusted, padding="x" * SERVER.size, status=413)


def test_a_retry_ten_times_counts_once(client: Client, trusted: dict[str, str]) -> None:
    batch = [event(1, visitor="v", customer="c"), bought(2, visitor="v", customer="c")]
    assert said(beacon(client, *batch, headers=trusted)) == ["accepted", "accepted"]
    for _ in range(9):
        assert said(beacon(client, *batch, headers=trusted)) == ["duplicate", "duplicate"]
    assert (Order.objects.count(), Session.objects.count()) == (1, 1)
    late = Order.objects.get().placed_at - timezone.now()
    assert abs(late) < timedelta(minutes=1)
