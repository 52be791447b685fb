"""The files of a log: what kind each is, which columns it has, how DuckDB reads it."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from purchase_intent.exceptions import LogRefused
from purchase_intent.sources.layouts import LAYOUTS, Layout, nearest_layout, quoted

if TYPE_CHECKING:
    import duckdb

__all__ = ["LogFile", "agreed_layout", "open_files"]

PARQUET_MAGIC = b"PAR1"
GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class LogFile:
    """One path of a log. `types` maps column name to DuckDB type, in file order; in CSV all are VARCHAR."""

    path: Path
    index: int
    parquet: bool
    types: dict[str, str]

    @property
    def columns(self) -> frozenset[str]:
        """The names of the file's columns."""
        return frozenset(self.types)


def open_files(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> list[LogFile]:
    """Look at the head of every path; refuses what cannot be a log before anything is read."""
    if not paths:
        raise LogRefused("no event log was given: name at least one CSV or Parquet file", path=None)
    return [open_file(connection, Path(path), index) for index, path in enumerate(paths)]


def open_file(connection: duckdb.DuckDBPyConnection, path: Path, index: int) -> LogFile:
    """One path, its kind told by its name and checked against its first bytes."""
    name = path.name.lower()
    if not path.is_file():
        raise LogRefused(f"{path}: no such file; check the path", path=str(path))
    if path.stat().st_size == 0:
        raise LogRefused(f"{path}: the file is empty (0 bytes); export the log again", path=str(path))
    if name.endswith((".parquet", ".pq")):
        return LogFile(path, index, True, parquet_types(connection, path))
    if name.endswith((".csv", ".csv.gz")):
        return LogFile(path, index, False, csv_types(path))
    raise LogRefused(
        f"{path}: unknown kind of file; name it .csv, .csv.gz or .parquet, according to what it holds", path=str(path)
    )


def parquet_types(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    """Columns and types from the footer of a Parquet file."""
    import duckdb

    with path.open("rb") as stream:
        magic = stream.read(4)
    if magic != PARQUET_MAGIC:
        raise LogRefused(f"{path}: not a Parquet file, whatever its name; export it again or rename it", path=str(path))
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({quoted(str(path))})").fetchall()
    except duckdb.Error as error:
        raise LogRefused(f"{path}: damaged Parquet file ({first_line(error)}); export it again", path=str(path)) from error
    return {row[0]: row[1] for row in described}


def csv_types(path: Path) -> dict[str, str]:
    """Columns from the header line of a CSV file, plain or gzip."""
    with path.open("rb") as stream:
        zipped = stream.read(2) == GZIP_MAGIC
    if zipped != path.name.lower().endswith(".gz"):
        kind = "is gzip" if zipped else "is not gzip"
        raise LogRefused(f"{path}: the content {kind}, the name says otherwise; rename the file", path=str(path))
    try:
        with (gzip.open if zipped else open)(path, "rt", encoding="utf-8-sig", newline="") as text:
            header = next(csv.reader(text), [])
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise LogRefused(f"{path}: the header cannot be read ({error}); export it again as UTF-8", path=str(path)) from error
    names = [name.strip() for name in header]
    if not any(names):
        raise LogRefused(f"{path}: no header; the first line must name the columns", path=str(path))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise LogRefused(f"{path}: column {twice[0]} appears twice; keep one", path=str(path), column=twice[0])
    return dict.fromkeys(names, "VARCHAR")


def agreed_layout(files: Sequence[LogFile], name: str | None) -> Layout:
    """The layout all files share, given or told from their columns."""
    if name is not None and name not in LAYOUTS:
        raise LogRefused(f"unknown layout {name!r}; known are {', '.join(LAYOUTS)}", layout=name)
    layout = LAYOUTS[name] if name else nearest_layout(files[0].columns)
    for file in files:
        nearest = LAYOUTS[name] if name else nearest_layout(file.columns)
        if nearest is not layout:
            raise LogRefused(
                f"{file.path}: layout {nearest.name}, while {files[0].path} has layout {layout.name};"
                " give files of one layout, or convert one of them",
                path=str(file.path),
                layout=nearest.name,
            )
        missing = sorted(layout.required - file.columns)
        if missing:
            raise LogRefused(
                f"{file.path}: column {missing[0]} is missing (layout {layout.name} requires"
                f" {', '.join(sorted(layout.required))}); add the column or name another layout",
                path=str(file.path),
                column=missing[0],
                missing=missing,
                layout=layout.name,
            )
    return layout


def first_line(error: Exception) -> str:
    """The gist of a database error."""
    return str(error).splitlines()[0]
