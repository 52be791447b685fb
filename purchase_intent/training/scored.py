"""Scores of every event of a log, in the log's own database: written out whole, and cut into decision points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from purchase_intent.events import EventName, Page, Reason
from purchase_intent.features.history import replay
from purchase_intent.learning import IntentEnsemble
from purchase_intent.sources import EventLog

__all__ = ["STAGES", "EvaluationPoints", "evaluation_points", "score_events", "write_predictions"]

STAGES: Final = ("view", "basket", "cart", "checkout")

Progress = Callable[[str], None]

_ROWS: Final = 2**40
"""More rows than any log has."""


@dataclass(frozen=True, slots=True)
class EvaluationPoints:
    """The decision points of a scored log, one entry each.

    `session` numbers the sessions, `k` counts a session's moments from 1, `label` is 1 where the session buys later;
    `first` maps a stage to the points that reached it first; `scores` maps a model to its probabilities.
    """

    session: NDArray[np.int64]
    k: NDArray[np.int64]
    label: NDArray[np.uint8]
    first: Mapping[str, NDArray[np.bool_]]
    scores: Mapping[str, NDArray[np.float64]]


def score_events(
    log: EventLog, ensemble: IntentEnsemble, *, first_source: int, threads: int, progress: Progress
) -> None:
    """Fold the whole log and score the events of the paths from `first_source` on, into the table `scored`.

    Rows that were rejected, but have an id, a session and a time, get the score that stood at their moment.
    """
    models = [*ensemble.members, "baseline", "ensemble"]
    columns = ", ".join(f"{name} DOUBLE" for name in models)
    log.connection.execute(f"CREATE TABLE scored (row BIGINT, {columns})")
    buffer = np.empty((0, len(ensemble.names)), np.float32)
    done = 0
    for batch in log.batches():
        if len(batch.hits) > len(buffer):
            buffer = np.empty((len(batch.hits), len(ensemble.names)), np.float32)
        vectors = replay(batch.hits, batch.visitor, batch.session, buffer)
        wanted = batch.source >= first_source
        if wanted.any():
            _insert(log, batch.row[wanted], vectors[wanted], ensemble, threads=threads)
        done += len(batch.hits)
        progress(f"scoring events: {done:,} of {log.accepted:,}")
    _carry(log, models, first_source=first_source, fallback=_base_rate(ensemble))


def _insert(
    log: EventLog, rows: NDArray[np.int64], vectors: NDArray[np.float32], ensemble: IntentEnsemble, *, threads: int
) -> None:
    import pyarrow as pa

    margins = ensemble.member_log_odds(vectors, threads=threads)
    scores: dict[str, NDArray[Any]] = {name: expit(margin) for name, margin in margins.items()}
    scores["baseline"] = expit(ensemble.baseline_log_odds(vectors))
    scores["ensemble"] = expit(ensemble.mix(margins))
    log.connection.register("part", pa.table({"row": rows, **scores}))
    log.connection.execute("INSERT INTO scored SELECT * FROM part")
    log.connection.unregister("part")


def _base_rate(ensemble: IntentEnsemble) -> float:
    return float(ensemble.figures["models"]["ensemble"]["session"]["base_rate"])


def _carry(log: EventLog, models: list[str], *, first_source: int, fallback: float) -> None:
    """Add the rejected rows that have a session: with the score of its latest row up to then, or the base rate."""
    carried = ", ".join(f"coalesce({name}, {fallback!r})" for name in models)
    log.connection.execute("""
        CREATE TABLE placed AS
        SELECT s.event_id, s.time, s.kind, s.page, s.session, p.*
        FROM scored AS p JOIN staged AS s ON s.row = p.row""")
    log.connection.execute(f"""
        INSERT INTO placed
        SELECT r.event_id, r.time, r.kind, r.page, r.session, r.row, {carried}
        FROM (
            SELECT * FROM staged WHERE reason IS NOT NULL AND reason <> '{Reason.DUPLICATE_EVENT_ID}'
            AND event_id IS NOT NULL AND session IS NOT NULL AND source >= {first_source}
        ) AS r ASOF LEFT JOIN placed AS p
            ON p.session = r.session AND {_order("p")} <= {_order("r")}""")


def _order(table: str) -> str:
    """SQL for the place of an event in the order (time, row) as one number: what ASOF can compare."""
    return f"({table}.time::HUGEINT * {_ROWS} + {table}.row)"


def write_predictions(log: EventLog, out: Path) -> int:
    """Write `event_id` and `score` of every placed event as Parquet; the number of rows."""
    quoted = str(out).replace("'", "''")
    log.connection.execute(
        f"COPY (SELECT event_id, ensemble AS score FROM placed ORDER BY row) TO '{quoted}'"
        " (FORMAT parquet, COMPRESSION zstd)"
    )
    return int(log.connection.execute("SELECT count(*) FROM placed").fetchall()[0][0])


def evaluation_points(log: EventLog, models: list[str]) -> EvaluationPoints:
    """The decision points: distinct moments before the session's first purchase, scored by their last event."""
    columns = ", ".join(f"p.{name}" for name in models)
    found = log.connection.execute(POINTS.format(models=columns)).fetchnumpy()
    return EvaluationPoints(
        session=np.asarray(found["session"], np.int64),
        k=np.asarray(found["k"], np.int64),
        label=np.asarray(found["label"], np.uint8),
        first={stage: np.asarray(found[f"first_{stage}"], bool) for stage in STAGES},
        scores={name: np.asarray(found[name], np.float64) for name in models},
    )


POINTS: Final = f"""
WITH moments AS (
    SELECT session AS place, time, max(row) AS last_row,
        bool_or(kind = {int(EventName.PURCHASE)}) AS buys,
        bool_or(kind = {int(EventName.VIEW)}) AS view,
        bool_or(page = {int(Page.BASKET)}) AS basket,
        bool_or(kind = {int(EventName.CART)}) AS cart,
        bool_or(kind IN ({int(EventName.CHECKOUT)}, {int(EventName.PAYMENT_INFO)})) AS checkout
    FROM placed GROUP BY ALL
), counted AS (
    SELECT *, row_number() OVER so_far AS k,
        max(CASE WHEN buys THEN time END) OVER whole AS last_purchase,
        min(CASE WHEN buys THEN time END) OVER whole AS first_purchase,
        {", ".join(f"{stage} AND sum({stage}::INTEGER) OVER so_far = 1 AS first_{stage}" for stage in STAGES)}
    FROM moments
    WINDOW whole AS (PARTITION BY place),
        so_far AS (PARTITION BY place ORDER BY time ROWS UNBOUNDED PRECEDING)
)
SELECT dense_rank() OVER (ORDER BY c.place) AS session, k,
    coalesce(last_purchase > c.time, false)::UTINYINT AS label,
    {", ".join(f"first_{stage}" for stage in STAGES)}, {{models}}
FROM counted AS c JOIN placed AS p ON p.row = c.last_row
WHERE first_purchase IS NULL OR c.time < first_purchase
ORDER BY session, k
"""
