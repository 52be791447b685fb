"""Evaluation on a later log: every event of every session scored from itself and the past alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from purchase_intent.exceptions import LogRefused
from purchase_intent.learning import IntentEnsemble
from purchase_intent.models import Horizon, ModelVersion
from purchase_intent.scoring.bundles import load_bundle
from purchase_intent.sources import EventLog, check_targets, drafts, open_log
from purchase_intent.training import report
from purchase_intent.training.scored import Progress, evaluation_points, score_events, write_predictions

__all__ = ["Evaluation", "evaluate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What to evaluate: `events` are scored, `history` comes before them; `model` is champion, latest or a number."""

    history: Sequence[Path]
    events: Sequence[Path]
    model: str
    out: Path
    report: Path
    zone: str | None = None
    threads: int = 2
    rejects: Path | None = None


def evaluate(request: Evaluation, *, progress: Progress) -> dict[str, Any]:
    """Score `events`, write the predictions and the report, and answer with the report.

    The protocol: decision points are the distinct moments of a session before its first purchase; where several events
    share a moment, the last one's score counts; the label is 1 where a purchase lies strictly later in the session.
    `zone` is the one the model was trained in unless given. Raises ModelNotFound, BundleRefused, LogRefused; then
    neither file is written.
    """
    targets = {"--out": request.out, "--report": request.report, "--rejects": request.rejects}
    check_targets(targets, [*request.history, *request.events])
    version = ModelVersion.objects.named(request.model)
    ensemble = load_bundle(version)
    zone = version.figures["zone"] if request.zone is None else request.zone
    progress("reading the logs")
    with open_log([*request.history, *request.events], zone=zone, rejects=request.rejects) as log:
        first_source = len(request.history)
        _refuse_overlap(log, first_source)
        score_events(log, ensemble, first_source=first_source, threads=request.threads, progress=progress)
        progress("judging")
        found = _report(log, ensemble, version)
        with drafts(request.out, request.report) as (out, report_file):
            found["predictions"] = write_predictions(log, out)
            report_file.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return found


def _refuse_overlap(log: EventLog, first_source: int) -> None:
    (shared,) = log.connection.execute(
        """
        SELECT count(*) FROM staged AS later
        WHERE later.source >= ? AND later.reason = 'duplicate_event_id' AND EXISTS (
            SELECT 1 FROM staged AS early WHERE early.source < ? AND early.event_id = later.event_id)""",
        [first_source, first_source],
    ).fetchall()[0]
    if shared:
        raise LogRefused(f"{shared:,} events of --events are in --history too; leave them out of one", events=shared)


def _report(log: EventLog, ensemble: IntentEnsemble, version: ModelVersion) -> dict[str, Any]:
    points = evaluation_points(log, ["baseline", *ensemble.members, "ensemble"])
    if not len(points.label):
        raise LogRefused("--events hold no moment before a purchase that could be judged; give a log of sessions")
    row = np.zeros((1, len(ensemble.names)), np.float32)
    return {
        "model": version.pk,
        "horizon": Horizon.SESSION.value,
        "trained_until": version.trained_until.isoformat(),
        "share_already_learnt": _share_before(log, version.trained_until),
        "log": {"rows": log.rows, "accepted": log.accepted, "rejected": log.rejected},
        "figures": report.figures_table(points, ensemble.thresholds),
        "calibration": report.calibration_table(points),
        "models": report.comparison(points, report.latencies(ensemble, row)),
    }


def _share_before(log: EventLog, moment: datetime) -> float:
    """The share of the scored events that lie in the time the model learnt from: figures on those flatter it."""
    (share,) = log.connection.execute(
        "SELECT avg((time < ?)::INTEGER) FROM placed", [int(moment.timestamp() * 1000)]
    ).fetchall()[0]
    return float(share)
