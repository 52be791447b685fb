"""Who sends: logins and logouts, staff and bots."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_out
from django.http import HttpRequest
from django.test import Client

from purchase_intent.models import Event, Session, Visitor
from purchase_intent.shortcuts import track
from tests.integration.tracking.corner_shop import CornerShop
from tests.integration.tracking.words import BROWSER, errors, kinds, steps

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    """Return a customer of the shop."""
    return User.objects.create(username="ada")


def test_a_login_is_one_event_of_the_request_that_logs_in(client: Client, ada: User) -> None:
    client.get("/")
    client.post("/enter/", {"name": "ada"})
    client.get("/")
    assert steps() == ["page_view/home", "login/sign_in", "page_view/home"]
    assert Visitor.objects.values_list("customer", "known").get() == (str(ada.pk), True)
    assert Session.objects.count() == 1


def test_a_request_that_arrives_logged_in_is_a_login(client: Client, ada: User) -> None:
    client.force_login(ada)
    client.get("/")
    client.get("/")
    assert sorted(kinds()) == ["login", "page_view", "page_view"]
    assert Visitor.objects.get().customer == str(ada.pk)


def test_a_second_browser_becomes_the_same_visitor(client: Client, ada: User) -> None:
    client.get("/")
    client.post("/enter/", {"name": "ada"})
    other = Client(headers={"User-Agent": BROWSER})
    other.get("/")
    entered = other.post("/enter/", {"name": "ada"})
    first = Visitor.objects.get(customer=str(ada.pk))
    assert list(Event.objects.in_order().values_list("visitor__customer", flat=True))[-1] == str(ada.pk)
    assert "intent" in entered.cookies
    other.get("/")
    assert Event.objects.in_order().last().visitor == first  # type: ignore[union-attr]


def test_a_logout_is_the_visitors_last_event_and_gives_the_browser_new_ids(client: Client, ada: User) -> None:
    client.post("/enter/", {"name": "ada"})
    left = client.post("/leave/")
    assert left.cookies["intent"].value
    client.get("/")
    assert kinds() == ["login", "logout", "page_view"]
    known, anonymous = Visitor.objects.order_by("pk")
    assert (known.customer, anonymous.customer) == (str(ada.pk), "")
    assert [event.visitor for event in Event.objects.in_order()] == [known, known, anonymous]
    assert Session.objects.count() == 2


def test_a_logout_of_somebody_not_yet_recorded_is_theirs(client: Client, ada: User) -> None:
    client.force_login(ada)
    client.post("/leave/")
    assert kinds() == ["login", "logout"]
    assert Visitor.objects.get().customer == str(ada.pk)


def test_what_follows_a_logout_in_its_request_is_told_by_somebody_new(
    client: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def doing(request: HttpRequest) -> None:
        from django.contrib.auth import logout

        track(request, "wishlist", product="8")
        logout(request)
        track(request, "search", search="lamp")

    client.post("/enter/", {"name": "ada"})
    monkeypatch.setattr(CornerShop, "doing", doing)
    client.get("/act/")
    assert sorted(kinds()) == ["login", "logout", "search", "wishlist"]
    known, anonymous = Visitor.objects.order_by("pk")
    assert known.customer == str(ada.pk)
    assert {event.event_id for event in anonymous.events.all()} == {Event.objects.get(search="lamp").event_id}
    client.get("/")
    assert anonymous.events.count() == 2


def test_a_logout_outside_the_middleware_changes_nothing(ada: User, told: pytest.LogCaptureFixture) -> None:
    user_logged_out.send(User, request=HttpRequest(), user=ada)
    user_logged_out.send(User, request=None, user=ada)
    assert told.records == []


def test_staff_are_recorded_with_their_label(client: Client) -> None:
    client.force_login(User.objects.create(username="grace", is_staff=True))
    client.get("/")
    assert "page_view" in kinds()
    labels = Visitor.objects.values_list("bot", "bot_reason").get()
    assert labels == ("staff", "signed in as one of the shop's own people")


@pytest.mark.parametrize(
    ("agent", "kind", "word"),
    [
        pytest.param(BROWSER, "", "", id="a browser"),
        pytest.param("", "nameless", "no user agent", id="none"),
        pytest.param("python-requests/2.32", "library", "python-", id="a library"),
        pytest.param("Mozilla/5.0 (compatible; Googlebot/2.1)", "crawler", "Googlebot", id="a search engine"),
        pytest.param("Mozilla/5.0 HeadlessChrome/140.0", "headless", "HeadlessChrome", id="headless"),
        pytest.param("y" * 100_000, "", "", id="100 KB"),
    ],
)
def test_a_bot_is_recorded_with_label_and_reason(
    agent: str, kind: str, word: str, told: pytest.LogCaptureFixture
) -> None:
    Client(headers={"User-Agent": agent}).get("/")
    visitor = Visitor.objects.get()
    assert visitor.bot == kind
    assert word in visitor.bot_reason
    assert errors(told) == []


def test_neither_address_nor_agent_nor_query_is_stored(client: Client) -> None:
    client.get("/?q=hidden-query", headers={"Referer": "https://hidden.example/?a=hidden"}, REMOTE_ADDR="203.0.113.9")
    stored = "".join(
        f"{value}" for model in (Event, Session, Visitor) for row in model.objects.values() for value in row.values()
    )
    assert [word for word in ("hidden", "203.0.113.9", "Firefox", "Mozilla") if word in stored] == []
