"""Scores written down: the latest on the session, and each by a model as a row to be compared with what happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple

from django.db import connections, router, transaction

from purchase_intent.models import Score, Session
from purchase_intent.scoring.answer import Intent

__all__ = ["BATCH", "keep_scores"]

BATCH: Final = 500
"""Answers of one transaction: two statements and an insert, and nobody waits long for a row."""


class _Kept(NamedTuple):
    session: int
    probability: float
    moment: datetime
    band: str
    model: int | None


def keep_scores(scored: Iterable[tuple[Session, Intent]]) -> int:
    """Write answers that hold a probability to their sessions; how many.

    An earlier answer never replaces a later one. Sessions that are gone meanwhile are left out. Writing the same
    answers again changes nothing.
    """
    waiting, written = _worth_keeping(scored), 0
    while batch := list(islice(waiting, BATCH)):
        written += _keep_batch(batch)
    return written


def _worth_keeping(scored: Iterable[tuple[Session, Intent]]) -> Iterator[_Kept]:
    for session, intent in scored:
        if intent.probability is not None and intent.moment is not None:
            yield _Kept(session.pk, intent.probability, intent.moment, intent.band, intent.model)


def _keep_batch(kept: Sequence[_Kept]) -> int:
    with transaction.atomic(using=router.db_for_write(Session)):
        stored = _locked({each.session for each in kept})
        here = [each for each in kept if each.session in stored]
        latest: dict[int, _Kept] = {}
        for each in here:
            seen = latest[each.session].moment if each.session in latest else stored[each.session]
            if seen is None or seen <= each.moment:
                latest[each.session] = each
        Session.objects.bulk_update(
            [_session_row(each) for each in latest.values()], ["score", "band", "model", "scored_at"]
        )
        Score.objects.bulk_create(
            [_score_row(each, each.model) for each in here if each.model is not None], ignore_conflicts=True
        )
    return len(here)


def _locked(keys: set[int]) -> dict[int, datetime | None]:
    """When each session that is still there was last scored; nobody scores it anew until the transaction ends."""
    alias = router.db_for_write(Session)
    sessions = Session.objects.using(alias).filter(pk__in=keys).order_by("pk")
    if connections[alias].features.has_select_for_update:
        sessions = sessions.select_for_update()
    return dict(sessions.values_list("pk", "scored_at"))


def _session_row(kept: _Kept) -> Session:
    return Session(pk=kept.session, score=kept.probability, band=kept.band, model_id=kept.model, scored_at=kept.moment)


def _score_row(kept: _Kept, model: int) -> Score:
    return Score(
        session_id=kept.session,
        model_id=model,
        probability=kept.probability,
        band=kept.band,
        moment=kept.moment,
    )
