"""What the tests of tracking say again and again: what a browser sends, and what was stored of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from django.http import HttpRequest

from purchase_intent.events import EventName, Page
from purchase_intent.models import Event

__all__ = ["BROWSER", "Doing", "Wordless", "errors", "kinds", "steps", "warned"]

Doing = Callable[[Callable[[HttpRequest], object]], None]
"""Says what the view `act` does."""

BROWSER: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class Wordless:
    """Something that cannot even be printed."""

    def __repr__(self) -> str:
        raise LookupError("no words")


def kinds() -> list[str]:
    """The names of the stored events, in order."""
    return [EventName(name).label for name in Event.objects.in_order().values_list("name", flat=True)]


def steps() -> list[str]:
    """The stored events in order, each with its page: `view/product`."""
    rows = Event.objects.in_order().values_list("name", "page")
    return [f"{EventName(name).label}/{Page(page).label}" for name, page in rows]


def errors(told: pytest.LogCaptureFixture) -> list[str]:
    """What was logged as an error of tracking."""
    return _said(told, "ERROR")


def warned(told: pytest.LogCaptureFixture) -> list[str]:
    """What was logged as a warning of tracking."""
    return _said(told, "WARNING")


def _said(told: pytest.LogCaptureFixture, level: str) -> list[str]:
    return [
        record.getMessage()
        for record in told.records
        if record.name == "purchase_intent.tracking" and record.levelname == level
    ]
