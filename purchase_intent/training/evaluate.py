"""Evaluation on a later log: every event of every session scored from itself and the past alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from purchase_intent.exceptions import LogRefused
from purchase_intent.learning import IntentEnsemble
from purchase_intent.models import Horizon, ModelVersion
from purchase_intent.scoring.bundles import load_bundle
from purchase_intent.sources import EventLog, open_log
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
    version = ModelVersion.objects.named(request.model)
    ensemble = load_bundle(version)
    zone = request.zone or version.figures["zone"]
    for path in (request.out, request.report):
        if not path.parent.is_dir():
            raise LogRefused(f"{path}: its folder does not exist; make it first", path=str(path))
    progress("reading the logs")
    with open_log([*request.history, *request.events], zone=zone, rejects=request.rejects) as log:
        score_events(log, ensemble, first_source=len(request.history), threads=request.threads, progress=progress)
        progress("judging")
        found = _report(log, ensemble, version)
        found["predictions"] = write_predictions(log, request.out)
    _write_json(request.report, found)
    return found


def _report(log: EventLog, ensemble: IntentEnsemble, version: ModelVersion) -> dict[str, Any]:
    points = evaluation_points(log, ["baseline", *ensemble.members, "ensemble"])
    row = np.zeros((1, len(ensemble.names)), np.float32)
    return {
        "model": version.pk,
        "horizon": Horizon.SESSION.value,
        "trained_until": version.trained_until.isoformat(),
        "log": {"rows": log.rows, "accepted": log.accepted, "rejected": log.rejected},
        "figures": report.figures_table(points, ensemble.thresholds),
        "calibration": report.calibration_table(points),
        "models": report.comparison(points, report.latencies(ensemble, row)),
    }


def _write_json(path: Path, value: Any) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    partial.replace(path)
