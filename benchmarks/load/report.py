"""The lines of `bench_load.py`: printed as they come, and put into the documentation as tables."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.load.client import Outcome

__all__ = ["Row", "table", "written"]

BEGIN: Final = "<!-- written by benchmarks/bench_load.py --write -->"
END: Final = "<!-- end -->"
_COLUMNS: Final = (
    *("", "connections", "requests", "failed", "a second", "p50 ms", "p95 ms", "p99 ms"),
    *("web", "PostgreSQL", "Valkey", "client", "a second of the web's processor"),
)
_PAGES: Final = ("a page", "without tracking", "tracked", "more", "limit", "p95 tracked")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: of which table, and its cells."""

    kind: str
    cells: tuple[str, ...]

    def __str__(self) -> str:
        return "  ".join(f"{cell:>10}" if place else f"{cell:<24}" for place, cell in enumerate(self.cells))

    @staticmethod
    def heading() -> str:
        """What stands above the printed lines."""
        return str(Row("load", _COLUMNS))

    @classmethod
    def of(cls, name: str, connections: int, found: Outcome, spent: Mapping[str, float]) -> Row:
        """Of a run; `spent` is processor time in seconds, by whom."""
        answers = max(len(found.took), 1)
        busy = [f"{spent.get(who, 0.0) / answers * 1000:.2f}" for who in ("web", "PostgreSQL", "Valkey", "client")]
        alone = answers / spent["web"] if spent.get("web") else 0.0
        percentiles = [f"{found.at(share):.1f}" for share in (0.5, 0.95, 0.99)]
        cells = (name, f"{connections:,}", f"{found.asked:,}", f"{found.failed:,}", f"{found.rate:,.0f}")
        return cls("load", (*cells, *percentiles, *busy, f"{alone:,.0f}"))

    @classmethod
    def of_pages(cls, name: str, without: float, tracked: float, slow: float, limit: float) -> Row:
        """Of pages in turns, in milliseconds at the median; `slow` is the 95th percentile of the tracked ones."""
        cells = (f"{without:.2f}", f"{tracked:.2f}", f"{tracked - without:.2f}", f"{limit:.1f}", f"{slow:.2f}")
        return cls("page", (name, *cells))

    @classmethod
    def of_ratio(cls, times: float, least: float, most: float, limit: float) -> Row:
        """How many times as many predictions as the service that most would write, in turns."""
        return cls("ratio", (f"{times:.1f} times", f"{least:.1f}", f"{most:.1f}", f"{limit:.0f}"))


def table(rows: Sequence[Row], *, load: float) -> str:
    """The lines as Markdown."""
    parts = [f"On {os.cpu_count()} cores, at a load of {load:.1f} from elsewhere when it began.\n"]
    for kind, heads in (("page", _PAGES), ("load", _COLUMNS)):
        chosen = [row.cells for row in rows if row.kind == kind]
        if chosen:
            lines = [heads, ("---",) * len(heads), *chosen]
            parts.append("\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n")
    for row in rows:
        if row.kind == "ratio":
            times, least, most, limit = row.cells
            told = f"In turns with FastAPI's, ours are {times} as many predictions a second at the median"
            parts.append(f"{told} ({least} to {most}); the limit is {limit}.\n")
    return "\n".join(parts)


def written(page: Path, told: str) -> None:
    """Put the tables between the two marks of a page."""
    text = page.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, found, tail = rest.partition(END)
    if not found:
        raise ValueError(f"{page} has no place for the table")
    page.write_text(f"{head}{BEGIN}\n\n{told}\n{END}{tail}", encoding="utf-8")
