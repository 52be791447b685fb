"""From a log to a sample: every event is folded, every decision point of a finished session becomes a case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from purchase_intent.events import EventName, Reason
from purchase_intent.exceptions import TrainingRefused
from purchase_intent.features.history import IDLE, replay
from purchase_intent.features.schema import CATEGORICAL, FEATURES
from purchase_intent.learning import Sample, Table, case_weights
from purchase_intent.sources import Batch, EventLog
from purchase_intent.training.points import decision_points

__all__ = ["MOST_ROWS", "NAMES", "build_sample"]

MOST_ROWS: Final = 1_000_000
"""Cases to learn from; a larger log gives whole sessions by chance. Training takes about 3.5 KB of memory a case."""

NAMES: Final = tuple(feature.name for feature in FEATURES)

Progress = Callable[[str], None]


def build_sample(log: EventLog, *, seed: int, most: int = MOST_ROWS, progress: Progress) -> Sample:
    """The cases of a log, at most about `most` of them.

    Sessions whose outcome is not known are left out: those still open 30 minutes before the log's last event, and
    those with a purchase that was rejected. Raises TrainingRefused where no session is left.
    """
    share = min(1.0, most / log.accepted)
    finished_by = int(log.last.timestamp() * 1000) - IDLE
    parts = _Parts(np.random.default_rng(seed), share, finished_by, _spoiled_rows(log))
    done = 0
    for batch in log.batches():
        parts.add(batch)
        done += len(batch.hits)
        progress(f"folding events: {done:,} of {log.accepted:,}")
    return parts.sample()


def _spoiled_rows(log: EventLog) -> NDArray[np.int64]:
    """Accepted rows of sessions that hold a rejected purchase, ascending."""
    found = log.connection.execute(
        """
        SELECT row FROM staged WHERE reason IS NULL AND session IN (
            SELECT session FROM staged WHERE reason IS NOT NULL AND reason <> ? AND kind = ?)
        ORDER BY row""",
        [str(Reason.DUPLICATE_EVENT_ID), int(EventName.PURCHASE)],
    ).fetchnumpy()
    return np.asarray(found["row"], np.int64)


class _Parts:
    """Cases gathered batch by batch; the matrix of vectors is one buffer, used again."""

    def __init__(
        self, rng: np.random.Generator, share: float, finished_by: int, spoiled_rows: NDArray[np.int64]
    ) -> None:
        self._rng = rng
        self._share = share
        self._finished_by = finished_by
        self._spoiled_rows = spoiled_rows
        self._buffer = np.empty((0, len(NAMES)), np.float32)
        self._sessions = 0
        self._columns: dict[str, list[NDArray[Any]]] = {
            name: [] for name in ("values", "labels", "sessions", "times", "ends")
        }

    def add(self, batch: Batch) -> None:
        hits, session = batch.hits, batch.session
        if len(hits) > len(self._buffer):
            self._buffer = np.empty((len(hits), len(NAMES)), np.float32)
        vectors = replay(hits, batch.visitor, session, self._buffer)
        points = decision_points(hits["time"], session, hits["kind"], finished_by=self._finished_by)
        count = int(session.max()) + 1 if len(session) else 0
        chosen = self._rng.random(count) < self._share
        chosen[session[np.isin(batch.row, self._spoiled_rows)]] = False
        kept = chosen[session[points.index]]
        index = points.index[kept]
        self._columns["values"].append(vectors[index])
        self._columns["labels"].append(points.label[kept])
        self._columns["sessions"].append(session[index] + self._sessions)
        self._columns["times"].append(hits["time"][index])
        self._columns["ends"].append(points.ended[kept])
        self._sessions += count

    def sample(self) -> Sample:
        if not any(len(part) for part in self._columns["labels"]):
            raise TrainingRefused("events: no finished session to learn from; give a log of more than 30 minutes")
        columns = {name: np.concatenate(parts) for name, parts in self._columns.items()}
        table = Table(columns.pop("values"), NAMES, CATEGORICAL)
        return Sample(table, weights=case_weights(columns["sessions"]), **columns)
