"""Dead letters and merges at the desk: what is there and why, tried again and taken back by who may."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from purchase_intent.admin.recording import dead_letters
from purchase_intent.events import EventName
from purchase_intent.models import DeadLetter, Event, Merge, Origin, Visitor
from purchase_intent.tracking.place import Sender
from purchase_intent.tracking.sinks.entry import dumps
from tests.integration.desk.conftest import Clerk
from tests.integration.live.walks import BEGIN, Browser, act, later

pytestmark = pytest.mark.django_db

LETTERS = "/admin/purchase_intent/deadletter/"
MERGES = "/admin/purchase_intent/merge/"


def letter(number: int, line: bytes | None = None, *, origin: Origin = Origin.SPOOL) -> DeadLetter:
    """One that could be recorded by now, unless it says something else."""
    told = act(number, later(minutes=number), EventName.VIEW, product=f"lamp{number}", price=5.0)
    fit = dumps(Sender(visitor=f"v{number}", session=f"s{number}"), [told], received=later(minutes=number))
    made: DeadLetter = DeadLetter.objects.create(
        moment=BEGIN, origin=origin, reason=f"reason {number % 2}", line=fit if line is None else line
    )
    return made


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_says_how_many_there_are_and_why(desk: Client) -> None:
    assert "No dead letters, because everything that was accepted could be recorded." in text(desk, LETTERS)
    for number in range(3):
        letter(number)
    letter(3, origin=Origin.STREAM)
    found = text(desk, LETTERS)
    assert "3 from the spool, 1 from the stream" in found
    assert "<strong>2</strong> reason 0" in found
    assert "Try all again" in found
    narrowed = text(desk, f"{LETTERS}?origin__exact=stream")
    assert ("1 from the stream" in narrowed, "from the spool" in narrowed) == (True, False)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        pytest.param(None, ["Viewed a product", "lamp1", "5.00", "&quot;product&quot;: &quot;lamp1&quot;"], id="fit"),
        pytest.param(b'{"v":1', ["cannot be read, because", "{&quot;v&quot;:1"], id="cut off"),
        pytest.param(b"\xff<script>", ["cannot be read, because", "\\xff&lt;script&gt;"], id="no text"),
        pytest.param(b"x" * 30_000, ["The rest is not shown."], id="endless"),
    ],
)
def test_a_page_shows_what_came_as_far_as_it_can_be_read(desk: Client, line: bytes | None, shown: list[str]) -> None:
    found = text(desk, f"{LETTERS}{letter(1, line).pk}/change/")
    assert [words for words in shown if words not in found] == []
    assert "reason 1" in found


def test_tried_again_what_is_fit_is_recorded_once_and_the_rest_stays(desk: Client) -> None:
    letter(1)
    letter(2)
    broken = letter(3, b"broken")
    spared = letter(4, origin=Origin.STREAM)
    page = desk.post(f"{LETTERS}replay/", {"origin": "spool"}, follow=True).content.decode()
    assert "2 recorded, with 2 events. 1 still cannot be." in page
    assert list(DeadLetter.objects.order_by("pk")) == [broken, spared]
    assert DeadLetter.objects.get(pk=broken.pk).reason == "it cannot be read: JSONDecodeError"
    assert sorted(Event.objects.values_list("product", flat=True)) == ["lamp1", "lamp2"]
    assert [entry.change_message for entry in LogEntry.objects.all()] == ["Tried again, and recorded."] * 2
    page = desk.post(f"{LETTERS}{spared.pk}/replay/", follow=True).content.decode()
    assert "1 recorded, with 1 event." in page
    assert desk.post(f"{LETTERS}{spared.pk}/replay/").status_code == 404
    assert "1 still cannot be." in desk.post(f"{LETTERS}{broken.pk}/replay/", follow=True).content.decode()
    assert desk.get(f"{LETTERS}replay/").status_code == 405


def test_one_press_tries_no_more_than_a_page_has_time_for(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "MOST", 2)
    for number in range(3):
        letter(number)
    assert "Try the oldest 2 again" in text(desk, LETTERS)
    desk.post(f"{LETTERS}replay/")
    assert DeadLetter.objects.count() == 1


def merged() -> Merge:
    """A browser that came before, then logged in as a customer who was known already."""
    Browser("laptop", "s-laptop", customer="c1").send(act(1, later(minutes=-300)))
    phone = Browser("phone", "s-phone")
    phone.send(act(2, BEGIN))
    phone.customer = "c1"
    phone.send(act(3, later(minutes=1)))
    return Merge.objects.get()


def test_a_merge_is_shown_and_taken_back_once_after_asking(desk: Client) -> None:
    assert "No merges yet, because" in text(desk, MERGES)
    merge = merged()
    assert "Customer c1" in text(desk, f"{MERGES}?q=phone")
    assert "Nothing matches" in text(desk, f"{MERGES}?q=nobody")
    assert "Nothing matches" in text(desk, f"{MERGES}?state=undone")
    page = f"{MERGES}{merge.pk}/"
    assert "added an anonymous visitor&#x27;s past" in text(desk, f"{page}change/")
    assert "Take this merge back?" in text(desk, f"{page}undo/")
    assert Merge.objects.in_force().exists()
    said = desk.post(f"{page}undo/", follow=True).content.decode()
    assert "Taken back: what came before the login is visitor" in said
    merge.refresh_from_db()
    assert merge.undone_by == "desk"
    assert Visitor.objects.get(cookie="phone").joined is False
    assert "Taken back" in LogEntry.objects.get().change_message
    assert "was taken back already" in text(desk, f"{page}undo/")
    assert "was undone already" in desk.post(f"{page}undo/", follow=True).content.decode()
    assert "Customer c1" in text(desk, f"{MERGES}?state=undone")


def test_what_cannot_be_taken_back_is_said_and_nothing_changes(desk: Client) -> None:
    merge = merged()
    Event.objects.filter(name=EventName.LOGIN.value).delete()
    said = desk.post(f"{MERGES}{merge.pk}/undo/", follow=True).content.decode()
    assert "event is pruned" in said
    assert Merge.objects.in_force().exists()
    assert not LogEntry.objects.exists()
    assert desk.get(f"{MERGES}{merge.pk + 1}/undo/").status_code == 404


def test_who_may_only_look_acts_on_nothing(clerk: Clerk) -> None:
    merge, dead = merged(), letter(1)
    reader = clerk("view_deadletter", "view_merge")
    pages = [LETTERS, f"{LETTERS}{dead.pk}/change/", MERGES, f"{MERGES}{merge.pk}/change/"]
    assert [word for page in pages for word in ("Try ", "Take back") if word in text(reader, page)] == []
    acts = [f"{LETTERS}replay/", f"{LETTERS}{dead.pk}/replay/", f"{MERGES}{merge.pk}/undo/"]
    assert [reader.post(path).status_code for path in acts] == [403, 403, 403]
    assert reader.get(f"{MERGES}{merge.pk}/undo/").status_code == 403
    assert (DeadLetter.objects.count(), Merge.objects.in_force().count()) == (1, 1)


def test_the_lists_ask_as_much_of_many_rows_as_of_few(
    desk: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        letter(number)
        Merge.objects.create(
            customer=f"c{number}",
            visitor=Visitor.objects.create(cookie=f"k{number}", first_seen=BEGIN, last_seen=BEGIN),
            anonymous=Visitor.objects.create(cookie=f"a{number}", first_seen=BEGIN, last_seen=BEGIN),
            happened_at=BEGIN + timedelta(minutes=number),
            sequence=1,
        )
    for path in (LETTERS, MERGES):
        with django_assert_max_num_queries(9):
            desk.get(path)
