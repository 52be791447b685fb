"""A real PostgreSQL that stops, hangs and comes back under shoppers: pages are served, no event is lost or doubled."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from purchase_intent.models import Event, Session
from purchase_intent.sources.refold import Refolded
from purchase_intent.tracking.refusals import forget_refusals, note_refusal
from purchase_intent.tracking.sinks import chain as chains
from purchase_intent.tracking.sinks.arriving import Arrived, replay_spool
from purchase_intent.tracking.sinks.chain import chain
from purchase_intent.tracking.sinks.spool import Spool
from tests.integration.live.equality import differing
from tests.integration.sinks.load import under_load
from tests.integration.tracking.words import BROWSER, errors
from tests.postgres import Server

if sys.platform == "win32":
    pytest.skip("the wheel of PostgreSQL is not for Windows", allow_module_level=True)

pytestmark = pytest.mark.slow


def test_a_server_that_stops_and_starts_under_load_loses_nothing(
    server: Server, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("purchase_intent.tracking.sinks.breaker.REST", 0.1)
    load = under_load(server.stop, server.start)
    connection.close()
    assert set(load.statuses) == {200}
    assert chain().dropped == 0
    spooled = sum(path.read_bytes().count(b"\n") for path in spool.iterdir())
    assert spooled > 0
    done = replay_spool()
    assert (done.events + done.known, done.dead) == (spooled, 0)
    assert Event.objects.count() == len(load.statuses)
    assert Session.objects.count() == load.shoppers
    assert differing() == Refolded()


def test_what_nobody_could_take_is_counted_and_the_rest_is_there(
    server: Server, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server stops, and the spool's disk is full for a while."""
    append = Spool.append

    def full(self: Spool, line: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("purchase_intent.tracking.sinks.breaker.REST", 0.1)
    load = under_load(
        server.stop,
        lambda: monkeypatch.setattr(Spool, "append", full),
        lambda: monkeypatch.setattr(Spool, "append", append),
        server.start,
    )
    connection.close()
    assert set(load.statuses) == {200}
    replay_spool()
    assert chain().dropped > 0
    assert Event.objects.count() == len(load.statuses) - chain().dropped
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
        cursor.execute("LOCK TABLE purchase_intent_event, purchase_intent_refusal IN ACCESS EXCLUSIVE MODE")
    try:
        assert [client.get("/product/7/").status_code for _ in range(3)] == [200] * 3
        forget_refusals()
        note_refusal("unknown_event_name", "name")
    finally:
        other.rollback()
        other.close()
    assert [said.partition(" (")[0] for said in errors(caplog)] == ["The database fails to take events"]
    # The server does not know that nobody waits any more, and records the first of them after all.
    assert replay_spool() == Arrived(events=2, known=1)
    assert Session.objects.get().sequence == 4
    assert differing() == Refolded()
