"""Past decision points scored again by a named model: against what happened, and against what was said at the time."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from purchase_intent.learning import IntentEnsemble, case_weights, figures
from purchase_intent.models import ModelVersion, Score
from purchase_intent.scoring.bundles import load_bundle
from purchase_intent.scoring.corrections import given_again
from purchase_intent.watch.replay import Replayed, chosen_sessions, replayed

__all__ = ["backtest"]

LEAST_BUYERS: Final = 5
AT_ONCE: Final = 500


def backtest(version: ModelVersion, begin: datetime, end: datetime, *, most: int) -> dict[str, Any]:
    """JSON: how the decision points of sessions that ended from `begin` to before `end` are scored by `version`.

    `all`: its figures over every decision point. `recorded`: over the points at which a score was recorded, `said` at
    the time and `again` by this version. `same_version`: of the scores that this version gave itself, how many come out
    the same, and the largest difference in log-odds; corrections that were in force are taken into account. Figures
    weigh each session once, and are left out with fewer than five buying sessions. Raises BundleRefused.
    """
    ensemble = load_bundle(version)
    live = replayed(chosen_sessions(begin, end, most=most))
    found: dict[str, Any] = {
        "model": version.pk,
        "from": begin.isoformat(),
        "until": end.isoformat(),
        "sessions": live.session_count,
        "buyers": len(np.unique(live.sessions[live.labels == 1])),
        "points": len(live.labels),
    }
    if not len(live.labels):
        return found | {"all": {}, "recorded": {}, "same_version": {}}
    again = _predicted(ensemble, live)
    rows, said, models, moments = _recorded(live)
    return found | {
        "all": _figures(live, again),
        "recorded": {
            "points": len(rows),
            "said": _figures(live, said, rows),
            "again": _figures(live, again[rows], rows),
            "versions": sorted(set(models.tolist())),
        },
        "same_version": given_again(version, again[rows], said, models, moments),
    }


def _predicted(ensemble: IntentEnsemble, live: Replayed) -> NDArray[np.float64]:
    return np.clip(ensemble.predict(live.vectors), 1e-12, 1 - 1e-12)


def _recorded(
    live: Replayed,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """The rows of decision points at which a score was recorded: row, probability, version, moment."""
    place = {key: row for row, key in enumerate(zip(live.sessions.tolist(), live.moments.tolist(), strict=True))}
    keys = np.unique(live.sessions).tolist()
    found = []
    for start in range(0, len(keys), AT_ONCE):
        scores = Score.objects.shown().filter(session__in=keys[start : start + AT_ONCE])
        scores = scores.order_by("session_id", "moment", "pk")
        for session, moment, chance, model in scores.values_list("session_id", "moment", "probability", "model_id"):
            at = _milliseconds(moment)
            if (row := place.get((session, at))) is not None:
                found.append((row, chance, model, at))
    columns = list(zip(*found, strict=True)) or [()] * 4
    return (
        np.array(columns[0], np.int64),
        np.array(columns[1], np.float64),
        np.array(columns[2], np.int64),
        np.array(columns[3], np.int64),
    )


def _figures(live: Replayed, chances: NDArray[np.float64], rows: NDArray[np.int64] | None = None) -> dict[str, float]:
    at = np.arange(len(live.labels)) if rows is None else rows
    labels, sessions = live.labels[at], live.sessions[at]
    buyers = len(np.unique(sessions[labels == 1]))
    if buyers < LEAST_BUYERS or buyers == len(np.unique(sessions)):
        return {"rows": float(len(labels)), "positives": float(labels.sum())}
    return figures(labels, chances, case_weights(sessions, power=-1.0))


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
