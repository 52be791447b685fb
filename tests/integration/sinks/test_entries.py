"""A request's events as a line: the same again when it is read, and refused where it is not fit."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from purchase_intent.events import ClientEvent, EventName, Page
from purchase_intent.exceptions import EntryRefused
from purchase_intent.scoring.answer import Intent, Standing
from purchase_intent.tracking.place import Sender
from purchase_intent.tracking.sinks.entry import Entry, Given, dumps, loads
from tests.integration.live.walks import BEGIN, act, later

WHO = Sender(visitor="v", session="s", site="eu", customer="7", bot="staff", bot_reason="signed in")
FULL = act(
    2,
    later(seconds=1),
    EventName.PURCHASE,
    visitor="v",
    page=Page.CONFIRMATION,
    product='7"\u2028',
    category="home",
    brand="Łumo",
    price=0.1,
    quantity=0,
    order="A-1",
    revenue=19.99,
    search="lamp",
    device="mobile",
    channel="Email",
    country="Poland",
)


@pytest.mark.parametrize("model", [None, 3], ids=["by the rules", "by a model"])
def test_a_line_says_all_that_the_request_did(model: int | None) -> None:
    standing = Standing.RULES if model is None else Standing.SCORED
    intent = Intent(standing=standing, probability=0.1, band="top_5", model=model, moment=later(seconds=1))
    given = Given(intent=intent, digest=bytes(range(16)))
    told = (act(1, BEGIN, visitor="v"), FULL)
    line = dumps(WHO, told, received=later(seconds=2), given=given, scripted=True)
    assert line.isascii()
    assert b"\n" not in line
    assert loads(line) == Entry(sender=WHO, events=told, received=later(seconds=2), given=given, scripted=True)


def test_the_clock_of_a_client_goes_along() -> None:
    event = ClientEvent(event_id="e1", name=EventName.VIEW, occurred_at=BEGIN, visitor="v", stamp=17)
    assert loads(dumps(WHO, [event], received=BEGIN)).events == (event,)


def test_times_are_whole_milliseconds() -> None:
    line = dumps(WHO, [act(1, BEGIN + timedelta(microseconds=1999))], received=BEGIN + timedelta(microseconds=999))
    entry = loads(line)
    assert (entry.events[0].occurred_at, entry.received) == (BEGIN + timedelta(milliseconds=1), BEGIN)


GOOD = json.loads(dumps(WHO, [FULL], received=BEGIN))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param(b"", "it cannot be read: JSONDecodeError", id="empty"),
        pytest.param(b"[]", "it cannot be read: TypeError", id="a list"),
        pytest.param(b"{}", "it cannot be read: KeyError", id="nothing in it"),
        pytest.param(b"\xff", "it cannot be read: UnicodeDecodeError", id="no text"),
        pytest.param({"v": 2}, "it is written in version 2, and this release reads 1", id="of a later release"),
        pytest.param({"sender": {"visitor": "v"}}, "it cannot be read: TypeError", id="no session"),
        pytest.param({"sender": "me"}, "it cannot be read: TypeError", id="a sender that is a text"),
        pytest.param({"at": 10**18}, "it cannot be read: OverflowError", id="after the end of time"),
        pytest.param(
            {"events": [{"id": "1", "name": 99, "at": 0}]}, "it cannot be read: ValueError", id="no such event"
        ),
        pytest.param({"events": [{"id": "", "name": 1, "at": 9**13}]}, "one of its events is not fit: ", id="no id"),
    ],
)
def test_what_is_not_a_line_of_ours_is_refused_with_the_reason(line: Any, said: str) -> None:
    given = line if isinstance(line, bytes) else json.dumps(GOOD | line).encode()
    with pytest.raises(EntryRefused) as refused:
        loads(given)
    assert refused.value.message.startswith(said)
