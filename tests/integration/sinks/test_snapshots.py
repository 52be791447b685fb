"""A session beside the stream as the drain has left it: the same answers as from the database, which is not asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from purchase_intent.models import Merge, Origin, Scope, Session, Visitor
from purchase_intent.models.session import IDLE
from purchase_intent.shortcuts import Line, score, track_order
from purchase_intent.tracking.identity import COOKIE, identity_of
from purchase_intent.tracking.sinks.arriving import Arrived, record_lines
from purchase_intent.tracking.sinks.chain import chain
from purchase_intent.tracking.sinks.draining import drain_stream
from purchase_intent.tracking.sinks.snapshots import packed, unpacked
from purchase_intent.tracking.sinks.wire import ERA, FIELD, SHOWN, STREAM, Wire, live_key
from purchase_intent.tracking.unjoining import undo
from tests.integration.tracking.corner_shop import CornerShop
from tests.integration.tracking.sending import PATH as EVENTS
from tests.integration.tracking.sending import key_of
from tests.integration.tracking.words import BROWSER

pytestmark = pytest.mark.django_db(transaction=True)
DECISION = "/intent/v1/decision/"


def decided(client: Client) -> tuple[Any, int]:
    """What the decision says, and how many queries for sessions it took."""
    with CaptureQueriesContext(connection) as asked:
        response = client.get(DECISION)
    assert response.status_code == 200
    return response.json(), of_sessions(asked)


def of_sessions(asked: CaptureQueriesContext) -> int:
    """How many of the queries are for sessions, and not for the model that serves."""
    return sum(Session._meta.db_table in each["sql"] for each in asked)


def key(client: Client) -> str:
    """Where the snapshot of the client's session is."""
    identity = identity_of(client.cookies[COOKIE].value, site="")
    assert identity is not None
    return live_key("", identity.session)


def settled(client: Client, stream: Any) -> Any:
    """What the decision says by the database, once the snapshots of all are out of date."""
    stream.incr(ERA)
    found, queries = decided(client)
    assert queries > 0
    return found


def doing(monkeypatch: pytest.MonkeyPatch, what: Callable[[Any], object]) -> None:
    monkeypatch.setattr(CornerShop, "doing", staticmethod(what))


def test_a_decision_asks_the_database_nothing_and_says_the_same(client: Client, stream: Any) -> None:
    for path in ("/", "/product/7/", "/moved/", "/product/8/"):
        client.get(path)
        drain_stream()
        assert decided(client)[1] == 0
        client.get("/product/9/")
        waiting, queries = decided(client)
        assert queries == 0
        assert waiting == settled(client, stream)
        drain_stream()
        assert decided(client) == (waiting, 0)
    assert decided(client)[0]["stage"] == "cart"
    assert 0 < stream.ttl(key(client)) <= SHOWN == IDLE.total_seconds()


def test_a_page_that_scores_asks_no_more_than_the_decision(
    client: Client, stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = list[Any]()
    doing(monkeypatch, lambda request: said.append(score(request)))
    client.get("/moved/")
    drain_stream()
    with CaptureQueriesContext(connection) as asked:
        client.get("/act/")
    assert of_sessions(asked) == 0
    stream.incr(ERA)
    other = Client(headers={"User-Agent": BROWSER})
    other.get("/moved/")
    other.get("/act/")
    assert said[0].probability == said[1].probability is not None


def test_what_touches_more_than_its_session_drops_the_snapshots_of_all_it_touches(
    client: Client, stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One customer in two browsers: what is bought in one is of the other's past."""
    User.objects.create(username="ada")
    phone = Client(headers={"User-Agent": BROWSER})
    for browser in (client, phone):
        browser.get("/product/7/")
        drain_stream()
        assert stream.exists(key(browser))
        browser.post("/enter/", {"name": "ada"})
        drain_stream()
        assert not stream.exists(key(browser))
        for _ in range(2):
            browser.get("/")  # the first sets the cookie of the customer's visitor
            drain_stream()
        assert stream.exists(key(browser))
    lines = [Line(product="7", price=19.5, quantity=2)]
    doing(monkeypatch, lambda request: track_order(request, number="A-1", revenue=39, lines=lines))
    phone.get("/act/")
    drain_stream()
    assert not stream.exists(key(phone), key(client))
    assert decided(phone)[0]["standing"] == "already_bought"
    assert decided(client)[0] == settled(client, stream)


def by_another_server(client: Client, _stream: Any, _patch: pytest.MonkeyPatch) -> None:
    """A shop's back office tells of the visitor, without the session."""
    told = {"name": "cart", "event_id": "b1", "occurred_at": timezone.now().isoformat(), "product": "7", "quantity": 1}
    visitor = Visitor.objects.get().cookie
    answer = client.post(
        EVENTS,
        {"events": [{**told, "visitor": visitor}]},
        content_type="application/json",
        headers=key_of(Scope.EVENTS),
    )
    assert answer.json()["accepted"] == 1


def from_the_spool(client: Client, stream: Any, _patch: pytest.MonkeyPatch) -> None:
    client.get("/moved/")
    ((_, fields),) = stream.xrange(STREAM)
    stream.delete(STREAM, *stream.keys("*:tail:*"))
    assert record_lines([fields[FIELD]], Origin.SPOOL).events == 1


def past_a_stream_that_failed(client: Client, _stream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails for one page, whose events the database takes, and takes those of the next one."""
    add = Wire.add

    def fails(*_args: Any, **_named: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(Wire, "add", fails)
    client.get("/moved/")
    monkeypatch.setattr(Wire, "add", add)
    monkeypatch.setattr(chain().sinks[0].breaker, "_again_at", 0.0)
    Client(headers={"User-Agent": BROWSER}).get("/")


@pytest.mark.parametrize("aside", [by_another_server, from_the_spool, past_a_stream_that_failed])
def test_what_is_recorded_beside_the_stream_counts_at_once(
    client: Client, stream: Any, monkeypatch: pytest.MonkeyPatch, aside: Callable[..., None]
) -> None:
    client.get("/product/7/")
    drain_stream()
    assert decided(client)[0]["stage"] == "product"
    aside(client, stream, monkeypatch)
    assert decided(client)[0]["stage"] == "cart"


def test_a_merge_that_is_taken_back_counts_at_once(client: Client, stream: Any) -> None:
    User.objects.create(username="ada")
    client.get("/product/7/")
    client.post("/enter/", {"name": "ada"})
    drain_stream()
    client.get("/")
    client.get("/")
    drain_stream()
    assert decided(client)[1] == 0
    undo(Merge.objects.get().pk, now=timezone.now(), who="x")
    found, queries = decided(client)
    assert (found["stage"], queries > 0) == ("browsing", True)


def test_a_session_that_has_ended_is_not_gone_on_with(
    client: Client, stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/product/7/")
    drain_stream()
    later = timezone.now() + IDLE + timedelta(seconds=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert decided(client)[0]["standing"] == "unknown"


def test_what_another_release_has_packed_is_not_read(client: Client, stream: Any) -> None:
    client.get("/product/7/")
    assert drain_stream() == Arrived(events=1)
    session = Session.objects.get()
    found = unpacked(packed(session))
    assert found is not None
    assert (found, found.visitor, found.version, found.last_at) == (
        session,
        session.visitor,
        session.version,
        session.last_at,
    )
    assert found.read_state() == session.read_state()
    assert found.read_past() == session.read_past()
    assert found.score is None  # one of the columns that are read when asked for
    assert unpacked(packed(session)[:-1]) is None
    head, _, records = packed(session).partition(b"\n")
    assert unpacked(head[:-1] + b",1]\n" + records) is None
