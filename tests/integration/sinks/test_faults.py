"""Valkey, PostgreSQL and the drain, stopped and killed under shoppers: every event accepted is there, once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event as Signal
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.test import Client
from pytest_django import Settings

from purchase_intent.models import DeadLetter, Event, Session
from purchase_intent.sources.refold import Refolded
from purchase_intent.tracking.sinks import draining
from purchase_intent.tracking.sinks.arriving import Arrived
from purchase_intent.tracking.sinks.chain import chain, forget_chains
from purchase_intent.tracking.sinks.wire import STREAM, Wire, wire_to
from tests.integration.live.equality import differing
from tests.integration.sinks.load import under_load
from tests.integration.tracking.words import BROWSER
from tests.postgres import Server

if sys.platform == "win32":
    pytest.skip("the wheels of Valkey and PostgreSQL are not for Windows", allow_module_level=True)

from tests.valkey import Store

pytestmark = pytest.mark.slow

LEASE = 0.2
KILLS = 20
"""How often Valkey, and a drain, are killed."""


@pytest.fixture
def store(
    server: Server, spool: Path, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    """A Valkey server before the PostgreSQL server, and breakers and leases that do not take long."""
    monkeypatch.setattr("purchase_intent.tracking.sinks.breaker.REST", 0.1)
    monkeypatch.setattr(draining, "LEASE_SECONDS", LEASE)
    started = Store(tmp_path / "valkey")
    settings.PURCHASE_INTENT = {**settings.PURCHASE_INTENT, "STREAM": started.url}
    yield started
    started.stop()
    wire_to.cache_clear()
    forget_chains()


def drained(store: Store) -> Arrived:
    """What there is, recorded to the last entry, whoever held the lease."""
    connections.close_all()
    done, client = draining.drain(), wire_to(store.url, patient=True).client
    while client.xlen(STREAM):
        Signal().wait(LEASE)
        done += draining.drain()
    return done


@pytest.mark.parametrize(
    ("end", "times"), [pytest.param(Store.stop, 2, id="stopped"), pytest.param(Store.kill, KILLS, id="killed")]
)
def test_the_streams_server_goes_under_load(store: Store, end: Callable[[Store], None], times: int) -> None:
    load = under_load(*[lambda: end(store), store.start] * times)
    assert set(load.statuses) == {200}
    assert chain().dropped == 0
    assert drained(store).dead == 0
    assert Event.objects.count() == len(load.statuses)
    assert Session.objects.count() == load.shoppers
    assert differing() == Refolded()


def test_the_database_goes_under_load(store: Store, server: Server, spool: Path) -> None:
    recorded = list[object]()

    def in_vain() -> None:
        connections.close_all()
        with pytest.raises(OperationalError):
            draining.drain()
        recorded.append(None)

    load = under_load(server.stop, in_vain, server.start)
    assert set(load.statuses) == {200}
    assert len(recorded) == 1
    assert not spool.exists()
    assert drained(store) == Arrived(events=len(load.statuses))
    assert differing() == Refolded()


def test_both_go_under_load(store: Store, server: Server, spool: Path) -> None:
    load = under_load(store.kill, server.stop, server.start, store.start)
    assert set(load.statuses) == {200}
    assert chain().dropped == 0
    assert list(spool.glob("*.spool"))
    assert drained(store).dead == 0
    assert Event.objects.count() == len(load.statuses)
    assert Session.objects.count() == load.shoppers
    assert differing() == Refolded()


def pages(count: int) -> None:
    """Visitors of five pages each."""
    for _ in range(count // 5):
        client = Client(headers={"User-Agent": BROWSER})
        assert {client.get("/product/7/").status_code for _ in range(5)} == {200}


def killed_at(moment: str) -> None:
    """Drain in a child that is killed at a moment of its second batch."""
    connections.close_all()
    child = os.fork()
    if child:
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
        return
    try:
        _drain_until(moment)
    finally:
        os._exit(0)


def _drain_until(moment: str) -> None:
    owner: Any = draining if moment == "begins" else Wire
    name = "record_together" if moment == "begins" else "finish"
    plain, calls = getattr(owner, name), list[int]()

    def dying(*given: Any) -> Any:
        calls.append(1)
        if len(calls) > 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return plain(*given)

    setattr(owner, name, dying)
    wire_to.cache_clear()
    draining.drain()


@pytest.mark.parametrize("moment", ["begins", "is committed"])
def test_a_drain_is_killed_as_its_batch(store: Store, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "BATCH", 10)
    pages(60)
    for _ in range(2):
        killed_at(moment)
        Signal().wait(2 * LEASE)
    before = Event.objects.count()
    # The first batch of each is recorded; the second where it was committed. What a batch left is taken over.
    assert before == {"begins": 20, "is committed": 30}[moment]
    known = 0 if moment == "begins" else 10
    assert drained(store) == Arrived(events=60 - before, known=known)
    assert (Event.objects.count(), Session.objects.count()) == (60, 12)
    assert not DeadLetter.objects.exists()
    assert differing() == Refolded()


def test_a_drain_is_killed_whenever_it_happens(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "BATCH", 5)
    pages(110)
    client, killed = wire_to(store.url, patient=True).client, 0
    for left in range(105, 105 - 5 * KILLS, -5):
        connections.close_all()
        child = os.fork()
        if not child:
            wire_to.cache_clear()
            try:
                draining.drain()
            finally:
                os._exit(0)
        while client.xlen(STREAM) > left:
            Signal().wait(0.001)
        os.kill(child, signal.SIGKILL)
        killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        Signal().wait(2 * LEASE)
    drained(store)
    assert killed > KILLS / 2
    assert (Event.objects.count(), Session.objects.count()) == (110, 22)
    assert not DeadLetter.objects.exists()
    assert differing() == Refolded()
