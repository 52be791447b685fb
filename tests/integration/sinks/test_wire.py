"""What is done on the stream's server: room that is counted right, and an answer for a page after a new start."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from purchase_intent.models import Event
from purchase_intent.tracking.sinks.arriving import Arrived
from purchase_intent.tracking.sinks.draining import drain_stream
from purchase_intent.tracking.sinks.wire import BYTES, FIELD, MOST_BYTES, STREAM, Done, wire_to

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_stream_that_somebody_emptied_takes_events_again(client: Client, stream: Any) -> None:
    client.get("/")
    stream.delete(STREAM)
    stream.set(BYTES, MOST_BYTES)
    client.get("/")
    assert (stream.xlen(STREAM), Event.objects.count()) == (1, 0)
    ((_, fields),) = stream.xrange(STREAM)
    assert int(stream.get(BYTES)) == len(fields[FIELD])
    assert drain_stream() == Arrived(events=1)
    assert int(stream.get(BYTES)) == 0


def test_an_entry_that_two_have_finished_makes_room_once(client: Client, stream: Any, settings: Any) -> None:
    client.get("/")
    client.get("/")
    (first, _), (_, kept) = stream.xrange(STREAM)
    wire = wire_to(settings.PURCHASE_INTENT["STREAM"], patient=True)
    wire.make_group()
    for _ in range(2):
        wire.finish([Done(first, 10_000, "tail")])
    stream.set(BYTES, len(kept[FIELD]))
    wire.finish([Done(first, 10_000, "tail")])
    assert int(stream.get(BYTES)) == len(kept[FIELD])


def test_a_page_after_a_new_start_of_the_server_goes_to_the_stream_all_the_same(client: Client, stream: Any) -> None:
    """Connections are cut, and no script is known any more."""
    client.get("/")
    stream.script_flush()
    stream.client_kill_filter(_type="normal", skipme=True)
    client.get("/")
    assert (stream.xlen(STREAM), Event.objects.count()) == (2, 0)
