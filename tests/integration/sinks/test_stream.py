"""Events through a real Valkey: one command a page, the score at once, recorded once in batches."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from purchase_intent.models import DeadLetter, Event, Order, Origin, Session, Visitor
from purchase_intent.scoring.answer import Intent
from purchase_intent.shortcuts import Line, score, track, track_order
from purchase_intent.sources.refold import Refolded
from purchase_intent.tasks import drain
from purchase_intent.tracking.sinks import draining, wire
from purchase_intent.tracking.sinks.arriving import Arrived, record_lines
from purchase_intent.tracking.sinks.chain import forget_chains
from purchase_intent.tracking.sinks.draining import HOPELESS, SUSPECT, drain_stream
from purchase_intent.tracking.sinks.entry import loads
from purchase_intent.tracking.sinks.stream import StreamSink
from purchase_intent.tracking.sinks.together import record_together
from purchase_intent.tracking.sinks.wire import BYTES, FIELD, GROUP, LEASE, STREAM
from tests.integration.live.equality import differing
from tests.integration.tracking.corner_shop import CornerShop
from tests.integration.tracking.sending import beacon, event
from tests.integration.tracking.words import BROWSER, errors, kinds

pytestmark = pytest.mark.django_db(transaction=True)


def doing(monkeypatch: pytest.MonkeyPatch, what: Any) -> None:
    monkeypatch.setattr(CornerShop, "doing", staticmethod(what))


def left(stream: Any) -> tuple[int, int, int]:
    """Entries, bytes and lists of sessions that are left on the server."""
    return stream.xlen(STREAM), int(stream.get(BYTES) or 0), len(stream.keys("*:tail:*"))


def test_a_page_asks_the_database_nothing_and_the_drain_records_it(
    client: Client, stream: Any, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        statuses = [client.get(path).status_code for path in ("/?utm_medium=email", "/product/7/", "/moved/", "/")]
    assert statuses == [200, 200, 302, 200]
    assert Event.objects.count() == 0
    assert left(stream)[0] == 4
    assert drain_stream() == Arrived(events=4)
    assert left(stream) == (0, 0, 0)
    assert stream.exists(LEASE) == 0
    assert kinds() == ["page_view", "view", "cart", "page_view"]
    assert set(Event.objects.values_list("channel", flat=True)) == {"Email"}
    session = Session.objects.get()
    assert (session.sequence, session.visitor.known, session.has_news) == (4, False, True)
    assert differing() == Refolded()
    client.get("/product/8/")
    client.get("/product/9/")
    assert drain() == {"events": 2, "known": 0, "dead": 0}
    assert Session.objects.get().sequence == 6
    assert differing() == Refolded()
    assert drain_stream() == Arrived()


def test_the_score_follows_the_session_at_once(client: Client, stream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same pages with the stream, drained at any moment or not at all, and without: the same scores."""

    def shop(drained: tuple[int, ...]) -> list[tuple[Any, ...]]:
        said: list[Intent] = []
        steps = iter(("page_view", "wishlist", "cart", "checkout", "payment_info"))

        def act(request: HttpRequest) -> None:
            track(request, next(steps), product="7")
            said.append(score(request))

        doing(monkeypatch, act)
        visitor = Client(headers={"User-Agent": BROWSER})
        for number in range(5):
            visitor.get("/act/")
            visitor.get("/product/7/")
            if number in drained:
                drain_stream()
        drain_stream()
        return [(intent.standing, intent.stage, round(intent.probability or 0, 9)) for intent in said]

    never, once, always = shop(()), shop((2,)), shop((0, 1, 2, 3, 4))
    assert len({intent[2] for intent in never}) > 2
    assert never == once == always
    assert differing() == Refolded()
    # Each score was given for the state that the drain has found, and is kept with the session.
    assert Session.objects.exclude(score=None).count() == 3


