"""A real PostgreSQL that stops, hangs and comes back under shoppers: pages are served, no event is lost or doubled."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event as Signal

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from pytest_django import DjangoDbBlocker

from purchase_intent.models import Event, Session, Visitor
from purchase_intent.sources.refold import Refolded
from purchase_intent.tracking.sinks import chain as chains
from purchase_intent.tracking.sinks.arriving import Arrived, replay_spool
from purchase_intent.tracking.sinks.chain import chain
from purchase_intent.tracking.sinks.spool import Spool
from tests.integration.live.equality import differing
from tests.integration.tracking.words import BROWSER, errors
from tests.postgres import Server, instead, running_server

if sys.platform == "win32":
    pytest.skip("the wheel of PostgreSQL is not for Windows", allow_module_level=True)

pytestmark = pytest.mark.slow

SHOPPERS = 3


@pytest.fixture(scope="module")
def started(django_db_blocker: DjangoDbBlocker) -> Iterator[Server]:
    """A server of these tests' own, whichever the run is on, with our tables."""
    with running_server() as running, django_db_blocker.unblock():
        with instead(running.url):
            call_command("migrate", verbosity=0)
        yield running


@pytest.fixture
def server(started: Server, django_db_blocker: DjangoDbBlocker) -> Iterator[Server]:
    """That server, running and without rows."""
    with django_db_blocker.unblock(), instead(started.url):
        Visitor.objects.all().delete()
        yield started


def shop_until(over: Signal, statuses: list[int]) -> None:
    """One shopper goes from page to page in a thread of its own."""
    client = Client(headers={"User-Agent": BROWSER})
    while not over.is_set():
        statuses.append(client.get("/product/7/").status_code)
    connections.close_all()


def under_load(*happenings: Callable[[], object]) -> list[int]:
    """Have things happen while shoppers shop; the statuses of all pages."""
    over, statuses = Signal(), list[int]()

    def reach(count: int) -> None:
        while len(statuses) < count:
            over.wait(0.01)

    with ThreadPoolExecutor(SHOPPERS) as pool:
        shoppers = [pool.submit(shop_until, over, statuses) for _ in range(SHOPPERS)]
        try:
            for happening in happenings:
                reach(len(statuses) + 20)
                happening()
            reach(len(statuses) + 20)
        finally:
            over.set()
        for shopper in shoppers:
            shopper.result()
    return statuses


def test_a_server_that_stops_and_starts_under_load_loses_nothing(
    server: Server, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("purchase_intent.tracking.sinks.breaker.REST", 0.1)
    statuses = under_load(server.stop, server.start)
    connection.close()
    assert set(statuses) == {200}
    assert chain().dropped == 0
    spooled = sum(path.read_bytes().count(b"\n") for path in spool.iterdir())
    assert spooled > 0
    done = replay_spool()
    assert (done.events + done.known, done.dead) == (spooled, 0)
    assert Event.objects.count() == len(statuses)
    assert Session.objects.count() == SHOPPERS
    assert differing() == Refolded()


def test_what_nobody_could_take_is_counted_and_the_rest_is_there(
    server: Server, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server stops, and the spool's disk is full for a while."""
    append = Spool.append

    def full(self: Spool, line: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("purchase_intent.tracking.sinks.breaker.REST", 0.1)
    statuses = under_load(
        server.stop,
        lambda: monkeypatch.setattr(Spool, "append", full),
        lambda: monkeypatch.setattr(Spool, "append", append),
        server.start,
    )
    connection.close()
    assert set(statuses) == {200}
    replay_spool()
    assert chain().dropped > 0
    assert Event.objects.count() == len(statuses) - chain().dropped
    assert differing() == Refolded()


def test_a_server_that_lets_one_wait_holds_a_page_no_longer_than_its_time(
    server: Server, spool: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(headers={"User-Agent": BROWSER})
    client.get("/product/7/")
    monkeypatch.setattr(chains, "SECONDS", 0.2)
    other = connection.copy()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLE purchase_intent_event IN ACCESS EXCLUSIVE MODE")
    try:
        assert [client.get("/product/7/").status_code for _ in range(3)] == [200] * 3
    finally:
        other.rollback()
        other.close()
    assert [said.partition(" (")[0] for said in errors(caplog)] == ["The database fails to take events"]
    # The server does not know that nobody waits any more, and records the first of them after all.
    assert replay_spool() == Arrived(events=2, known=1)
    assert Session.objects.get().sequence == 4
    assert differing() == Refolded()
