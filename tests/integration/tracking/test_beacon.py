"""`POST events/` from a browser: what is recorded of a batch, once, under whose name and at what moment."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from purchase_intent.models import Event, Session, Stage, Visitor
from purchase_intent.sources.refold import Refolded
from purchase_intent.tracking.identity import COOKIE
from tests.integration.live.equality import differing
from tests.integration.tracking.corner_shop import CornerShop
from tests.integration.tracking.sending import HERE, PATH, ago, beacon, event, post, said, stamp
from tests.integration.tracking.words import BROWSER, kinds, steps

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    """A browser whose posts Django would refuse without a token."""
    return Client(headers={"User-Agent": BROWSER}, enforce_csrf_checks=True)


def test_a_beacon_goes_on_in_the_session_of_the_page(client: Client, settings: Settings) -> None:
    settings.MIDDLEWARE = ["django.middleware.csrf.CsrfViewMiddleware", *settings.MIDDLEWARE]
    client.get("/", headers={"Referer": "https://duckduckgo.com/"})
    answer = beacon(client, event(1, "view", occurred_at=ago()), event(2, "cart", occurred_at=ago(), quantity=2))
    assert answer == {
        "accepted": 2,
        "duplicate": 0,
        "refused": 0,
        "results": [
            {"index": 0, "event_id": "e1", "status": "accepted"},
            {"index": 1, "event_id": "e2", "status": "accepted"},
        ],
    }
    assert steps() == ["page_view/home", "view/product", "cart/other"]
    session = Session.objects.get()
    assert (session.stage, session.read_state().cart_units) == (Stage.CART, 2)
    assert set(Event.objects.values_list("device", "channel", "country")) == {("desktop", "Organic Search", "Poland")}
    assert differing() == Refolded()


@pytest.mark.parametrize("times", [pytest.param(10, id="the same batch ten times")])
def test_the_same_batch_counts_once(client: Client, times: int) -> None:
    client.get("/")
    body = json.dumps({"events": [event(1), event(2, "cart"), event(1)], "sent_at": ago()})
    first = post(client, body)
    assert said(first) == ["accepted", "accepted", "duplicate"]
    state = bytes(Session.objects.get().state)
    for _ in range(times - 1):
        assert said(post(client, body)) == ["duplicate"] * 3
    assert sorted(kinds()) == ["cart", "page_view", "view"]
    assert bytes(Session.objects.get().state) == state


def test_a_retry_after_a_login_counts_once(client: Client) -> None:
    User.objects.create_user("robin")
    client.get("/")
    beacon(client, event(1, occurred_at=ago()))
    client.post("/enter/", {"name": "robin"})
    assert said(beacon(client, event(1, occurred_at=ago()))) == ["duplicate"]
    assert kinds().count("view") == 1


def test_without_a_page_before_it_a_beacon_begins_the_visit(client: Client) -> None:
    """The page came out of a cache."""
    answer = beacon(
        client,
        event(1, "page_view", page="listing", category="lamps", product=None),
        url="http://testserver/shop/?utm_medium=email&secret=1",
        referrer="https://www.google.com/",
    )
    assert said(answer) == ["accepted"]
    assert COOKIE in client.cookies
    stored = Event.objects.get()
    assert (stored.channel, stored.category) == ("Email", "lamps")
    assert "secret" not in json.dumps(list(Event.objects.values()), default=str)
    beacon(client, event(2))
    assert Session.objects.count() == Visitor.objects.count() == 1


def test_money_is_the_catalogues_and_not_the_browsers(client: Client) -> None:
    told = event(1, price=0.01, revenue=9.0, value=8.0, order="A-1", brand="Mine", category="mine", item_brand="Mine")
    assert said(beacon(client, told, event(2, product="unknown", price=0.01))) == ["accepted", "accepted"]
    rows = Event.objects.order_by("event_id").values_list("price", "revenue", "order", "brand", "category")
    assert list(rows) == [(19.5, None, "", "Lumo", "home/lamps"), (None, None, "", "", "")]


def test_a_broken_catalogue_costs_the_facts_alone(
    client: Client, monkeypatch: pytest.MonkeyPatch, told: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(CornerShop, "broken", frozenset({"product"}))
    assert said(beacon(client, event(1), event(2, product="8"))) == ["accepted", "accepted"]
    assert [record.levelname for record in told.records] == ["ERROR"]


def test_nobody_speaks_for_another_visitor(client: Client) -> None:
    other = Client(headers={"User-Agent": BROWSER})
    other.get("/")
    victim = Session.objects.select_related("visitor").get()
    told = event(1, visitor=victim.visitor.cookie, user_id=victim.visitor.cookie, session=victim.key, device="phone")
    assert said(beacon(client, told)) == ["accepted"]
    assert Session.objects.count() == Visitor.objects.count() == 2
    assert list(Event.objects.filter(session=victim).values_list("device", flat=True)) == ["desktop"]


@pytest.mark.parametrize(
    "wrong", [timedelta(days=-400), timedelta(hours=-3), timedelta(0), timedelta(minutes=90), timedelta(days=9000)]
)
def test_a_wrong_clock_is_corrected(client: Client, wrong: timedelta) -> None:
    client.get("/")
    begun = timezone.now()
    sent = begun + wrong
    answer = beacon(client, event(1, occurred_at=stamp(sent) - 20), sent_at=stamp(sent))
    assert said(answer) == ["accepted"]
    stored = Event.objects.get(event_id="e1")
    assert timedelta(milliseconds=-21) <= stored.occurred_at - begun < timedelta(minutes=1)
    assert stored.received_at - stored.occurred_at >= timedelta(milliseconds=20)
    assert int(stored.key.hex[:12], 16) == max(stamp(sent) - 20, 0)
    assert differing() == Refolded()


def test_a_clock_set_back_between_event_and_sending_loses_nothing(client: Client) -> None:
    sent = ago()
    assert said(beacon(client, event(1, occurred_at=sent + 200_000), sent_at=sent)) == ["accepted"]
    stored = Event.objects.get()
    assert timedelta(0) <= stored.received_at - stored.occurred_at < timedelta(seconds=1)


def test_what_came_late_belongs_to_the_visit_it_was_of(client: Client) -> None:
    """A laptop was shut, and opened again the next day: its queue comes after the first page."""
    client.get("/")
    now = Session.objects.get()
    yesterday = [event(number, occurred_at=ago(hours=20, seconds=-number)) for number in (1, 2)]
    assert said(beacon(client, *yesterday, event(3, occurred_at=ago()))) == ["accepted"] * 3
    assert said(beacon(client, *yesterday, event(4, occurred_at=ago(hours=20)))) == ["duplicate"] * 2 + ["accepted"]
    early, late = Session.objects.order_by("started_at")
    assert (late.pk, *(Event.objects.filter(session=each).count() for each in (late, early))) == (now.pk, 2, 3)
    assert late.visitor_id == early.visitor_id
    client.get("/")
    assert Session.objects.count() == 2


def test_a_late_batch_does_not_end_the_visit_of_the_cookie(client: Client) -> None:
    client.get("/")
    kept = client.cookies[COOKIE].value
    beacon(client, event(1, occurred_at=ago(hours=20)))
    assert client.cookies[COOKIE].value == kept


def test_a_driven_browser_is_labelled_by_what_its_script_says(client: Client) -> None:
    beacon(client, event(1), driven=True)
    visitor = Visitor.objects.get()
    assert (visitor.bot, visitor.bot_reason) == ("headless", "its browser says that a program drives it")


def test_names_of_other_systems_are_understood(client: Client) -> None:
    ga4 = {"messageId": "m1", "event_name": "add_to_cart", "timestamp": ago(), "item_id": 7, "quantity": 1}
    assert said(beacon(client, ga4)) == ["accepted"]
    assert kinds() == ["cart"]


@pytest.mark.parametrize("kind", ["text/plain;charset=UTF-8", "application/json", "", "application/x-unheard-of"])
def test_any_content_type_but_a_forms_is_read(client: Client, kind: str) -> None:
    body = json.dumps({"events": [event()]})
    assert client.post(PATH, body, content_type=kind, headers=HERE).status_code == 200
    assert kinds() == ["view"]


def test_without_the_middleware_it_records_all_the_same(client: Client, settings: Settings) -> None:
    settings.MIDDLEWARE = []
    assert said(beacon(client, event())) == ["accepted"]
    assert said(beacon(client, event())) == ["duplicate"]
