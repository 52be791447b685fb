"""Judged scores of sessions, or of customers, as columns: what was said, by which version, and whether it came true."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import numpy as np
from django.db.models import F
from numpy.typing import NDArray
from scipy.special import logit

from purchase_intent.models import Horizon, ModelVersion, Score
from purchase_intent.scoring.corrections import without_corrections

__all__ = ["MOST_SCORES", "Judged", "judged_scores"]

MOST_SCORES: Final = 40_000
"""Scores judged together: of more, those of every so many-th session."""
_TINY: Final = 1e-9
_COLUMNS: Final = ("said", "raw", "labels", "sessions", "models", "moments", "bands")


@dataclass(frozen=True, slots=True)
class Judged:
    """One row a judged score, by time.

    `said` and `raw` float64 [n]: log-odds as given, and before any recalibration that was in force; `labels` uint8;
    `sessions`, `models`, `moments` (milliseconds) int64; `bands` text.
    """

    said: NDArray[np.float64]
    raw: NDArray[np.float64]
    labels: NDArray[np.uint8]
    sessions: NDArray[np.int64]
    models: NDArray[np.int64]
    moments: NDArray[np.int64]
    bands: NDArray[np.str_]
    of: str = "sessions"
    """What is judged, in words; for a horizon of days `sessions` holds the keys of visitors."""

    def __len__(self) -> int:
        return len(self.said)

    def take(self, rows: NDArray[Any]) -> Judged:
        """The rows picked by an index array or a mask."""
        return replace(self, **{name: getattr(self, name)[rows] for name in _COLUMNS})

    @property
    def session_count(self) -> int:
        return len(np.unique(self.sessions))

    @property
    def buying_sessions(self) -> int:
        return len(np.unique(self.sessions[self.labels == 1]))


def judged_scores(
    begin: datetime,
    end: datetime,
    *,
    horizon: str = Horizon.SESSION,
    model: int | None = None,
    most: int = MOST_SCORES,
    shadow: bool = False,
) -> Judged:
    """The judged scores of a horizon with a moment from `begin` to before `end`, of one version or of all; of people.

    Those that the shop may have acted on, or with `shadow` those that a challenger gave beside them. Of the session
    horizon only scores of sessions count, of the week only those of visitors.
    """
    is_week = horizon == Horizon.WEEK
    subject = "visitor_id" if is_week else "session_id"
    found = Score.objects.judged().filter(shadow=shadow, moment__gte=begin, moment__lt=end)
    found = found.filter(**{f"{subject}__isnull": False, "visitor__bot" if is_week else "session__visitor__bot": ""})
    if is_week:
        found = found.filter(model__in=ModelVersion.objects.of(Horizon.WEEK).order_by().values("pk"))
    if model is not None:
        found = found.filter(model=model)
    step = -(-found.order_by()[: most * 1_000].count() // most)
    if step > 1:
        found = found.alias(rest=F(subject) % step).filter(rest=0)
    rows = list(
        found.order_by("moment", "pk").values_list("probability", "came_true", subject, "model_id", "moment", "band")[
            : 2 * most
        ]
    )
    return _as_columns(rows, of="customers" if is_week else "sessions")


def _as_columns(rows: list[tuple[Any, ...]], *, of: str) -> Judged:
    columns = list(zip(*rows, strict=True)) or [()] * 6
    said = logit(np.clip(np.array(columns[0], np.float64), _TINY, 1 - _TINY))
    models, moments = (
        np.array(columns[3], np.int64),
        np.array([int(moment.timestamp() * 1000) for moment in columns[4]], np.int64),
    )
    return Judged(
        said=said,
        raw=without_corrections(said, models, moments),
        labels=np.array(columns[1], np.uint8),
        sessions=np.array(columns[2], np.int64),
        models=models,
        moments=moments,
        bands=np.array(columns[5], np.str_),
        of=of,
    )
