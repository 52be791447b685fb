"""The answer to a visit as it stands. With a stream it is kept there for every process, until the visit moves on.

What is kept goes by the very bytes that it was worked out of and by the model's key: nothing has to be dropped when an
event comes, when the drain has recorded, or when another model serves.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from struct import Struct
from typing import Final, NamedTuple

from purchase_intent.metrics import CACHE
from purchase_intent.models import Stage
from purchase_intent.models.session import IDLE
from purchase_intent.scoring.answer import Intent, Standing
from purchase_intent.scoring.live import moment
from purchase_intent.scoring.score import answer, milliseconds, scored
from purchase_intent.scoring.serving import Serving, champion
from purchase_intent.tracking.foreseen import Foreseen
from purchase_intent.tracking.place import LONGEST
from purchase_intent.tracking.recorder import Journey
from purchase_intent.tracking.sinks.chain import chain
from purchase_intent.tracking.sinks.foreseeing import foresee
from purchase_intent.tracking.sinks.stream import Told

__all__ = ["Answered", "answer_as_it_stands"]

_KEPT: Final = Struct("<dqqq")
"""Probability, stage, the moment it is of, and the last at which it counts; in milliseconds since 1970 UTC."""
_IDLE: Final = IDLE // timedelta(milliseconds=1)


class Answered(NamedTuple):
    """An answer, and the visit that it is of: not looked at where the answer was kept."""

    intent: Intent
    visit: Foreseen | None


def answer_as_it_stands(journey: Journey, *, at: datetime, is_looked_at: bool) -> Answered:
    """Whether the visit will still buy, as of its latest event; asked at `at`, which is aware.

    `is_looked_at` says that the visit itself is needed. Raises as `foresee` and `scoring.answer` do.
    """
    serving = None if is_looked_at or journey.sender.cookieless else champion()
    mark = "" if serving is None else _mark(serving.version.pk, serving.recalibration)
    standing = chain().standing(journey.sender, mark=mark)
    if standing.answer is not None:
        if serving is not None and (kept := _read(standing.answer, serving, at)) is not None:
            CACHE.add(result="hit")
            return Answered(kept, None)
        standing = chain().standing(journey.sender)
    visit = foresee(journey, [], at=at, standing=standing)
    is_kept = bool(mark) and visit.is_whole
    intent = answer(visit.state, visit.past, at=moment(visit.state.last), session=visit.session, is_kept=not is_kept)
    if is_kept:
        _keep(journey, standing, visit, intent, at)
    return Answered(intent, visit)


def _mark(model: int | None, recalibration: int | None) -> str:
    """What a probability depends on beside the visit."""
    return f" {model} {recalibration or 0} "


def _read(data: bytes, serving: Serving, at: datetime) -> Intent | None:
    """The answer that was kept, where it still counts; its band and offer are as the shop has them now."""
    probability, stage, last, until = _KEPT.unpack(data)
    if not last <= milliseconds(at) <= until:
        return None
    return scored(serving, Stage(stage), probability, moment(last))


def _keep(journey: Journey, standing: Told, visit: Foreseen, intent: Intent, at: datetime) -> None:
    """Keep an answer by a model that follows from what the server holds, and from nothing else."""
    session = visit.session
    if intent.standing is not Standing.SCORED or session is None or session.closed_at is not None:
        return
    last, now = visit.state.last, milliseconds(at)
    until = min(last + _IDLE, milliseconds(session.started_at + LONGEST))
    if last <= now <= until:
        mark = _mark(intent.model, intent.recalibration).encode()
        chain().keep(journey.sender, standing.digest + mark + _KEPT.pack(intent.probability, intent.stage, last, until))
