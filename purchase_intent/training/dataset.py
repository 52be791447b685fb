"""From a log to a sample: every event is folded, every decision point of a finished session becomes a case."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.features.history import IDLE, replay
from purchase_intent.features.schema import CATEGORICAL, FEATURES
from purchase_intent.learning import Sample, Table, case_weights
from purchase_intent.sources import EventLog
from purchase_intent.training.points import decision_points

__all__ = ["MOST_ROWS", "NAMES", "build_sample"]

MOST_ROWS: Final = 3_000_000
"""Cases to learn from; a larger log gives whole sessions by chance, so that memory stays bounded."""

NAMES: Final = tuple(feature.name for feature in FEATURES)

Progress = Callable[[str], None]


def build_sample(
    log: EventLog, *, until: datetime | None, seed: int, most: int = MOST_ROWS, progress: Progress
) -> Sample:
    """The cases of a log, at most about `most` of them.

    Sessions still open 30 minutes before the end of the log (or `until`) are left out. Raises TrainingRefused where no
    session is left.
    """
    end = until or log.last
    finished_by = int(end.timestamp() * 1000) - IDLE
    share = min(1.0, most / log.accepted)
    parts = _Parts(np.random.default_rng(seed), share, finished_by)
    done = 0
    for batch in log.batches():
        parts.add(batch.hits, batch.visitor, batch.session)
        done += len(batch.hits)
        progress(f"folding events: {done:,} of {log.accepted:,}")
    return parts.sample()


class _Parts:
    """Cases gathered batch by batch; the matrix of vectors is one buffer, used again."""

    def __init__(self, rng: np.random.Generator, share: float, finished_by: int) -> None:
        self._rng = rng
        self._share = share
        self._finished_by = finished_by
        self._buffer = np.empty((0, len(NAMES)), np.float32)
        self._sessions = 0
        self._columns: dict[str, list[NDArray[Any]]] = {"values": [], "labels": [], "sessions": [], "times": []}

    def add(self, hits: NDArray[np.void], visitor: NDArray[np.int64], session: NDArray[np.int64]) -> None:
        if len(hits) > len(self._buffer):
            self._buffer = np.empty((len(hits), len(NAMES)), np.float32)
        vectors = replay(hits, visitor, session, self._buffer)
        points = decision_points(hits["time"], session, hits["kind"], finished_by=self._finished_by)
        count = int(session.max()) + 1 if len(session) else 0
        chosen = self._rng.random(count) < self._share
        kept = chosen[session[points.index]]
        index = points.index[kept]
        self._columns["values"].append(vectors[index])
        self._columns["labels"].append(points.label[kept])
        self._columns["sessions"].append(session[index] + self._sessions)
        self._columns["times"].append(hits["time"][index])
        self._sessions += count

    def sample(self) -> Sample:
        if not any(len(part) for part in self._columns["labels"]):
            raise TrainingRefused("events: no finished session to learn from; give a log of more than 30 minutes")
        columns = {name: np.concatenate(parts) for name, parts in self._columns.items()}
        table = Table(columns["values"], NAMES, CATEGORICAL)
        sessions = columns["sessions"]
        return Sample(table, columns["labels"], case_weights(sessions), sessions, columns["times"])
