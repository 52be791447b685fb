"""Valkey, PostgreSQL and the worker that drains, stopped and killed: every event that was accepted is there, once."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
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

from celery import Celery

from tests.integration.sinks.killed import KILLS, WORKERS
from tests.valkey import Store
from tests.worker import PATIENCE, running

pytestmark = pytest.mark.slow

LEASE = 0.2
KILLED = "tests.integration.sinks.killed"
"""The worker that is killed."""


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


def pages(count: int) -> None:
    """Visitors of five pages each."""
    for _ in range(count // 5):
        client = Client(headers={"User-Agent": BROWSER})
        assert {client.get("/product/7/").status_code for _ in range(5)} == {200}


def killed_in_mid_batch(store: Store) -> None:
    """Kill the server while a drain has a batch that is committed and not acknowledged; the one before it was."""
    plain, batches = Wire.finish, list[int]()

    def dying(*given: Any, **named: Any) -> None:
        batches.append(1)
        if len(batches) > 1:
            store.kill()
        plain(*given, **named)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Wire, "finish", dying)
        patched.setattr(draining, "BATCH", 5)
        while len(batches) < 2:
            with suppress(*draining.faults()):
                draining.drain()
            Signal().wait(LEASE / 4)


@pytest.mark.parametrize("end", [pytest.param(Store.stop, id="stopped"), pytest.param(Store.kill, id="killed")])
def test_the_streams_server_goes_under_load(store: Store, end: Callable[[Store], None]) -> None:
    load = under_load(*[lambda: end(store), store.start] * 2)
    assert set(load.statuses) == {200}
    assert chain().dropped == 0
    assert drained(store).dead == 0
    assert Event.objects.count() == len(load.statuses)
    assert Session.objects.count() == load.shoppers
    assert differing() == Refolded()


def test_the_streams_server_is_killed_in_mid_batch_again_and_again(store: Store) -> None:
    for _ in range(KILLS):
        pages(15)
        killed_in_mid_batch(store)
        pages(5)
        store.start()
    assert chain().dropped == 0
    assert drained(store).dead == 0
    assert (Event.objects.count(), Session.objects.count()) == (20 * KILLS, 4 * KILLS)
    assert not DeadLetter.objects.exists()
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


@pytest.fixture
def environment(store: Store, server: Server, tmp_path: Path) -> dict[str, str]:
    """What a worker is started with: the test's own servers and folders."""
    (tmp_path / "killed").touch()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("COVERAGE", "DJANGO"))}
    return kept | {
        "DATABASE_URL": server.url,
        "DEMO_VAR": str(tmp_path),
        "KILLED": str(tmp_path / "killed"),
        "OMP_NUM_THREADS": "1",
        "REDIS_URL": store.url.replace("/0", "/1"),
        "STREAM_URL": store.url,
    }


def worked_off(app: Celery, environment: dict[str, str], log: Path) -> None:
    """Have a worker drain the stream, until nothing is left or the worker is gone."""
    # Celery puts another child in the place of one that is gone after five seconds, and misses its task after ten: the
    # next ones are not to wait for that.
    options = ["--pool=prefork", "--concurrency=3", "--prefetch-multiplier=9", "--without-gossip", "--without-mingle"]
    client = wire_to(environment["STREAM_URL"], patient=True).client
    until = time.monotonic() + PATIENCE
    with running("worker", *options, environment=environment, log=log, app=KILLED) as worker:
        while client.xlen(STREAM) and worker.poll() is None:
            assert time.monotonic() < until
            app.send_task("purchase_intent.drain", expires=5, ignore_result=True)
            Signal().wait(LEASE)


def test_a_worker_is_killed_in_mid_batch_again_and_again(
    store: Store, environment: dict[str, str], tmp_path: Path
) -> None:
    """Before the commit and after it, the child alone and the whole worker: each batch is another's to take over."""
    pages(110)
    connections.close_all()
    client, workers, log = wire_to(store.url, patient=True).client, 0, tmp_path / "worker.log"
    with Celery("sender", broker=environment["REDIS_URL"], set_as_current=False) as app:
        while client.xlen(STREAM):
            worked_off(app, environment, log)
            workers += 1
    assert (tmp_path / "killed").stat().st_size == KILLS
    assert workers == len(WORKERS) + 1
    assert (Event.objects.count(), Session.objects.count()) == (110, 22)
    assert not DeadLetter.objects.exists()
    assert differing() == Refolded()
