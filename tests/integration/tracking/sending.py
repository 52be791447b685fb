"""Batches as browsers and servers send them, and what is answered."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, Final

from django.test import Client
from django.utils import timezone

from purchase_intent.models import ApiKey, Scope

__all__ = ["HERE", "PATH", "ago", "beacon", "event", "key_of", "post", "said", "stamp"]

PATH: Final = "/intent/v1/events/"
HERE: Final = {"Origin": "http://testserver"}


def stamp(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


def ago(**span: float) -> int:
    """So long before now, in milliseconds since 1970."""
    return stamp(timezone.now() - timedelta(**span))


def event(number: int = 1, name: object = "view", **fields: Any) -> dict[str, Any]:
    """One event of a minute ago, unless told otherwise."""
    return {"event_id": f"e{number}", "name": name, "occurred_at": ago(minutes=1), "product": "7"} | fields


def post(client: Client, body: bytes | str, status: int = 200, **headers: str) -> Any:
    """Send a body as a beacon does, and return what is answered."""
    response = client.post(
        PATH,
        body if isinstance(body, bytes) else body.encode(),
        content_type="text/plain;charset=UTF-8",
        headers=headers or HERE,
    )
    assert response.status_code == status, response.content
    assert response["Content-Type"] == ("application/json" if status == 200 else "application/problem+json")
    return response.json()


def beacon(client: Client, *events: Any, status: int = 200, headers: dict[str, str] | None = None, **whole: Any) -> Any:
    """Send a batch, and return what is answered."""
    body = json.dumps({"events": list(events), "sent_at": ago()} | whole)
    return post(client, body, status, **(headers or HERE))


def said(answer: Any) -> list[str]:
    """What became of each event, in order: `accepted`, or `refused name unknown_event_name`."""
    return [
        " ".join(str(result[part]) for part in ("status", "field", "reason") if part in result)
        for result in answer["results"]
    ]


def key_of(*scopes: Scope, site: str = "") -> dict[str, str]:
    """The header of a server with a new key."""
    _, text = ApiKey.objects.make(name="backend", scopes=[scope.value for scope in scopes], site=site)
    return {"Authorization": f"Bearer {text}"}
