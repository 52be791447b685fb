"""Days on which things go wrong around a page: it is served, the fault is told once, and nothing is half written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client
from django.utils import timezone
from django.views.decorators.cache import cache_page
from pytest_django import Settings

from purchase_intent.models import Event, Order, Session, Visitor
from purchase_intent.scoring import serving
from purchase_intent.scoring.facts import facts
from purchase_intent.scoring.faults import forget_faults
from purchase_intent.shortcuts import Line, score, track, track_order
from purchase_intent.sources.refold import Refolded
from purchase_intent.tracking import recorder
from tests.integration.live.equality import differing
from tests.integration.tracking.words import BROWSER, Doing, kinds


def _cart(request: HttpRequest) -> None:
    track(request, "cart", product="7")


def _order(request: HttpRequest) -> None:
    track_order(request, number="A-1", revenue=3, lines=[Line(product="7", price=3)])


def _login(request: HttpRequest) -> None:
    track(request, "login")


def _stored() -> list[Any]:
    """Everything that a page writes, as far as it shows."""
    return [
        list(Event.objects.order_by("pk").values_list("pk")),
        list(Session.objects.order_by("pk").values_list("pk", "version", "sequence", "stage", "score")),
        list(Visitor.objects.order_by("pk").values_list("pk", "known", "last_seen", "told_at")),
        list(Order.objects.order_by("pk").values_list("pk")),
    ]


@contextmanager
def _gone(first: int, last: int) -> Iterator[list[str]]:
    """The database fails from one statement of this block to another, counted from 0; the statements that failed."""
    sent, failed = 0, list[str]()

    def run(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal sent
        sent += 1
        if first < sent <= last + 1:
            failed.append(sql)
            raise OperationalError("server closed the connection unexpectedly")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(run):
        yield failed


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("begun", [True, False], ids=["in a session", "as its first page"])
@pytest.mark.parametrize("what", [_cart, _order, _login], ids=["a cart", "an order", "a login"])
@pytest.mark.parametrize("lasting", [False, True], ids=["for one statement", "from then on"])
def test_a_database_that_is_gone_in_mid_page_is_told_once_and_leaves_nothing_half_written(
    client: Client, doing: Doing, caplog: pytest.LogCaptureFixture, what: Any, begun: bool, lasting: bool
) -> None:
    if begun:
        client.get("/")

    def act(request: HttpRequest) -> HttpResponse:
        score(request)
        what(request)
        score(request)
        return HttpResponse("<h1>here</h1>")

    doing(act)
    for statement in range(60):
        facts.forget()
        forget_faults()
        serving.forget()
        caplog.clear()
        before, events = _stored(), Event.objects.count()
        with _gone(statement, 1000 if lasting else statement) as failed:
            response = client.get("/act/")
        assert (response.status_code, response.content) == (200, b"<h1>here</h1>")
        if not failed:
            break
        (said,) = (record.getMessage() for record in caplog.records)
        assert "see that the database answers" in said
        told = 1 if what is _order else 2
        assert _stored() == before or Event.objects.count() == events + told, f"half written at {failed[0]}"
    assert statement > 3
    assert differing() == Refolded()
    assert Order.objects.count() == (what is _order)


@pytest.mark.django_db(transaction=True)
def test_a_statement_of_ours_that_fails_does_not_spoil_the_transaction_of_the_view(
    client: Client, doing: Doing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)

    def astray(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        return execute("SELECT nothing FROM nowhere" if "intent_session" in sql else sql, None, many, context)

    def act(request: HttpRequest) -> HttpResponse:
        with connection.execute_wrapper(astray):
            standing = score(request).standing
        return HttpResponse(f"<h1>{standing}, {User.objects.count()} users</h1>")

    client.get("/")
    doing(act)
    assert client.get("/act/").content == b"<h1>unknown, 0 users</h1>"
    assert kinds() == ["page_view", "page_view"]


@pytest.mark.django_db
@pytest.mark.parametrize("wrapped", [False, True], ids=["a cache of the site", "cache_page"])
def test_a_page_that_was_scored_is_no_page_for_a_cache(
    client: Client, doing: Doing, settings: Settings, wrapped: bool
) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "scored"}}
    first, last = "django.middleware.cache.UpdateCacheMiddleware", "django.middleware.cache.FetchFromCacheMiddleware"
    if not wrapped:
        settings.MIDDLEWARE = [first, *settings.MIDDLEWARE, last]

    def act(request: HttpRequest) -> HttpResponse:
        return HttpResponse(f"<h1>{len(served)} {score(request).standing}</h1>")

    def counted(request: HttpRequest) -> HttpResponse:
        served.append(request)
        return act(request)

    served: list[HttpRequest] = []
    doing(cache_page(60)(counted) if wrapped else counted)
    browsers = [client, client, client, Client(headers={"User-Agent": BROWSER})]
    pages = [browser.get("/act/") for browser in browsers]
    assert [page.content for page in pages] == [f"<h1>{number} rules</h1>".encode() for number in (1, 2, 3, 4)]
    assert {page["Cache-Control"] for page in pages} == {"private"}
    assert {page["Vary"] for page in pages} == {"Cookie"}


@pytest.mark.django_db
def test_a_page_that_is_streamed_is_scored_after_what_it_told_once(client: Client, doing: Doing) -> None:
    def act(request: HttpRequest) -> StreamingHttpResponse:
        def parts() -> Iterator[str]:
            yield str(score(request).probability)

        track(request, "cart", product="7", price=3.0, quantity=1)
        early.append(score(request).probability)
        return StreamingHttpResponse(parts())

    early: list[float | None] = []
    doing(act)
    response: Any = client.get("/act/")
    assert b"".join(response.streaming_content).decode() == str(early[0])
    assert Session.objects.get().read_state().cart_units == 1


@pytest.mark.django_db
def test_who_has_logged_out_is_not_scored_any_more(client: Client, doing: Doing) -> None:
    def act(request: HttpRequest) -> HttpResponse:
        logout(request)
        return HttpResponse(f"<h1>{score(request).standing}</h1>")

    client.force_login(User.objects.create_user("ada"))
    client.get("/")
    doing(act)
    assert client.get("/act/").content == b"<h1>unknown</h1>"


@pytest.mark.django_db
def test_a_clock_that_jumps_loses_nothing(client: Client, doing: Doing, monkeypatch: pytest.MonkeyPatch) -> None:
    began = timezone.now()
    doing(_cart)
    jumps = [timedelta(), timedelta(hours=-1), timedelta(days=-365), timedelta(days=200), timedelta(minutes=2)]
    for jump in jumps:
        monkeypatch.setattr(timezone, "now", lambda jump=jump: began + jump)
        assert client.get("/act/").status_code == 200
    assert sorted(kinds()) == ["cart"] * 5 + ["page_view"] * 5
    assert differing() == Refolded()


@pytest.mark.django_db
@pytest.mark.parametrize("many", [100, 101])
def test_any_number_of_events_of_one_page_is_recorded(
    client: Client, doing: Doing, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(recorder, "AT_ONCE", 100)
    client.get("/")

    def act(request: HttpRequest) -> None:
        for number in range(many):
            track(request, "view", product=str(number))

    doing(act)
    client.get("/act/")
    assert kinds() == ["page_view"] + ["view"] * many
    assert differing() == Refolded()
