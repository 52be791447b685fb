"""Champion and challenger on the same judged moments: what each said then, and what happened.

Both are the models that serve or could serve, and neither had learnt from what it judged: the fairest comparison there
is, but it takes time to gather.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from django.db.models import F, OuterRef, Subquery

from purchase_intent.learning import case_weights
from purchase_intent.learning.paired import Difference, beats, loses, paired_differences
from purchase_intent.models import Horizon, ModelVersion, Score

__all__ = ["LEAST_BUYERS", "MOST", "Duel", "duel"]

MOST: Final = 10_000
"""Moments that are compared, the latest ones: a page waits for them."""
DRAWS: Final = 400
LEAST_BUYERS: Final = 50
"""As many subjects that bought, and as many that did not, before anything is concluded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duel:
    """How two models fared. `differences` is empty where too few moments tell; a gain is the challenger's.

    `subjects` are sessions, or visitors for a horizon of days; `since` and `until` are None without a moment.
    """

    champion: ModelVersion
    challenger: ModelVersion
    moments: int
    subjects: int
    buyers: int
    since: datetime | None
    until: datetime | None
    differences: Mapping[str, Difference]

    @property
    def is_telling(self) -> bool:
        """Whether there are enough of both kinds to conclude anything."""
        return min(self.buyers, self.subjects - self.buyers) >= LEAST_BUYERS

    @property
    def conclusion(self) -> str:
        """What can be said, in one sentence."""
        one, other = self.challenger.pk, self.champion.pk
        if not self.is_telling:
            return (
                f"Too early to tell: {self.buyers:,} that bought and {self.subjects - self.buyers:,} that did not are "
                f"judged by both, and {LEAST_BUYERS} of each are needed."
            )
        if loses(self.differences):
            return f"The challenger, model {one}, is worse than model {other} beyond chance."
        if beats(self.differences):
            return f"The challenger, model {one}, is better than model {other} beyond chance: it can be promoted."
        return f"No difference between model {one}, the challenger, and model {other} beyond chance so far."


def duel(champion: ModelVersion, challenger: ModelVersion, *, most: int = MOST) -> Duel:
    """Compare two versions of one horizon on the latest moments, at most `most`, that both scored and that are judged.

    Whole sessions (visitors) are drawn in the bootstrap; a session's moments together weigh its size to the power of a
    half, as in training.
    """
    subject = "session_id" if champion.horizon == Horizon.SESSION else "visitor_id"
    beside = Score.objects.order_by().filter(
        **{"model": champion, subject: OuterRef(subject), "moment": OuterRef("moment")}
    )
    pairs = list(
        Score.objects.judged()
        .filter(**{"model": challenger, "shadow": True, f"{subject}__isnull": False})
        .annotate(beside=Subquery(beside.values("probability")[:1]))
        .order_by("-moment", "-pk")
        .values_list(F(subject), "moment", "beside", "probability", "came_true")[:most]
    )
    pairs = [pair for pair in pairs if pair[2] is not None]
    owners, moments, first, second, outcome = zip(*pairs, strict=True) if pairs else ((), (), (), (), ())
    truth = np.array(outcome, np.uint8)
    clusters = np.array(owners, np.int64)
    found: Mapping[str, Difference] = {}
    if 0 < truth.sum() < len(truth):
        scores = (np.array(first, np.float64), np.array(second, np.float64))
        found = paired_differences(truth, scores, case_weights(clusters), clusters, seed=0, draws=DRAWS)
    return Duel(
        champion=champion,
        challenger=challenger,
        moments=len(pairs),
        subjects=len(set(owners)),
        buyers=len(np.unique(clusters[truth == 1])),
        since=min(moments, default=None),
        until=max(moments, default=None),
        differences=found,
    )
