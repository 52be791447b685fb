"""A batch of sessions as columns, and what a model says of them: what all that scores in bulk has in common.

Whoever reads makes `Rows`; `say` answers for the champion, `said_by` for any model; whoever writes takes `Said`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from purchase_intent.features.columns import vectors
from purchase_intent.features.state import PAST_LAYOUT, STATE_LAYOUT
from purchase_intent.models.bulk import Keys, Numbers, Said
from purchase_intent.scoring.answer import Intent
from purchase_intent.scoring.live import moment
from purchase_intent.scoring.rules import CUTOFFS, rough_answer
from purchase_intent.scoring.serving import Serving, champion

__all__ = ["MILLISECOND", "Part", "Rows", "Said", "said_by", "say"]

MILLISECOND: Final = 1000
"""Microseconds."""


@dataclass(frozen=True, slots=True)
class Part:
    """The rows with keys from `first` to `last`, both included."""

    first: int
    last: int


@dataclass(frozen=True)
class Rows:
    """Sessions, or the next sessions of visitors, a line each; arrays of one length.

    `keys` are primary keys, of sessions or of visitors; `states` and `pasts` have the dtypes STATE and PAST; `moments`
    are what the answers are as of, in microseconds since 1970 UTC.
    """

    keys: Keys
    states: NDArray[np.void]
    pasts: NDArray[np.void]
    moments: Keys

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def matrix(self) -> NDArray[np.float32]:
        """The features as a model sees them, float32 of shape (rows, features); worked out once."""
        return vectors(self.states, self.pasts, self.moments // MILLISECOND)

    @cached_property
    def has_question(self) -> NDArray[np.bool_]:
        """Where there is something to ask a model: something has happened, and no purchase yet."""
        return np.asarray((self.states["purchases"] <= 0) & (self.states["events"] > 0))


def say(rows: Rows) -> Said:
    """What the champion says, or the cold-start rules where none serves; the same as `answer` gives one by one.

    Raises ForkedTooLate where a learner must not be called in this process, DatabaseError where nothing is known of a
    champion and the database is gone.
    """
    serving = champion() if rows.has_question.any() else None
    return _by_rules(rows) if serving is None else said_by(serving, rows)


def said_by(serving: Serving, rows: Rows) -> Said:
    """What a model that is loaded says, by the learners' own calls on one matrix; no answer where rows are not open."""
    probability = np.full(len(rows), np.nan)
    asked = np.flatnonzero(rows.has_question)
    if len(asked):
        probability[asked] = serving.model.predict(rows.matrix[asked])
    return _banded(serving.version.pk, probability, serving.model.thresholds.bands)


def _by_rules(rows: Rows) -> Said:
    probability = np.full(len(rows), np.nan)
    for line in np.flatnonzero(rows.has_question).tolist():
        probability[line] = _rough(rows, line).probability
    return _banded(None, probability, CUTOFFS)


def _rough(rows: Rows, line: int) -> Intent:
    state, past = STATE_LAYOUT.loads(rows.states[line].tobytes()), PAST_LAYOUT.loads(rows.pasts[line].tobytes())
    now = int(rows.moments[line]) // MILLISECOND
    return rough_answer(state, past, at=moment(now), now=now)


def _banded(model: int | None, probability: Numbers, cutoffs: Mapping[str, float]) -> Said:
    """With the narrowest band that each probability reaches; of two with one cut-off the one named first."""
    latest_first = list(cutoffs)[::-1]
    names = sorted(latest_first, key=cutoffs.__getitem__)
    rising = np.array([cutoffs[name] for name in names], np.float64)
    reached = np.searchsorted(rising, np.nan_to_num(probability, nan=-1.0), side="right")
    return Said(model, probability, reached, ("", *names))
