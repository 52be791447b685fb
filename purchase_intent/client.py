"""A small client for servers: the same payload that the browser script and any other sender sends. No Django needed.

client = Client("https://shop.example/intent/v1/events/", key="pi_…")
client.send([event("view", visitor="v-77", product="1001")])
client.predict([event("view", product="1001")], reasons=3)["probability"]
client.predict_batch({"visit 7": [event("view", product="1001")]})["visit 7"]["band"]
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin
from urllib.request import Request, urlopen

from purchase_intent.exceptions import SendingFailed

__all__ = ["Client", "event"]

AT_ONCE: Final = 500
"""Events of one request."""
LARGEST: Final = 900_000
"""Bytes of one request's events: the endpoint takes 1 MiB."""
VISITS_AT_ONCE: Final = 1_000
"""Visits of one request."""
EVENTS_AT_ONCE: Final = 10_000
"""Events of all visits of one request."""
LARGEST_OF_VISITS: Final = 4_000_000
"""Bytes of one request's visits: the endpoint takes 4 MiB."""


def event(name: str, **fields: object) -> dict[str, Any]:
    """An event of now, with an id of its own: sent again as it is, it counts once."""
    return {"event_id": secrets.token_hex(16), "name": name, "occurred_at": time.time_ns() // 1_000_000} | fields


class Client:
    """Sends events to `url`, the endpoint `events/`, with a key made at the desk, and asks for scores beside it."""

    def __init__(self, url: str, *, key: str, timeout: float = 10.0) -> None:
        if not url.startswith(("https://", "http://")):
            raise SendingFailed(f"{url!r} is no address: begin it with https://")
        self.url, self.key, self.timeout = url, key, timeout

    def send(self, events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """What became of each event, sent in as many requests as it takes: accepted, duplicate, or refused and why.

        SendingFailed where the endpoint does not take them; to send all of them again is safe.
        """
        told: list[dict[str, Any]] = []
        for part in _parts(events):
            answer = self._post(self.url, {"events": part})
            told += [{**result, "index": result["index"] + len(told)} for result in answer["results"]]
        return told

    def predict(self, events: Sequence[Mapping[str, Any]], *, reasons: int = 0) -> dict[str, Any]:
        """The score of one shopper's visit as of its latest event, with so many causes in words; nothing is kept.

        A key with the scope `predict`; at most 1,000 events of 1 MiB. SendingFailed where the endpoint refuses.
        """
        return self._post(urljoin(self.url, "../predict/"), {"events": list(events), "reasons": reasons})

    def predict_batch(self, visits: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
        """The score of each visit by its key, of at most 10,000 events, asked for in as many requests as it takes.

        SendingFailed where the endpoint refuses.
        """
        told: dict[str, dict[str, Any]] = {}
        for part in _visits(visits):
            answer = self._post(urljoin(self.url, "../predict/batch/"), {"sessions": part})
            told |= {visit["key"]: result for visit, result in zip(part, answer["sessions"], strict=True)}
        return told

    def _post(self, url: str, told: Mapping[str, Any]) -> dict[str, Any]:
        body = json.dumps({"sent_at": time.time_ns() // 1_000_000, **told}).encode()
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        request = Request(url, body, headers, method="POST")  # noqa: S310 (checked when the client was made)
        try:
            with urlopen(request, timeout=self.timeout) as response:  # noqa: S310 (the same)
                answer: dict[str, Any] = json.load(response)
        except HTTPError as error:
            with error:
                raise SendingFailed(_said(error), status=error.code) from error
        except (URLError, TimeoutError, ConnectionError, json.JSONDecodeError) as error:
            raise SendingFailed(f"{url} does not answer as it should: {error}. Send it again later.") from error
        return answer


def _parts(events: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """The events in order, cut so that each part is taken."""
    part: list[Mapping[str, Any]] = []
    size = 0
    for each in events:
        length = len(json.dumps(each)) + 2
        if part and (len(part) == AT_ONCE or size + length > LARGEST):
            yield part
            part, size = [], 0
        part.append(each)
        size += length
    if part:
        yield part


def _visits(visits: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[list[dict[str, Any]]]:
    """The visits in order, cut so that each part is taken."""
    part: list[dict[str, Any]] = []
    events = size = 0
    for key, told in visits.items():
        visit = {"key": key, "events": list(told)}
        length = len(json.dumps(visit)) + 2
        is_full = len(part) == VISITS_AT_ONCE or events + len(told) > EVENTS_AT_ONCE
        if part and (is_full or size + length > LARGEST_OF_VISITS):
            yield part
            part, events, size = [], 0, 0
        part.append(visit)
        events, size = events + len(told), size + length
    if part:
        yield part


def _said(error: HTTPError) -> str:
    """What the endpoint says is wrong."""
    try:
        detail = json.load(error)["detail"]
    except (ValueError, KeyError, TypeError):
        detail = "it says no more"
    later = " Send it again later." if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR else ""
    return f"{error.code}: {detail}{later}"
