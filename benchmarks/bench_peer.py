"""Two models' predictions of the same later log, row by row of the protocol, with paired intervals.

    python benchmarks/bench_peer.py EVENTS.parquet OURS.parquet PEER.parquet [--zone NAME] [--draws 60] [--seed 1]

EVENTS is the log that both were asked about; OURS is what `intent_evaluate --out` wrote of it, PEER any file of
`event_id` and `score` (0 to 1). Prints, for each row, average precision of both, how much higher ours is, and the
differences in average precision, AUC and Brier score with 95% intervals of a paired bootstrap over sessions; then the
calibration error of ours. Ends with 1 where a row is worse than the peer beyond chance in any of the three.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from purchase_intent.events import Reason  # noqa: E402
from purchase_intent.learning import auc, average_precision, brier, expected_calibration_error  # noqa: E402
from purchase_intent.sources import EventLog, layout_zone, open_log  # noqa: E402
from purchase_intent.training.report import protocol_rows  # noqa: E402
from purchase_intent.training.scored import EvaluationPoints, evaluation_points  # noqa: E402

Floats = NDArray[np.float64]
Measure = Callable[[NDArray[np.uint8], Floats, Floats], float]

MEASURES: dict[str, tuple[Measure, int]] = {"AP": (average_precision, 1), "AUC": (auc, 1), "Brier": (brier, -1)}
"""And whether more of it is better (1) or worse (-1)."""
MODELS = ("ours", "peer")


def points_of(log: EventLog, ours: Path, peer: Path) -> EvaluationPoints:
    """The decision points of a log with both models' scores; SystemExit where one of them has none, or two."""
    for name, path in zip(MODELS, (ours, peer), strict=True):
        query = f"CREATE TABLE {name} AS SELECT event_id::VARCHAR AS id, score::DOUBLE AS score FROM read_parquet(?)"
        log.connection.execute(query, [str(path)])
    scores = ", ".join(f"coalesce({name}.score, 'NaN'::DOUBLE) AS {name}" for name in MODELS)
    joins = " ".join(f"LEFT JOIN {name} ON {name}.id = s.event_id::VARCHAR" for name in MODELS)
    log.connection.execute(f"""
        CREATE TABLE placed AS
        SELECT s.event_id, s.time, s.kind, s.page, s.session, s.row, {scores} FROM staged AS s {joins}
        WHERE s.session IS NOT NULL AND s.time IS NOT NULL AND s.reason IS DISTINCT FROM '{Reason.DUPLICATE_EVENT_ID}'
        """)
    [(twice,)] = log.connection.execute("SELECT count(*) - count(DISTINCT row) FROM placed").fetchall()
    points = evaluation_points(log, list(MODELS))
    missing = {name: int(np.isnan(scores).sum()) for name, scores in points.scores.items()}
    if twice or any(missing.values()):
        raise SystemExit(f"{twice} events have two scores; decision points without one: {missing}")
    return points


def differences(
    points: EvaluationPoints, chosen: NDArray[np.bool_], weights: Floats, turns: list[Floats]
) -> Iterator[str]:
    """Of one row: each measure's gain of ours with its interval; marked where it is worse beyond chance."""
    label = points.label[chosen]
    ours, peer = (points.scores[name][chosen] for name in MODELS)
    for name, (measure, sign) in MEASURES.items():
        gains = []
        for turn in [np.ones(len(turns[0])), *turns]:
            mass = (weights * turn[points.session - 1])[chosen]
            there = mass > 0
            one, other = (measure(label[there], scores[there], mass[there]) for scores in (ours, peer))
            gains.append(sign * (one - other))
        low, high = np.quantile(gains[1:], [0.025, 0.975])
        yield f"{name} {gains[0]:+.4f} [{low:+.4f}, {high:+.4f}]{' WORSE' if high < 0 else ''}"


def main() -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs=3, type=Path, metavar="FILE", help="the log, ours, the peer's")
    parser.add_argument("--zone", help="the shop's time zone")
    parser.add_argument("--draws", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    events, ours, peer = given.files
    with open_log([events], zone=given.zone or layout_zone([events]) or "UTC") as log:
        points = points_of(log, ours, peer)
    rng = np.random.default_rng(given.seed)
    turns = [rng.poisson(1.0, int(points.session.max())).astype(np.float64) for _ in range(given.draws)]
    worse = False
    for name, chosen, weights in protocol_rows(points):
        label, mass = points.label[chosen], weights[chosen]
        one, other = (average_precision(label, points.scores[model][chosen], mass) for model in MODELS)
        said = "; ".join(differences(points, chosen, weights, turns))
        worse = worse or "WORSE" in said
        print(
            f"{name:15s} {len(label):8,} points  AP {one:.4f} against {other:.4f} ({one / other - 1:+.1%}); {said}",
            flush=True,
        )
        if name in ("all", "all_points"):
            error = expected_calibration_error(label, points.scores["ours"][chosen], mass)
            print(f"{'':15s} calibration error of ours {error:.4f}")
    return int(worse)


if __name__ == "__main__":
    sys.exit(main())
