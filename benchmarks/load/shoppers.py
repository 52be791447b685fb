"""The sessions that are scored under load: recorded through the stream and the drain, as tracked pages would be."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.core import signing
from django.utils import timezone

from benchmarks.load.client import request
from purchase_intent.events import Event, EventName
from purchase_intent.tracking.identity import COOKIE
from purchase_intent.tracking.place import Sender
from purchase_intent.tracking.recorder import Journey
from purchase_intent.tracking.sinks.chain import chain
from purchase_intent.tracking.sinks.draining import drain

__all__ = ["cookies", "moving", "predictions", "record"]

WALK = (EventName.PAGE_VIEW, EventName.SEARCH, EventName.VIEW, EventName.VIEW, EventName.CART, EventName.VIEW_CART)
"""What a session may have done; each has done the first two to six of it."""
_OF_A_PRODUCT = frozenset({EventName.VIEW, EventName.CART})
DECISION = "/intent/v1/decision/"
PREDICT = "/intent/v1/predict/"


def sender(number: int) -> Sender:
    """The visitor of that number."""
    return Sender(visitor=f"{number:032x}", session=f"{number:031x}s")


def told(number: int, place: int, at: datetime) -> Event:
    """What that visitor does next."""
    name = WALK[place % len(WALK)]
    product = f"p{(number * 7 + place) % 500}"
    facts: dict[str, Any] = {"product": product, "category": "home/lamps", "brand": "Lumo", "price": 19.5}
    return Event(
        event_id=f"{place}",
        name=name,
        occurred_at=at,
        visitor=f"{number:032x}",
        device="mobile",
        channel="Direct",
        **(facts if name in _OF_A_PRODUCT else {}),
    )


def record(sessions: int) -> int:
    """Give each session its first events and drain them; how many events that were."""
    drain()
    begin, events = timezone.now() - timedelta(minutes=6), 0
    for number in range(sessions):
        steps = 2 + number % (len(WALK) - 1)
        walk = [told(number, place, begin + timedelta(seconds=20 * place)) for place in range(steps)]
        chain().write(Journey(sender(number)), walk, score=None)
        events += steps
    done = drain()
    if done.events != events:
        raise RuntimeError(f"{events:,} events were told, and {done.events:,} recorded")
    return events


def cookies(sessions: int) -> list[bytes]:
    """The request of each session's browser for its live decision."""
    return [
        request(DECISION, headers={"Sec-Fetch-Site": "same-origin", "Cookie": f"{COOKIE}={_signed(number)}"})
        for number in range(sessions)
    ]


def moving(asking: list[bytes], *, seed: int, begun: list[int]) -> Iterator[bytes]:
    """Requests for the scores of sessions in random order; before every other one, something happens in its session.

    `begun` counts what has happened so far in each session beyond its first events.
    """
    chance = random.Random(seed)
    turn = 0
    while True:
        number = chance.randrange(len(asking))
        if turn % 2 == 0:
            event = told(number, 100 + begun[number], timezone.now())
            chain().write(Journey(sender(number)), [event], score=None)
            begun[number] += 1
        turn += 1
        yield asking[number]


def predictions(key: str, *, seed: int) -> Iterator[bytes]:
    """Requests to score five events each, of a thousand different visits."""
    headers, made = {"Authorization": f"Bearer {key}"}, []
    now = timezone.now()
    for number in range(1000):
        events = [
            {
                "event_id": f"e{number}-{place}",
                "name": event.name.label,
                "occurred_at": event.occurred_at.isoformat(),
                "device": "mobile",
                "channel": "Direct",
            }
            | ({"product": event.product, "quantity": 1} if event.product else {})
            for place in range(5)
            for event in [told(number, place + number % 2, now - timedelta(seconds=20 * (5 - place) + number % 60))]
        ]
        body = json.dumps({"sent_at": now.isoformat(), "events": events}).encode()
        made.append(request(PREDICT, body=body, headers=headers))
    chance = random.Random(seed)
    while True:
        yield made[chance.randrange(len(made))]


def _signed(number: int) -> str:
    who = sender(number)
    return signing.dumps([who.visitor, who.session], salt="purchase_intent.identity.", compress=True)
