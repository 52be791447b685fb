"""What was not accepted: counted by reason, and written out with the row as the log has it."""

from __future__ import annotations

from pathlib import Path

from purchase_intent.events.reasons import Reason
from purchase_intent.sources.layouts import quoted
from purchase_intent.sources.reasons import FIELD_OF_REASON
from purchase_intent.sources.scan import Scan
from purchase_intent.sources.staging import Stage
from purchase_intent.sources.targets import drafts

__all__ = ["REJECT_COLUMNS", "rejected_counts", "write_rejects"]

REJECT_COLUMNS = ("source", "place", "number", "reason", "field", "value", "content")
"""Columns of the rejects file: the path; 'row' (from 0, over all files) or 'line' (of the file, 1 is the header); its
number; the reason; the column at fault and its value; the whole row as JSON, or the broken line as it stands."""


def rejected_counts(stage: Stage) -> dict[str, int]:
    """Rows not accepted, by reason, in order of precedence."""
    found = dict(
        stage.connection.execute(
            "SELECT reason::VARCHAR, count(*) FROM staged WHERE reason IS NOT NULL GROUP BY reason"
        ).fetchall()
    )
    found[str(Reason.BROKEN_LINE)] = stage.count("broken")
    return {str(reason): found[reason] for reason in Reason if found.get(reason)}


def write_rejects(stage: Stage, target: Path) -> None:
    """Write the rejects file, whole or not at all; of a log without rejects, its header alone."""
    broken = f"""SELECT source, 'line' AS place, line AS number, '{Reason.BROKEN_LINE}' AS reason, NULL AS field,
        NULL AS value, text AS content FROM broken"""
    parts = [broken, *(rejected_rows(stage, i) for i in range(len(stage.scans)))]
    names = " ".join(f"WHEN {file.index} THEN {quoted(str(file.path))}" for file in stage.files)
    target.parent.mkdir(parents=True, exist_ok=True)
    with drafts(target) as (draft,):
        stage.connection.execute(
            f"""COPY (SELECT CASE source {names} END AS source, place, number, reason, field, value, content
                FROM ({" UNION ALL ".join(parts)}) AS every ORDER BY every.source, place, number)
            TO {quoted(str(draft))} (FORMAT csv, HEADER true)"""
        )


def rejected_rows(stage: Stage, index: int) -> str:
    """SELECT of one file's rejected rows. They are read again, as the table `stage` keeps no texts."""
    scan, first = stage.scans[index], stage.starts[index]
    last = stage.starts[index + 1] if index + 1 < len(stage.starts) else stage.count("stage")
    fields = " ".join(f"WHEN '{reason}' THEN {quoted(field)}" for reason, field in FIELD_OF_REASON.items())
    values = " ".join(
        f"WHEN '{reason}' THEN {raw(scan, field)}" for reason, field in FIELD_OF_REASON.items() if scan.has(field)
    )
    row = ", ".join(f"{quoted(name)}: {scan.file.column(name)}" for name in scan.file.types)
    return f"""SELECT {index}, 'row', number, reason::VARCHAR, CASE reason::VARCHAR {fields} END,
        CASE reason::VARCHAR {values} END, to_json({{{row}}})::VARCHAR
        FROM (SELECT row_number() OVER () - 1 + {first} AS number, * FROM {scan.rows()}) AS again
        JOIN (SELECT row, reason FROM staged WHERE reason IS NOT NULL AND row >= {first} AND row < {last}) AS refused
        ON refused.row = again.number"""


def raw(scan: Scan, column: str) -> str:
    """A raw value as text."""
    return f"{scan.file.column(column)}::VARCHAR"
