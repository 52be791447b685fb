"""What one request tells, as a line of JSON: on its way to the database by a detour, and the same however often."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from purchase_intent.events import ClientEvent, Event, EventName, Page
from purchase_intent.exceptions import EntryRefused, EventRefused
from purchase_intent.features.encode import milliseconds
from purchase_intent.scoring.answer import Intent, Standing
from purchase_intent.scoring.live import moment
from purchase_intent.scoring.score import milliseconds as since_epoch
from purchase_intent.tracking.place import Sender

__all__ = ["Entry", "Given", "dumps", "loads"]

VERSION: Final = 1
"""Of this writing. A line of a later one is refused, not misread."""
_TEXTS: Final = ("product", "category", "brand", "order", "search", "device", "channel", "country")
_NUMBERS: Final = ("price", "quantity", "revenue")
_OTHERS: Final = (*_TEXTS, *_NUMBERS)
_SENDER: Final = tuple(Sender.__dataclass_fields__)
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The score that the page gave, and the digest (`foreseen.digest_of`) of the state that it was given for."""

    intent: Intent
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One request's events, all of one sender; `received` (aware) is when the server heard of them.

    `scripted`: the shop's script has told them, so it runs in the sender's browser.
    """

    sender: Sender
    events: tuple[Event, ...]
    received: datetime
    given: Given | None = None
    scripted: bool = False


def dumps(
    sender: Sender,
    events: Sequence[Event],
    *,
    received: datetime,
    given: Given | None = None,
    scripted: bool = False,
) -> bytes:
    """One line, in ASCII and without its end; times in whole milliseconds since 1970 UTC."""
    told: dict[str, Any] = {
        "v": VERSION,
        "at": since_epoch(received),
        "sender": {name: value for name in _SENDER if (value := getattr(sender, name))},
        "events": [_told(event) for event in events],
    }
    if scripted:
        told["script"] = True
    if given is not None and given.intent.moment is not None:
        told["score"] = {
            "probability": given.intent.probability,
            "band": given.intent.band,
            "model": given.intent.model,
            "at": since_epoch(given.intent.moment),
            "of": given.digest.hex(),
        }
    return _encode(told).encode()


def loads(line: bytes) -> Entry:
    """The entry of a line. Raises EntryRefused for what is not one."""
    try:
        told = json.loads(line)
        if told["v"] != VERSION:
            raise EntryRefused(f"it is written in version {told['v']!r}, and this release reads {VERSION}")
        sender = Sender(**told["sender"])
        events = tuple(_event(each, sender.visitor) for each in told["events"])
        given, scripted = _given(told.get("score")), told.get("script") is True
        return Entry(sender=sender, events=events, received=moment(told["at"]), given=given, scripted=scripted)
    except EventRefused as refusal:
        raise EntryRefused(f"one of its events is not fit: {refusal.message}") from refusal
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise EntryRefused(f"it cannot be read: {type(error).__name__}") from error


def _told(event: Event) -> dict[str, Any]:
    told: dict[str, Any] = {"id": event.event_id, "name": event.name.value, "at": milliseconds(event)}
    if isinstance(event, ClientEvent):
        told["stamp"] = event.stamp
    if event.page is not None:
        told["page"] = event.page.value
    for name in _TEXTS:
        if value := getattr(event, name):
            told[name] = value
    for name in _NUMBERS:
        if (value := getattr(event, name)) is not None:
            told[name] = value
    return told


def _event(told: Mapping[str, Any], visitor: str) -> Event:
    page = told.get("page")
    kind = partial(ClientEvent, stamp=int(told["stamp"])) if "stamp" in told else Event
    return kind(
        event_id=told["id"],
        name=EventName(told["name"]),
        occurred_at=moment(told["at"]),
        visitor=visitor,
        page=Page(page) if page is not None else None,
        **{name: told[name] for name in _OTHERS if name in told},
    )


def _given(told: Mapping[str, Any] | None) -> Given | None:
    if told is None:
        return None
    intent = Intent(
        standing=Standing.RULES if told["model"] is None else Standing.SCORED,
        probability=told["probability"],
        band=told["band"],
        model=told["model"],
        moment=moment(told["at"]),
    )
    return Given(intent=intent, digest=bytes.fromhex(told["of"]))
