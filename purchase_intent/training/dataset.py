"""From a log to a sample: every event is folded, every decision point of a finished session becomes a case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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

__all__ = ["MOST_ROWS", "NAMES", "Cases", "Choice", "Columns", "as_sample", "build_sample", "choice"]

MOST_ROWS: Final = 1_000_000
"""Cases to learn from; a larger log gives whole sessions by chance. Training takes about 3.5 KB of memory a case."""

NAMES: Final = tuple(feature.name for feature in FEATURES)

Columns = dict[str, NDArray[Any]]
Progress = Callable[[str], None]


def build_sample(log: EventLog, *, seed: int, most: int = MOST_ROWS, progress: Progress) -> Sample:
    """The cases of a log, at most about `most` of them.

    Sessions whose outcome is not known are left out: those still open 30 minutes before the log's last event, and
    those with a purchase that was rejected. Raises TrainingRefused where no session is left.
    """
    cases = Cases(choice(log, seed=seed, most=most))
    done = 0
    for batch in log.batches():
        cases.add(batch)
        done += len(batch.hits)
        progress(f"folding events: {done:,} of {log.accepted:,}")
    return as_sample(cases.columns())


@dataclass(frozen=True, slots=True)
class Choice:
    """Which cases of a log are kept: whole sessions by chance, each with probability `share`.

    A session is finished where its last event lies before `finished_by` [ms]. `spoiled_rows` are rows of sessions that
    are left out, ascending; `sessions_before` were drawn before the first one here, as parts of a log go on where the
    one before has ended.
    """

    seed: int
    share: float
    finished_by: int
    spoiled_rows: NDArray[np.int64]
    sessions_before: int = 0

    def draws(self) -> np.random.Generator:
        """The chances of the sessions, in their order."""
        return np.random.Generator(np.random.PCG64(self.seed).advance(self.sessions_before))


def choice(log: EventLog, *, seed: int, most: int) -> Choice:
    """What keeps about `most` cases of a log."""
    return Choice(
        seed=seed,
        share=min(1.0, most / log.accepted),
        finished_by=int(log.last.timestamp() * 1000) - IDLE,
        spoiled_rows=_spoiled_rows(log),
    )


def as_sample(columns: Columns) -> Sample:
    """The sample of what `Cases.columns` gave. Raises TrainingRefused where it holds no case."""
    if not len(columns["labels"]):
        raise TrainingRefused("events: no finished session to learn from; give a log of more than 30 minutes")
    table = Table(columns["values"], NAMES, CATEGORICAL)
    others = {name: columns[name] for name in ("labels", "sessions", "times", "ends")}
    return Sample(table, weights=case_weights(columns["sessions"]), **others)


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


class Cases:
    """Cases gathered batch by batch; the matrix of vectors is one buffer, used again."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._draws = choice.draws()
        self._buffer = np.empty((0, len(NAMES)), np.float32)
        self._sessions = choice.sessions_before
        self._columns: dict[str, list[NDArray[Any]]] = {name: [part] for name, part in _NOTHING.items()}

    def add(self, batch: Batch) -> None:
        """Fold the next events of the log and keep what is chosen of them."""
        hits, session = batch.hits, batch.session
        if len(hits) > len(self._buffer):
            self._buffer = np.empty((len(hits), len(NAMES)), np.float32)
        vectors = replay(hits, batch.visitor, session, self._buffer)
        points = decision_points(hits["time"], session, hits["kind"], finished_by=self._choice.finished_by)
        count = int(session.max()) + 1 if len(session) else 0
        chosen = self._draws.random(count) < self._choice.share
        chosen[session[np.isin(batch.row, self._choice.spoiled_rows)]] = False
        kept = chosen[session[points.index]]
        index = points.index[kept]
        self._columns["values"].append(vectors[index])
        self._columns["labels"].append(points.label[kept])
        self._columns["sessions"].append(session[index] + self._sessions)
        self._columns["times"].append(hits["time"][index])
        self._columns["ends"].append(points.ended[kept])
        self._sessions += count

    def columns(self) -> Columns:
        """`values` (float32 of shape (cases, features)), `labels`, `sessions`, `times` and `ends`, as in a Sample."""
        return {name: np.concatenate(parts) for name, parts in self._columns.items()}


_NOTHING: Final[Columns] = {
    "values": np.empty((0, len(NAMES)), np.float32),
    "labels": np.empty(0, np.uint8),
    "sessions": np.empty(0, np.int64),
    "times": np.empty(0, np.int64),
    "ends": np.empty(0, np.int64),
}
