"""Visitors told apart without a cookie: for a day, by a salt that is thrown away; and nothing raw kept in any mode."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from purchase_intent.models import DailySalt, Event, Session, Visitor
from purchase_intent.scoring.pruning import prune
from purchase_intent.sources.refold import Refolded
from purchase_intent.tracking.cookieless import daily_identity, forget_salt
from purchase_intent.tracking.identity import COOKIE
from tests.integration.live.equality import differing
from tests.integration.tracking.corner_shop import CornerShop
from tests.integration.tracking.sending import HERE, ago, beacon, event, said
from tests.integration.tracking.words import steps

pytestmark = pytest.mark.django_db

ADDRESS, AGENT = "203.0.113.77", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.7731"


@pytest.fixture(autouse=True)
def salt_asked_for_anew() -> Iterator[None]:
    forget_salt()
    yield
    forget_salt()


@pytest.fixture
def cookieless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CornerShop, "cookieless", True)


def browser(address: str = ADDRESS, agent: str = AGENT) -> Client:
    return Client(headers={"User-Agent": agent}, REMOTE_ADDR=address)


def test_a_visit_goes_on_without_a_cookie(cookieless: None) -> None:
    client = browser()
    client.get("/")
    answer = client.get("/product/7/")
    assert said(beacon(client, event(1, "cart", occurred_at=ago()))) == ["accepted"]
    assert steps() == ["page_view/home", "view/product", "cart/other"]
    assert (Visitor.objects.count(), Session.objects.count()) == (1, 1)
    assert COOKIE not in client.cookies
    assert "private" not in answer.headers.get("Cache-Control", "")
    assert differing() == Refolded()


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(browser(address="203.0.113.78"), id="another address"),
        pytest.param(browser(agent=AGENT.replace("140", "141")), id="another browser"),
    ],
)
def test_others_are_other_visitors(cookieless: None, other: Client) -> None:
    browser().get("/")
    other.get("/")
    assert Visitor.objects.count() == 2


def test_the_next_day_nobody_is_known_again_and_the_salt_is_gone() -> None:
    noon = datetime(2026, 3, 9, 12, tzinfo=UTC)
    whom = {"site": "", "address": ADDRESS, "agent": AGENT}
    today = daily_identity(**whom, moment=noon)
    assert daily_identity(**whom, moment=noon + timedelta(hours=11)) == today
    forget_salt()
    assert daily_identity(**whom, moment=noon) == today
    tomorrow = daily_identity(**whom, moment=noon + timedelta(hours=12))
    assert {today.visitor, today.session}.isdisjoint({tomorrow.visitor, tomorrow.session})
    assert [salt.day.day for salt in DailySalt.objects.all()] == [10]
    prune(timezone.now())
    assert not DailySalt.objects.exists()


def test_no_part_takes_over_the_end_of_another() -> None:
    moment = timezone.now()
    first = daily_identity(site="a", address="bc", agent="d", moment=moment)
    assert first != daily_identity(site="ab", address="c", agent="d", moment=moment)
    assert first != daily_identity(site="a", address="b", agent="cd", moment=moment)


def test_a_login_joins_and_a_logout_ends_it(cookieless: None) -> None:
    User.objects.create_user("robin")
    client = browser()
    client.get("/")
    client.post("/enter/", {"name": "robin"})
    client.get("/product/7/")
    known = Visitor.objects.get(known=True)
    assert Session.objects.get().visitor == known
    client.post("/leave/")
    client.get("/")
    client.get("/act/")
    later = Session.objects.exclude(visitor=known).get()
    assert (later.visitor.known, Event.objects.filter(session=later).count()) == (False, 2)
    client.post("/enter/", {"name": "robin"})
    assert Visitor.objects.filter(known=True).get() == known
    assert differing() == Refolded()


def test_a_cookie_of_former_days_is_taken_down(cookieless: None, monkeypatch: pytest.MonkeyPatch) -> None:
    client = browser()
    with monkeypatch.context() as patch:
        patch.setattr(CornerShop, "cookieless", False)
        client.get("/")
    assert client.cookies[COOKIE].value
    client.get("/")
    assert client.cookies[COOKIE].value == ""
    assert Visitor.objects.count() == 2


@pytest.mark.parametrize("objection", ["Sec-GPC", "DNT"])
def test_who_objects_is_not_hashed_either(cookieless: None, objection: str) -> None:
    browser().get("/", headers={objection: "1"})
    beacon(browser(), event(), headers=HERE | {objection: "1"})
    assert not DailySalt.objects.exists()
    assert not Visitor.objects.exists()


@pytest.mark.parametrize("mode", [pytest.param(True, id="without cookies"), pytest.param(False, id="with a cookie")])
def test_no_table_holds_an_address_or_a_user_agent(monkeypatch: pytest.MonkeyPatch, mode: bool) -> None:
    monkeypatch.setattr(CornerShop, "cookieless", mode)
    User.objects.create_user("robin")
    client = browser()
    client.get("/?utm_source=secret", headers={"Referer": "https://elsewhere.example/private"})
    beacon(
        client, event(1), event(2, "teleport"), url="http://testserver/?utm_source=secret", referrer="http://private/"
    )
    client.post("/enter/", {"name": "robin"})
    client.post("/leave/")
    browser(agent=f"Googlebot {AGENT}").get("/")
    held = tables()
    assert held["purchase_intent_event"]
    for name, text in held.items():
        for raw in (ADDRESS, AGENT, "Firefox/140", "secret", "private"):
            assert raw not in text, name


def tables() -> dict[str, str]:
    """Every table of the database, as text: bytes too."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            name = model._meta.db_table
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)}")
            rows = [
                [bytes(cell) if isinstance(cell, memoryview) else cell for cell in row] for row in cursor.fetchall()
            ]
            found[name] = repr(rows)
    return found
