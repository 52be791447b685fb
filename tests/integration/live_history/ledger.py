"""What the live path said after each request, kept to be compared with history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from purchase_intent.events import Event
from purchase_intent.features.live import read_row
from purchase_intent.models import Session
from purchase_intent.scoring.answer import Intent
from purchase_intent.scoring.live import moment
from purchase_intent.scoring.score import answer

__all__ = ["Heard", "Ledger"]


@dataclass(frozen=True, slots=True)
class Heard:
    """A session as a receiver of `events_recorded` found it: the vector and the answer at its last event.

    `sequence` is the highest that its events had been given by then; `added` how many this request brought.
    """

    session: int
    sequence: int
    added: int
    row: bytes
    intent: Intent


class Ledger:
    """A receiver of `events_recorded`; requests are answered side by side, so it writes them down in turn."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self._lock = Lock()

    def hear(self, session: Session, events: Sequence[Event], **_: Any) -> None:
        """Write down what the request has led to."""
        state, past = session.read_state(), session.read_past()
        row = read_row(state, past, state.last).tobytes()
        intent = answer(state, past, at=moment(state.last))
        with self._lock:
            self.heard.append(Heard(session.pk, session.sequence, len(events), row, intent))
