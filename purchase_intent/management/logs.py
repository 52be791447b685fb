"""Options about event logs, as several commands take them."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from purchase_intent.conf import config

__all__ = ["moment", "zone_of"]


def moment(text: str) -> datetime:
    """An aware moment in ISO 8601; UTC where it names no zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no time: write it as 2026-04-06T00:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def zone_of(named: str | None, events: Sequence[Path] | None) -> str:
    """The zone that was named, else that of the logs' layout, else the shop's."""
    from purchase_intent.sources import layout_zone

    if named is not None:
        return named
    known = layout_zone(events) if events else None
    return known or str(config().time_zone)
