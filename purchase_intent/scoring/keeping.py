"""Scores written down: the latest on the session, and each by a model as a row to be compared with what happened."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from purchase_intent.models import Score, Session
from purchase_intent.scoring.answer import Intent

__all__ = ["keep_scores"]


def keep_scores(scored: Iterable[tuple[Session, Intent]]) -> int:
    """Write answers that hold a probability to their sessions; how many.

    An earlier answer never replaces a later one.
    """
    kept = [
        (session, intent, probability, moment)
        for session, intent in scored
        if (probability := intent.probability) is not None and (moment := intent.moment) is not None
    ]
    with transaction.atomic():
        for session, intent, probability, moment in kept:
            Session.objects.filter(pk=session.pk).exclude(scored_at__gt=moment).update(
                score=probability, band=intent.band, model_id=intent.model, scored_at=moment
            )
        Score.objects.bulk_create(
            [
                Score(
                    session=session,
                    model_id=intent.model,
                    probability=probability,
                    band=intent.band,
                    moment=moment,
                )
                for session, intent, probability, moment in kept
                if intent.model is not None
            ],
            ignore_conflicts=True,
            batch_size=1000,
        )
    return len(kept)
