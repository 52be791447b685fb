"""A batch of events as it arrives: how much of it is read, and what is answered of each event."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from purchase_intent.events.reasons import LONGEST_TEXT, Reason
from purchase_intent.exceptions import BatchRefused, EventRefused

__all__ = ["BROWSER", "SERVER", "Batch", "Limits", "Verdict", "read_batch", "read_object", "refuse_all", "too_many"]

_LONGEST_NUMBER: Final = 20
"""Digits of a whole number that anything here can mean."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one batch may hold."""

    size: int
    """Bytes."""
    events: int


BROWSER: Final = Limits(size=64 * 1024, events=200)
"""A browser sends no more than 64 KiB when a page is left."""
SERVER: Final = Limits(size=1024 * 1024, events=1000)


@dataclass(frozen=True, slots=True)
class Batch:
    """What was sent, nothing of it checked but the shape of the whole."""

    events: Sequence[Any]
    sent_at: object = None
    """The sender's own clock when it sent this."""
    url: str = ""
    referrer: str = ""
    driven: bool = False
    """Whether the browser says that a program drives it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the event at `index`, or of the `count` events from there on."""

    index: int
    status: str
    """`accepted`, `duplicate` or `refused`."""
    event_id: str | None = None
    refusal: EventRefused | None = None
    count: int = 1

    @classmethod
    def of(cls, index: int, payload: object, status: str, refusal: EventRefused | None = None) -> Verdict:
        """One event's, with its id where it has one that can be repeated."""
        told = payload.get("event_id", payload.get("messageId")) if isinstance(payload, dict) else None
        fit = isinstance(told, str) and len(told) <= LONGEST_TEXT and told.isprintable()
        return cls(index, status, told if fit else None, refusal)


def read_object(body: bytes, *, like: str = '{"events": [...]}') -> dict[str, Any]:
    """The JSON object in a body. BatchRefused says what it is instead, and that it should be `like`.

    Bytes that are no UTF-8 are kept as halves of surrogate pairs, so that only the event they are in is refused.
    """
    try:
        data = json.loads(body.decode("utf-8", "surrogateescape"), parse_int=_whole, parse_constant=float)
    except (ValueError, RecursionError) as error:
        raise BatchRefused(field="body", remedy=f"send JSON: {like}") from error
    if not isinstance(data, dict):
        raise BatchRefused(field="body", remedy=f"send an object: {like}")
    return data


def read_batch(body: bytes) -> Batch:
    """The batch in a body: JSON, an object with a list named `events`. BatchRefused says what it is instead."""
    data = read_object(body)
    events = data.get("events")
    if not isinstance(events, list) or not events:
        raise BatchRefused(field="events", remedy="send a list of at least one event")
    return Batch(
        events=events,
        sent_at=data.get("sent_at"),
        url=_words(data, "url"),
        referrer=_words(data, "referrer"),
        driven=data.get("driven") is True,
    )


def refuse_all(batch: Batch, refusal: EventRefused) -> list[Verdict]:
    """One verdict for the whole batch."""
    return [Verdict(0, "refused", refusal=refusal, count=len(batch.events))]


def too_many(batch: Batch, most: int) -> list[Verdict]:
    """The verdict on what is beyond the first `most` events: none where there is nothing."""
    if len(batch.events) <= most:
        return []
    refusal = EventRefused(
        field="events", reason=Reason.TOO_MANY_EVENTS, remedy=f"send at most {most} events in a batch"
    )
    return [Verdict(most, "refused", refusal=refusal, count=len(batch.events) - most)]


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else float(digits)


def _words(data: dict[str, Any], field: str) -> str:
    value = data.get(field)
    return value if isinstance(value, str) else ""
