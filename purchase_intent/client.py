"""A small client for servers: the same payload that the browser script and any other sender sends. No Django needed.

client = Client("https://shop.example/intent/v1/events/", key="pi_…")
client.send([event("view", visitor="v-77", product="1001")])
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from purchase_intent.exceptions import SendingFailed

__all__ = ["Client", "event"]

AT_ONCE: Final = 500
"""Events of one request."""
LARGEST: Final = 900_000
"""Bytes of one request's events: the endpoint takes 1 MiB."""


def event(name: str, **fields: object) -> dict[str, Any]:
    """An event of now, with an id of its own: sent again as it is, it counts once."""
    return {"event_id": secrets.token_hex(16), "name": name, "occurred_at": time.time_ns() // 1_000_000} | fields


class Client:
    """Sends events to `url`, the endpoint `events/`, with a key made at the desk."""

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
            answer = self._post({"sent_at": time.time_ns() // 1_000_000, "events": part})
            told += [{**result, "index": result["index"] + len(told)} for result in answer["results"]]
        return told

    def _post(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        body = json.dumps(batch).encode()
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        request = Request(self.url, body, headers, method="POST")  # noqa: S310 (checked when the client was made)
        try:
            with urlopen(request, timeout=self.timeout) as response:  # noqa: S310 (the same)
                answer: dict[str, Any] = json.load(response)
        except HTTPError as error:
            with error:
                raise SendingFailed(_said(error), status=error.code) from error
        except (URLError, TimeoutError, ConnectionError, json.JSONDecodeError) as error:
            raise SendingFailed(f"{self.url} does not answer as it should: {error}. Send it again later.") from error
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


def _said(error: HTTPError) -> str:
    """What the endpoint says is wrong."""
    try:
        detail = json.load(error)["detail"]
    except (ValueError, KeyError, TypeError):
        detail = "it says no more"
    later = " Send it again later." if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR else ""
    return f"{error.code}: {detail}{later}"
