"""The evaluation report: figures by moment and by stage, calibration, and the models side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from purchase_intent.learning import IntentEnsemble, Thresholds, best_f1, figures, operating_point
from purchase_intent.training.scored import EvaluationPoints

__all__ = [
    "calibration_table",
    "comparison",
    "figures_table",
    "format_comparison",
    "format_figures",
    "latencies",
    "protocol_rows",
]

MOMENTS: Final = (1, 3, 5, 10, 20)
BINS: Final = 10
REPEATS: Final = 200
LEAST_POSITIVES: Final = 5
"""With fewer buyers, a row gives its counts alone: figures would be noise."""

Row = dict[str, float]


def protocol_rows(points: EvaluationPoints) -> Iterator[tuple[str, NDArray[np.bool_], NDArray[np.float64]]]:
    _, inverse, counts = np.unique(points.session, return_inverse=True, return_counts=True)
    everything, alike = np.ones(len(points.k), bool), np.ones(len(points.k))
    yield "all", everything, 1.0 / counts[inverse]
    yield "all_points", everything, alike
    for k in MOMENTS:
        yield f"k={k}", points.k == k, alike
    for stage, first in points.first.items():
        yield f"first_{stage}", first, alike


def figures_table(points: EvaluationPoints, thresholds: Thresholds) -> dict[str, Row]:
    """For each row of the protocol its figures, and F1, precision and recall at the trained threshold.

    'all' weighs each session once and uses the threshold trained so; the other rows weigh each point once.
    """
    table = {}
    for name, mask, weights in protocol_rows(points):
        label, score, weight = points.label[mask], points.scores["ensemble"][mask], weights[mask]
        if not _telling(label):
            table[name] = {"rows": float(len(label)), "positives": float(label.sum())}
            continue
        threshold = thresholds.session if name == "all" else thresholds.point
        at = operating_point(label, score, threshold, weight)
        table[name] = {**figures(label, score, weight), **{f"{key}_at_threshold": at[key] for key in at}}
    return table


def _telling(label: NDArray[np.uint8]) -> bool:
    """Whether there is enough of both classes for figures to say anything."""
    return LEAST_POSITIVES <= int(label.sum()) < len(label)


def calibration_table(points: EvaluationPoints) -> dict[str, list[Row]]:
    """Mean score and share of buyers in ten bins of equal weight, for 'all' and 'all_points'."""
    rows = {name: (mask, weights) for name, mask, weights in protocol_rows(points) if name in ("all", "all_points")}
    return {
        name: list(_bins(points.label[mask], points.scores["ensemble"][mask], weights[mask]))
        for name, (mask, weights) in rows.items()
    }


def _bins(label: NDArray[np.uint8], score: NDArray[np.float64], weight: NDArray[np.float64]) -> Iterator[Row]:
    order = np.argsort(score, kind="stable")
    label, score, weight = label[order], score[order], weight[order]
    edges = np.searchsorted(np.cumsum(weight), np.linspace(0, weight.sum(), BINS + 1)[1:-1])
    for part in np.split(np.arange(len(score)), edges):
        if len(part):
            yield {
                "from": float(score[part[0]]),
                "to": float(score[part[-1]]),
                "mean_score": float(np.average(score[part], weights=weight[part])),
                "share_of_buyers": float(np.average(label[part], weights=weight[part])),
                "weight": float(weight[part].sum() / weight.sum()),
            }


def latencies(ensemble: IntentEnsemble, row: NDArray[np.float32]) -> dict[str, float]:
    """Median microseconds of one row through each model, one thread, in this process."""
    encoded = ensemble.encoder.transform(row)
    found = {
        name: _median(lambda m=member: m.log_odds(encoded, threads=1)) for name, member in ensemble.members.items()
    }
    found["baseline"] = _median(lambda: ensemble.baseline_log_odds(row))
    found["ensemble"] = _median(lambda: ensemble.predict_one(row[0]))
    return found


def _median(call: Any) -> float:
    call()
    taken = []
    for _ in range(REPEATS):
        started = perf_counter()
        call()
        taken.append(perf_counter() - started)
    return float(np.median(taken)) * 1e6


def comparison(points: EvaluationPoints, latency: Mapping[str, float]) -> dict[str, Row]:
    """The baseline, each member and the ensemble over all points, each weighed once, at their best F1.

    Where the points do not tell buyers from others, the time of one row is all there is.
    """
    table: dict[str, Row] = {}
    for name, score in points.scores.items():
        if not _telling(points.label):
            table[name] = {"one_row_us": latency[name]}
            continue
        f1, threshold = best_f1(points.label, score)
        at = operating_point(points.label, score, threshold)
        whole = figures(points.label, score)
        table[name] = {
            "f1": f1,
            "auc": whole["auc"],
            "average_precision": whole["average_precision"],
            "precision": at["precision"],
            "recall": at["recall"],
            "log_loss": whole["log_loss"],
            "one_row_us": latency[name],
        }
    return table


_COLUMNS: Final = (
    ("rows", "points", ",.0f"),
    ("positives", "positive", ",.0f"),
    ("auc", "AUC", ".4f"),
    ("average_precision", "AP", ".4f"),
    ("brier", "Brier", ".5f"),
    ("ece", "ECE", ".5f"),
    ("best_f1", "best F1", ".4f"),
    ("f1_at_threshold", "F1", ".4f"),
    ("precision_at_threshold", "precision", ".4f"),
    ("recall_at_threshold", "recall", ".4f"),
)
_MODELS: Final = (
    ("f1", "F1", ".4f"),
    ("auc", "AUC", ".4f"),
    ("average_precision", "AP", ".4f"),
    ("precision", "precision", ".4f"),
    ("recall", "recall", ".4f"),
    ("log_loss", "log-loss", ".4f"),
    ("one_row_us", "one row, µs", ",.0f"),
)


def format_figures(table: Mapping[str, Row]) -> str:
    """The table by moment and stage, for a terminal."""
    return _format("decision points", table, _COLUMNS)


def format_comparison(table: Mapping[str, Row]) -> str:
    """The models side by side, for a terminal."""
    return _format("model", table, _MODELS)


def _format(title: str, table: Mapping[str, Row], columns: tuple[tuple[str, str, str], ...]) -> str:
    lines = [f"{title:16}" + "".join(f"{label:>12}" for _, label, _ in columns)]
    for name, row in table.items():
        cells = (format(row[key], pattern) if key in row else "-" for key, _, pattern in columns)
        lines.append(f"{name:16}" + "".join(f"{cell:>12}" for cell in cells))
    return "\n".join(lines)
