"""What the script is told of the page it runs on: whether the page view is recorded, and under which id.

In a header of the answer and not in its HTML, which a cache on this side may keep for other visitors. A copy that comes
out of a cache further out has the header of its first visitor; the same id of another visitor is another event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.http.response import HttpResponseBase

from purchase_intent.events import PAGE_OF_EVENT, Event, EventName

__all__ = ["SHOWING", "mark_shown"]

SHOWING: Final = frozenset({EventName.PAGE_VIEW, *PAGE_OF_EVENT})
"""Events that show a page: where the view tells one of them, no page view is added."""
_HEADER: Final = "Server-Timing"


def mark_shown(response: HttpResponseBase, events: Sequence[Event]) -> None:
    """Name the recorded event that shows this page: `intent;desc="id:name"`, or `"-"` for one not to be counted."""
    shown = next((event for event in events if event.name in SHOWING), None)
    is_plain = shown is not None and shown.event_id.isascii() and shown.event_id.isalnum()
    told = f"{shown.event_id}:{shown.name.label}" if shown is not None and is_plain else "-"
    given = response.headers.get(_HEADER)
    mark = f'intent;desc="{told}"'
    response.headers[_HEADER] = f"{given}, {mark}" if given else mark
