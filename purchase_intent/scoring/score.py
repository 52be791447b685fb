"""From a session's state to an answer: the champion's probability, its band, and the reasons when asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from purchase_intent.features.live import read_row, read_vector
from purchase_intent.features.schema import FEATURES
from purchase_intent.features.state import Past, State
from purchase_intent.models import Session, Stage
from purchase_intent.scoring.answer import Intent, Standing, bands_of
from purchase_intent.scoring.remembered import key_of, known, remember
from purchase_intent.scoring.rules import rough_answer
from purchase_intent.scoring.serving import Serving, champion
from purchase_intent.scoring.words import reasons_of

__all__ = ["answer", "answers", "milliseconds", "scored"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def milliseconds(moment: datetime) -> int:
    """An aware datetime as whole milliseconds since 1970 UTC, as the fold counts."""
    return (moment - _EPOCH) // _MILLISECOND


def answer(
    state: State,
    past: Past,
    *,
    at: datetime,
    reasons: int = 0,
    session: Session | None = None,
    is_kept: bool = True,
) -> Intent:
    """Whether the session will still buy, as of `at` (aware), with at most `reasons` of the strongest causes.

    By the champion, or by the cold-start rules where none serves. `session` lets the causes name device, channel and
    country. `is_kept` says whether the answer is remembered, for a visit that is asked about again. Raises
    ForkedTooLate where a learner must not be called in this process, DatabaseError where nothing is known of a
    champion and the database is gone.
    """
    if (settled := _settled(state, at)) is not None:
        return settled
    serving = champion()
    if serving is None:
        return rough_answer(state, past, at=at, now=milliseconds(at), reasons=reasons)
    key, now = key_of(state, past, at) if is_kept else None, milliseconds(at)
    if key is not None and reasons <= 0 and (remembered := known(serving, key)) is not None:
        return remembered
    row = read_row(state, past, now)
    found = scored(serving, Stage(state.stage), serving.model.predict_one(row[0]), at)
    if key is not None:
        remember(serving, key, found)
    if reasons <= 0:
        return found
    contributions, _ = serving.model.contributions(row)
    vector = read_vector(state, past, now)
    return replace(found, reasons=reasons_of(contributions[0], state, past, vector, most=reasons, session=session))


def answers(pairs: Sequence[tuple[State, Past]], *, at: Sequence[datetime]) -> list[Intent]:
    """The answer to each pair as of its own moment, by native calls on one matrix; no reasons.

    The same as `answer` gives one by one, and it raises the same.
    """
    found = [_settled(state, moment) for (state, _), moment in zip(pairs, at, strict=True)]
    open_ones = [place for place, settled in enumerate(found) if settled is None]
    serving = champion() if open_ones else None
    if serving is None:
        for place in open_ones:
            state, past = pairs[place]
            found[place] = rough_answer(state, past, at=at[place], now=milliseconds(at[place]))
    else:
        matrix = np.empty((len(open_ones), len(FEATURES)), np.float32)
        for line, place in enumerate(open_ones):
            matrix[line] = read_row(*pairs[place], milliseconds(at[place]))
        for place, probability in zip(open_ones, serving.model.predict(matrix).tolist(), strict=True):
            found[place] = scored(serving, Stage(pairs[place][0].stage), probability, at[place])
    return [intent for intent in found if intent is not None]


def _settled(state: State, at: datetime) -> Intent | None:
    """The answer where there is nothing to ask a model: the session has bought, or nothing has happened yet."""
    if state.purchases > 0:
        return Intent(standing=Standing.ALREADY_BOUGHT, stage=Stage(state.stage), moment=at)
    return None if state.events > 0 else Intent(standing=Standing.UNKNOWN, moment=at)


def scored(serving: Serving, stage: Stage, probability: float, at: datetime) -> Intent:
    """The answer that a model's probability is, with the bands that it reaches and what it says of the offer."""
    band, bands = bands_of(probability, serving.model.thresholds.bands)
    return Intent(
        standing=Standing.SCORED,
        probability=probability,
        band=band,
        bands=bands,
        stage=stage,
        model=serving.version.pk,
        recalibration=serving.recalibration,
        offer=None if serving.offer is None else serving.offer.holds(probability),
        moment=at,
    )
