"""What a training keeps of the log it has read, so that the log itself can be closed before anything is learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from purchase_intent.sources import EventLog

__all__ = ["LogFacts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFacts:
    """Figures of a log; see `EventLog`."""

    zone: str
    layout: str
    rows: int
    accepted: int
    rejected: Mapping[str, int]
    sessions: int
    visitors: int
    buying_sessions: int
    orders: int
    revenue: float
    first: datetime
    last: datetime

    @classmethod
    def of(cls, log: EventLog) -> Self:
        """The facts of a log that is open."""
        return cls(**{name: getattr(log, name) for name in cls.__slots__})

    def to_json(self) -> dict[str, Any]:
        """The same as plain JSON."""
        return asdict(self) | {"first": self.first.isoformat(), "last": self.last.isoformat()}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        times = {name: datetime.fromisoformat(facts[name]) for name in ("first", "last")}
        return cls(**{**facts, **times})
