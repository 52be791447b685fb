"""The files of a log: what kind each is, which columns it has, how DuckDB reads it."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from purchase_intent.exceptions import LogRefused
from purchase_intent.sources.layouts import LAYOUTS, Layout, nearest_layout, quoted
from purchase_intent.sources.lines import readable

if TYPE_CHECKING:
    import duckdb

__all__ = ["LogFile", "agreed_layout", "first_line", "open_files", "refused", "unglobbed"]

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

    def column(self, name: str) -> str:
        """The column as SQL. In CSV columns go by position, so that no header text gets into a query."""
        if self.parquet:
            return '"' + name.replace('"', '""') + '"'
        return f"c{list(self.types).index(name)}"


def open_files(connection: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> list[LogFile]:
    """Look at the head of every path; refuses what cannot be a log before anything is read."""
    if not paths:
        raise LogRefused("no event log was given: name at least one CSV or Parquet file", path=None)
    return [open_file(connection, Path(path), index) for index, path in enumerate(paths)]


def open_file(connection: duckdb.DuckDBPyConnection, path: Path, index: int) -> LogFile:
    """One path, its kind told by its name and checked against its first bytes."""
    name = path.name.lower()
    if not path.is_file():
        raise refused(path, "no such file; check the path")
    if path.stat().st_size == 0:
        raise refused(path, "the file is empty (0 bytes); export the log again")
    if name.endswith((".parquet", ".pq")):
        return LogFile(path, index, True, parquet_types(connection, path))
    if name.endswith((".csv", ".csv.gz")):
        return LogFile(path, index, False, csv_types(path))
    raise refused(path, "unknown kind of file; name it .csv, .csv.gz or .parquet, according to what it holds")


def parquet_types(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    """Columns and types from the footer of a Parquet file."""
    import duckdb

    with path.open("rb") as stream:
        magic = stream.read(4)
    if magic != PARQUET_MAGIC:
        raise refused(path, "not a Parquet file, whatever its name; export it again or rename it")
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({quoted(str(path))})").fetchall()
    except duckdb.Error as error:
        raise refused(path, f"damaged Parquet file ({first_line(error)}); export it again") from error
    return {row[0]: row[1] for row in described}


def csv_types(path: Path) -> dict[str, str]:
    """Columns from the header line of a CSV file, plain or gzip."""
    with path.open("rb") as stream:
        zipped = stream.read(2) == GZIP_MAGIC
    if zipped != path.name.lower().endswith(".gz"):
        found = "is gzip" if zipped else "is not gzip"
        raise refused(path, f"the content {found}, the name says otherwise; rename the file")
    names = [name.strip() for name in header(path, zipped=zipped)]
    if not any(names):
        raise refused(path, "no header; the first line must name the columns")
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        raise refused(path, "the columns are not separated by commas; export the log with commas")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise refused(path, f"column {twice[0]!r} appears twice in the header; keep one", column=twice[0])
    return dict.fromkeys(names, "VARCHAR")


def header(path: Path, *, zipped: bool) -> list[str]:
    """The values of the first line."""
    try:
        with readable(path), gzip.open(path) if zipped else path.open("rb") as stream:
            text = stream.readline(1 << 16).decode("utf-8-sig")
        return next(csv.reader([text.rstrip("\r\n")], strict=True), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise refused(path, f"the header cannot be read ({error}); export the log as CSV in UTF-8") from error


def agreed_layout(files: Sequence[LogFile], name: str | None) -> Layout:
    """The layout all files share, given or told from their columns."""
    if name is not None and name not in LAYOUTS:
        raise LogRefused(f"layout: {name!r} is unknown; name one of {', '.join(LAYOUTS)}", layout=name)
    layout = LAYOUTS[name] if name else nearest_layout(files[0].columns)
    for file in files:
        nearest = LAYOUTS[name] if name else nearest_layout(file.columns)
        if nearest is not layout:
            raise refused(
                file.path,
                f"layout {nearest.name}, while {files[0].path} has layout {layout.name};"
                " give files of one layout, or convert one of them",
                layout=nearest.name,
            )
        missing = sorted(layout.required - file.columns)
        if missing:
            raise refused(
                file.path,
                f"column {missing[0]} is missing (layout {layout.name} requires {', '.join(sorted(layout.required))});"
                " add the column, or name another layout",
                column=missing[0],
                missing=missing,
                layout=layout.name,
            )
    return layout


def unglobbed(path: Path, folder: Path, index: int) -> Path:
    """A path DuckDB reads as one file: it takes a star, a question mark or a bracket for a pattern."""
    if not set("*?[") & set(str(path)):
        return path
    link = folder / f"link-{index}{path.suffix}"
    link.symlink_to(path.resolve())
    return link


def refused(path: Path, message: str, **facts: object) -> LogRefused:
    """The error for one path."""
    return LogRefused(f"{path}: {message}", path=str(path), **facts)


def first_line(error: Exception) -> str:
    """The gist of a database error."""
    return str(error).splitlines()[0]
