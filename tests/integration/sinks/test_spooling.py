"""While the database is gone events are spooled, and recorded afterwards as if it had never been."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError, InterfaceError, InternalError, OperationalError, ProgrammingError, connection
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from purchase_intent.models import DeadLetter, Event, Origin, Session
from purchase_intent.sources.refold import Refolded
from purchase_intent.tasks import drain
from purchase_intent.tracking.attached import attached
from purchase_intent.tracking.refusals import forget_refusals
from purchase_intent.tracking.sinks.arriving import Arrived, record_lines, replay_dead_letters, replay_spool
from purchase_intent.tracking.sinks.chain import chain, forget_chains
from purchase_intent.tracking.sinks.entry import dumps
from purchase_intent.tracking.sinks.spool import Spool
from tests.integration.live.equality import differing
from tests.integration.live.walks import BEGIN, SENDER, act
from tests.integration.tracking.corner_shop import CornerShop
from tests.integration.tracking.sending import ago, beacon, event, said
from tests.integration.tracking.words import errors, kinds, warned

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def gone(error: type[Exception] = OperationalError) -> Iterator[list[str]]:
    """Have every statement fail; those that did."""
    failed = list[str]()

    def run(execute: Any, sql: str, *rest: Any) -> Any:
        failed.append(sql)
        raise error("server closed the connection unexpectedly")

    with connection.execute_wrapper(run):
        yield failed


def lines(folder: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("*.spool"))


@pytest.mark.parametrize("error", [InterfaceError, InternalError, ProgrammingError, DatabaseError])
def test_whatever_the_database_says_the_spool_takes_what_it_does_not(
    client: Client, spool: Path, error: type[Exception]
) -> None:
    """A server that lets nobody write after a failover, a table that is not there yet."""
    with gone(error):
        assert client.get("/product/7/").status_code == 200
    assert (lines(spool), chain().dropped) == (1, 0)
    assert replay_spool() == Arrived(events=1)


def test_with_the_database_alone_what_it_does_not_take_is_counted(
    client: Client, spool: Path, settings: Settings
) -> None:
    settings.PURCHASE_INTENT = {**settings.PURCHASE_INTENT, "SPOOL": ""}
    with gone():
        assert client.get("/product/7/").status_code == 200
    assert chain().dropped == 1


def test_a_fault_after_the_events_are_written_loses_none(
    client: Client, spool: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_visitor: str) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    settings.PURCHASE_INTENT = {**settings.PURCHASE_INTENT, "SPOOL": ""}

    def act(request: HttpRequest) -> None:
        tracker = attached(request)
        assert tracker is not None
        tracker.afterwards.append(breaks)

    monkeypatch.setattr(CornerShop, "doing", staticmethod(act))
    assert client.get("/act/").status_code == 200
    assert (Event.objects.count(), chain().dropped) == (1, 0)


def test_pages_go_on_and_their_events_are_recorded_afterwards(
    client: Client, spool: Path, told: pytest.LogCaptureFixture
) -> None:
    client.get("/?utm_medium=email")
    with gone() as failed:
        assert [client.get(path).status_code for path in ("/product/7/", "/moved/", "/")] == [200, 302, 200]
    # The first page alone has asked the database: after that it is left alone.
    assert len(failed) == 1
    assert lines(spool) == 3
    assert errors(told) == [
        "The database fails to take events (OperationalError): the next sink takes them until it does."
    ]
    assert replay_spool() == Arrived(events=3)
    assert list(spool.glob("*.*ol")) == []
    assert kinds() == ["page_view", "view", "cart", "page_view"]
    assert set(Event.objects.values_list("channel", "device")) == {("Email", "desktop")}
    assert Session.objects.get().sequence == 4
    assert differing() == Refolded()
    assert replay_spool() == Arrived()


def test_a_batch_of_the_script_goes_the_same_way(client: Client, spool: Path) -> None:
    """A page that is left hears no answer: what it was not told is lost, it cannot send again."""
    first = event(1)
    client.get("/?utm_medium=email")
    beacon(client, first)
    with gone() as failed:
        assert said(beacon(client, first, event(2, "cart"), event(2, "cart"))) == ["accepted"] * 2 + ["duplicate"]
        assert said(beacon(client, event(3), event(4, occurred_at=ago(hours=20)))) == ["accepted"] * 2
    assert len(failed) == 1
    assert lines(spool) == 3
    assert replay_spool() == Arrived(events=3, known=1)
    assert list(Session.objects.order_by("started_at").values_list("sequence", flat=True)) == [1, 4]
    assert kinds() == ["view", "view", "cart", "view", "page_view"]
    assert set(Event.objects.exclude(event_id="e4").values_list("channel", flat=True)) == {"Email"}


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_what_is_refused_of_a_batch_costs_the_rest_nothing(
    client: Client, spool: Path, settings: Any, error: type[Exception]
) -> None:
    """After the first statement that failed, a driver says of its connection that it is closed already."""
    forget_refusals()
    with gone(error):
        answer = beacon(client, event(1), event(2, "teleport"), event(3, quantity=-1))
        assert said(answer)[0] == "accepted"
        assert lines(spool) == 1
        settings.PURCHASE_INTENT = {**settings.PURCHASE_INTENT, "SPOOL": ""}
        assert beacon(client, event(4), status=503)["code"] == "database_unavailable"


def test_a_database_that_answers_again_is_asked_again(
    client: Client, spool: Path, told: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gone():
        client.get("/")
    client.get("/")
    assert Event.objects.count() == 0
    monkeypatch.setattr("purchase_intent.tracking.sinks.breaker.REST", 0.0)
    breaker = chain().sinks[0].breaker
    breaker.fail()
    client.get("/")
    assert breaker.is_closed
    assert warned(told) == ["The database takes events again."]
    client.get("/")
    assert kinds() == ["page_view"] * 2
    call_command("intent_drain", stdout=(out := StringIO()))
    assert out.getvalue().splitlines()[-1] == "Recorded 2 events; 0 were there already, 0 lines became dead letters."
    assert kinds() == ["page_view"] * 4
    assert Session.objects.count() == 1


def test_a_customer_of_whom_nothing_can_be_read_goes_on_as_the_visitor(client: Client, spool: Path) -> None:
    client.force_login(User.objects.create(username="ada"))
    client.get("/")
    with gone():
        assert client.get("/").status_code == 200
    assert lines(spool) == 1
    assert drain() == {"events": 1, "known": 0, "dead": 0}
    assert Session.objects.get().visitor.customer == str(User.objects.get().pk)
    assert kinds() == ["login", "page_view", "page_view"]
    assert differing() == Refolded()


def test_a_spool_that_is_replayed_ten_times_adds_its_events_once(client: Client, spool: Path, tmp_path: Path) -> None:
    with gone():
        for _ in range(5):
            client.get("/product/7/")
    (file,) = spool.glob("*.spool")
    shutil.copy(file, tmp_path / "again")
    assert replay_spool() == Arrived(events=5)
    for number in range(9):
        shutil.copy(tmp_path / "again", spool / f"{number}.taken")
        assert replay_spool() == Arrived(known=5)
    assert (Event.objects.count(), Session.objects.get().sequence) == (5, 5)
    assert differing() == Refolded()


def test_a_database_that_goes_in_mid_replay_loses_nothing(client: Client, spool: Path) -> None:
    with gone():
        for _ in range(3):
            client.get("/product/7/")
    with gone(), pytest.raises(OperationalError):
        replay_spool()
    assert Event.objects.count() == 0
    assert replay_spool() == Arrived(events=3)


def test_without_a_place_for_them_events_are_dropped_counted_and_the_page_is_served(
    client: Client, spool: Path, told: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Spool, line: bytes) -> None:
        raise OSError(28, "No space left on device")

    with gone(), monkeypatch.context() as patched:
        patched.setattr(Spool, "append", full)
        assert [client.get("/").status_code for _ in range(3)] == [200] * 3
        assert chain().dropped == 3
    dropping = [said for said in errors(told) if said.startswith("Events are dropped")]
    assert len(dropping) == 1
    chain().sinks[1].breaker.succeed()
    client.get("/")
    assert warned(told) == ["Events are taken again; this process has dropped 3 of them so far."]
    assert replay_spool() == Arrived(events=1)
    forget_chains()
    assert chain().dropped == 0


@pytest.mark.parametrize("what", [b"{}", b"\xff\xfe"], ids=["nothing in it", "no text"])
def test_a_line_nobody_can_read_becomes_a_dead_letter_and_the_next_is_recorded(spool: Path, what: bytes) -> None:
    good = dumps(SENDER, [act(1, BEGIN, visitor="v1")], received=timezone.now())
    assert record_lines([what, good], Origin.SPOOL) == Arrived(events=1, dead=1)
    letter = DeadLetter.objects.get()
    assert (bytes(letter.line), letter.origin) == (what, Origin.SPOOL)
    assert str(letter).startswith("it cannot be read: ")
    assert replay_dead_letters() == Arrived(dead=1)
    letter.line = dumps(SENDER, [act(2, BEGIN, visitor="v1")], received=timezone.now())
    letter.save()
    call_command("intent_replay", stdout=(out := StringIO()))
    assert out.getvalue() == "Recorded 1 events; 0 were there already, 0 dead letters are left.\n"
    assert (DeadLetter.objects.count(), Event.objects.count()) == (0, 2)


def test_a_line_that_was_cut_off_was_never_taken(spool: Path) -> None:
    good = dumps(SENDER, [act(1, BEGIN, visitor="v1")], received=timezone.now())
    spool.mkdir()
    (spool / "1.spool").write_bytes(good + b"\n" + good[:20])
    assert replay_spool() == Arrived(events=1)
    assert not DeadLetter.objects.exists()


def test_without_a_spool_a_fault_is_told_as_ever(client: Client, spool: Path, settings: Any, told: Any) -> None:
    settings.PURCHASE_INTENT = {"SHOP": "tests.integration.tracking.corner_shop.CornerShop"}
    with gone():
        client.get("/")
        client.get("/")
    assert [said[:32] for said in errors(told)] == ["This request is not recorded, or"] * 2
    assert not spool.exists()
    assert replay_spool() == Arrived()