def test_what_is_recorded_while_a_score_is_made_counts_once(
    client: Client, stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drain comes between the reading of what waits and that of the session."""
    said: list[Intent] = []
    doing(monkeypatch, lambda request: said.append(score(request)))
    client.get("/product/7/")
    client.get("/act/")
    plain = StreamSink.standing

    def standing(self: StreamSink, sender: Any, **asked: Any) -> Any:
        found = plain(self, sender, **asked)
        drain_stream()
        return found

    other = Client(headers={"User-Agent": BROWSER})
    monkeypatch.setattr(StreamSink, "standing", standing)
    other.get("/product/7/")
    other.get("/act/")
    assert said[0].stage == said[1].stage
    assert said[0].probability == said[1].probability


def test_a_login_an_order_and_a_logout_through_the_stream(
    client: Client, stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.create(username="ada")
    client.get("/product/7/")
    before = client.cookies["intent"].value
    assert client.post("/enter/", {"name": "ada"}).status_code == 302
    client.get("/")

    def buy(request: HttpRequest) -> None:
        track_order(request, number="A-1", revenue=39, lines=[Line(product="7", price=19.5, quantity=2)])

    doing(monkeypatch, buy)
    client.get("/act/")
    assert drain_stream().dead == 0
    assert Order.objects.get().visitor.customer == str(User.objects.get().pk)
    client.get("/")
    assert client.post("/leave/").status_code == 302
    client.get("/")
    assert client.cookies["intent"].value != before
    assert drain_stream().dead == 0
    assert kinds().count("login") == kinds().count("purchase") == 1
    assert Session.objects.count() == 2
    assert differing() == Refolded()


@pytest.mark.parametrize("way", ["drained", "replayed", "to the database, as the stream is full"])
def test_that_the_script_ran_is_remembered_whichever_way_it_comes(
    client: Client, stream: Any, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    client.get("/")
    drain_stream()
    assert Visitor.objects.get().scripted_at is None
    Visitor.objects.update(bot="scriptless", bot_reason="30 events within 60 seconds")
    if way.endswith("full"):
        monkeypatch.setattr(wire, "MOST_BYTES", 1)
    beacon(client, event(1))
    lines = [fields[FIELD] for _, fields in stream.xrange(STREAM)]
    if way == "replayed":
        assert record_lines(lines, Origin.SPOOL) == Arrived(events=1)
    elif way == "drained":
        assert drain_stream() == Arrived(events=1)
    else:
        assert lines == []
    found = Visitor.objects.get()
    assert (found.scripted_at is None, found.bot, found.bot_reason) == (False, "", "")


def test_a_cookie_that_is_out_of_date_is_told_what_it_must_hold(client: Client, stream: Any) -> None:
    client.get("/")
    drain_stream()
    Session.objects.update(
        started_at=Session.objects.get().started_at - timedelta(hours=2),
        last_at=Session.objects.get().last_at - timedelta(hours=1),
    )
    before = client.cookies["intent"].value
    client.get("/")
    assert client.cookies["intent"].value == before
    drain_stream()
    assert Session.objects.count() == 2
    client.get("/")
    assert client.cookies["intent"].value != before
    drain_stream()
    assert (Session.objects.count(), Visitor.objects.count()) == (2, 1)


def test_a_batch_that_is_delivered_ten_times_is_recorded_once(client: Client, stream: Any) -> None:
    for _ in range(5):
        client.get("/product/7/")
    entries = stream.xrange(STREAM)
    assert drain_stream() == Arrived(events=5)
    for _ in range(9):
        for _, fields in entries:
            stream.xadd(STREAM, fields)
        assert drain_stream() == Arrived(known=5)
    assert (Event.objects.count(), Session.objects.get().sequence) == (5, 5)
    assert differing() == Refolded()


def test_two_tabs_and_a_clock_set_back_lose_nothing(
    client: Client, stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/")
    other = Client(headers={"User-Agent": BROWSER})
    other.cookies = client.cookies
    began = timezone.now()
    for minutes in (0, 1, -60, -59, 2, 3):
        monkeypatch.setattr(timezone, "now", lambda minutes=minutes: began + timedelta(minutes=minutes))
        with ThreadPoolExecutor(2) as tabs:
            answers = [tabs.submit(tab.get, "/product/7/") for tab in (client, other)]
        assert [answer.result().status_code for answer in answers] == [200, 200]
        if minutes == 1:
            assert drain_stream() == Arrived(events=5)
    assert drain_stream() == Arrived(events=8)
    assert Event.objects.count() == 13
    assert Visitor.objects.count() == 1
    assert differing() == Refolded()


def test_what_another_has_begun_is_taken_over_and_a_killer_is_tried_alone_and_buried(
    client: Client, stream: Any, monkeypatch: pytest.MonkeyPatch, told: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        client.get("/")
    tried = list[int]()

    def killed(entries: Any) -> Any:
        tried.append(len(entries))
        if any(entry.events[0].event_id == poison for entry in entries):
            raise KeyboardInterrupt  # the end of the process, as far as the drain can know
        return record_together(entries)

    poison = loads(stream.xrange(STREAM)[1][1][FIELD]).events[0].event_id
    monkeypatch.setattr(draining, "record_together", killed)
    for _ in range(HOPELESS + 3):
        try:
            drain_stream()
        except KeyboardInterrupt:
            continue
        break
    assert tried[:SUSPECT] == [3] * SUSPECT
    assert Event.objects.count() == 2
    letter = DeadLetter.objects.get()
    assert letter.reason == f"the process that recorded it ended, {HOPELESS} times"
    assert letter.origin == "stream"
    assert left(stream)[:2] == (0, 0)
    assert stream.xpending(STREAM, GROUP)["pending"] == 0
    monkeypatch.undo()
    call_command("intent_replay", stdout=StringIO())
    assert (Event.objects.count(), DeadLetter.objects.count()) == (3, 0)
    assert differing() == Refolded()


def test_a_database_that_is_gone_for_long_makes_no_dead_letters(client: Client, stream: Any, monkeypatch: Any) -> None:
    client.get("/")

    def gone(entries: Any) -> Any:
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patched:
        patched.setattr(draining, "record_together", gone)
        for _ in range(HOPELESS + 3):
            with pytest.raises(OperationalError):
                drain_stream()
    assert drain_stream() == Arrived(events=1)
    assert not DeadLetter.objects.exists()


def test_a_line_that_nobody_can_read_becomes_a_dead_letter(client: Client, stream: Any) -> None:
    client.get("/")
    stream.xadd(STREAM, {FIELD: b"{}"})
    stream.xadd(STREAM, {b"other": b"1"})
    assert drain_stream() == Arrived(events=1, dead=2)
    assert set(DeadLetter.objects.values_list("origin", flat=True)) == {"stream"}
    assert stream.xlen(STREAM) == 0


def test_a_stream_that_holds_all_it_may_refuses_and_the_database_takes_the_rest(
    client: Client, stream: Any, monkeypatch: pytest.MonkeyPatch, told: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wire, "MOST_BYTES", 600)
    assert [client.get("/").status_code for _ in range(5)] == [200] * 5
    waiting = stream.xlen(STREAM)
    assert 0 < waiting < 5
    assert int(stream.get(BYTES)) <= 600
    assert Event.objects.count() == 5 - waiting
    assert [said.partition(" (")[0] for said in errors(told)] == ["The stream fails to take events"]
    assert drain_stream() == Arrived(events=waiting)
    assert (Event.objects.count(), Session.objects.count()) == (5, 1)
    assert differing() == Refolded()


def test_a_server_that_is_full_is_drained_and_takes_events_again(client: Client, stream: Any) -> None:
    """Its memory, that is: it refuses whatever may need more."""
    for _ in range(3):
        client.get("/product/7/")
    stream.config_set("maxmemory", 1000)
    try:
        client.get("/product/8/")
        assert (stream.xlen(STREAM), Event.objects.count()) == (3, 1)
        assert drain_stream() == Arrived(events=3)
        assert left(stream) == (0, 0, 0)
        assert not stream.keys("*:live:*")
    finally:
        stream.config_set("maxmemory", 0)
    forget_chains()
    client.get("/product/9/")
    assert drain_stream() == Arrived(events=1)
    assert (Event.objects.count(), Session.objects.count()) == (5, 1)
    assert len(stream.keys("*:live:*")) == 1
    assert differing() == Refolded()


def test_who_drains_does_so_alone(client: Client, stream: Any) -> None:
    client.get("/")
    stream.set(LEASE, "another")
    assert drain_stream() == Arrived()
    stream.delete(LEASE)
    assert drain_stream() == Arrived(events=1)


def test_the_command_drains_both_and_says_what_is_missing(client: Client, stream: Any, settings: Settings) -> None:
    client.get("/")
    call_command("intent_drain", stdout=(out := StringIO()))
    assert out.getvalue().endswith("Recorded 1 events; 0 were there already, 0 lines became dead letters.\n")
    settings.PURCHASE_INTENT = {**settings.PURCHASE_INTENT, "STREAM": "redis://127.0.0.1:1/0"}
    with pytest.raises(CommandError, match="The stream's server does not answer"):
        call_command("intent_drain", stdout=StringIO())
    settings.PURCHASE_INTENT = {**settings.PURCHASE_INTENT, "STREAM": ""}
    with pytest.raises(CommandError, match="There is no stream to follow"):
        call_command("intent_drain", "--follow", stdout=StringIO())
