"""Past nights asked about again by a named model of customers: against what happened, and what was said at the time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from purchase_intent.conf import config
from purchase_intent.learning import figures
from purchase_intent.models import Horizon, ModelVersion, Score
from purchase_intent.scoring.bundles import load_bundle
from purchase_intent.scoring.corrections import given_again
from purchase_intent.sources.orm import StoredLog, stored_events
from purchase_intent.training.snapshots import WEEK_DAYS, Snapshots, nights_of, take_snapshots

__all__ = ["backtest_nights"]

LEAST_BUYERS: Final = 5
AT_ONCE: Final = 500

Progress = Callable[[str], None]


def backtest_nights(
    version: ModelVersion, begin: datetime, end: datetime, *, most: int, progress: Progress
) -> dict[str, Any]:
    """JSON: how customers, each on one night in seven from `begin` to a week before `end`, are scored by `version`.

    As `watch.backtest` does for sessions: `all`, over every customer at a night, of more than `most` about as many;
    `recorded`, over those for whom a score was recorded, `said` at the time and `again` by this version;
    `same_version`, how its own scores come out. Figures are left out with fewer than five buyers. What was known by a
    night is folded from the stored events. Raises BundleRefused, LogRefused without an event.
    """
    ensemble = load_bundle(version)
    with stored_events(zone=str(config().time_zone), until=end, progress=progress) as stored:
        nights = [night for night in nights_of(stored.log) if begin <= night <= end - timedelta(days=WEEK_DAYS)]
        found: dict[str, Any] = {"model": version.pk, "from": begin.isoformat(), "until": end.isoformat()}
        if not nights:
            empty: dict[str, Any] = {"all": {}, "recorded": {}, "same_version": {}}
            return found | {"customers": 0, "buyers": 0, "points": 0} | empty
        past = take_snapshots(stored.log, nights=nights, most=most, progress=progress)
        past = past.take(~np.isnan(past.bought))
        keys = _keys(stored, past)
    again = np.clip(ensemble.predict(past.values), 1e-12, 1 - 1e-12)
    rows, said, models = _recorded(keys, past)
    return found | {
        "customers": len(np.unique(past.visitor)),
        "buyers": len(np.unique(past.visitor[past.bought == 1])),
        "points": len(past),
        "all": _figures(past, again),
        "recorded": {
            "points": len(rows),
            "said": _figures(past.take(rows), said),
            "again": _figures(past.take(rows), again[rows]),
            "versions": sorted(set(models.tolist())),
        },
        "same_version": given_again(version, again[rows], said, models, past.night[rows]),
    }


def _keys(stored: StoredLog, past: Snapshots) -> NDArray[np.int64]:
    """The visitor's primary key of each row."""
    connection, wanted = stored.log.connection, [np.unique(past.row).tolist()]
    named = "SELECT row, visitor FROM texts WHERE row IN (SELECT unnest(?::BIGINT[]))"
    names = dict(connection.execute(named, wanted).fetchall())
    rows = connection.execute("SELECT user_id, min(visitor_pk) FROM read_parquet(?) GROUP BY ALL", [str(stored.path)])
    keys = dict(rows.fetchall())
    return np.array([keys[names[row]] for row in past.row.tolist()], np.int64)


def _recorded(
    keys: NDArray[np.int64], past: Snapshots
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """The rows for which a score was recorded: row, probability, version."""
    place = {asked: row for row, asked in enumerate(zip(keys.tolist(), past.night.tolist(), strict=True))}
    versions = ModelVersion.objects.of(Horizon.WEEK).order_by().values("pk")
    found, everybody = [], np.unique(keys).tolist()
    for start in range(0, len(everybody), AT_ONCE):
        scores = Score.objects.shown().filter(visitor__in=everybody[start : start + AT_ONCE], model__in=versions)
        told = scores.order_by("visitor_id", "moment", "pk").values_list("visitor_id", "moment", "probability", "model")
        for visitor, moment, chance, model in told:
            if (row := place.get((visitor, round(moment.timestamp() * 1000)))) is not None:
                found.append((row, chance, model))
    columns = list(zip(*found, strict=True)) or [()] * 3
    return np.array(columns[0], np.int64), np.array(columns[1], np.float64), np.array(columns[2], np.int64)


def _figures(past: Snapshots, chances: NDArray[np.float64]) -> dict[str, float]:
    labels = past.bought.astype(np.uint8)
    if labels.sum() < LEAST_BUYERS or labels.all():
        return {"rows": float(len(labels)), "positives": float(labels.sum())}
    return figures(labels, chances, past.stands_for)
