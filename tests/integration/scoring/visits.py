"""States of sessions, made by hand for what a test asks about them."""

from __future__ import annotations

from purchase_intent.features.state import State

__all__ = ["NOON_MS", "visit"]

NOON_MS = 1_772_366_400_000
"""2026-03-01 12:00 UTC in milliseconds since 1970."""


def visit(stage: int = 2, **fields: object) -> State:
    """The state of a session that began a minute before noon and has come to a stage."""
    sound: dict[str, object] = {
        "start": NOON_MS - 60_000,
        "last": NOON_MS,
        "events": 4,
        "moments": 4,
        "steps": 4,
        "stage": stage,
    }
    return State(**sound | fields)  # type: ignore[arg-type]
