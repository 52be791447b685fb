"""Files: Parquet and CSV, written under a temporary name and put in place when whole."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedWriter
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from demo_shop.simulator.plan import SimulationRefused

__all__ = ["Writer", "check_target", "open_writer"]

_SUFFIXES = {"generic": (".parquet", ".csv", ".csv.gz"), "rees46": (".csv", ".csv.gz")}


class Writer(Protocol):
    """Takes the tables of a log in order."""

    def write(self, table: pa.Table) -> None:
        """Append a table; all have the same columns."""


def check_target(path: Path, layout: str) -> None:
    """Refuse a path that cannot be written or does not suit the layout, before any work is done."""
    suffixes = _SUFFIXES[layout]
    if not path.name.endswith(suffixes):
        kinds = ", ".join(suffixes)
        raise SimulationRefused(f"out {path.name!r}: the {layout} layout is written to {kinds}", out=str(path))
    if not path.parent.is_dir():
        raise SimulationRefused(f"out {path}: there is no folder {path.parent}", out=str(path))
    if path.is_dir():
        raise SimulationRefused(f"out {path}: that is a folder, give a file name", out=str(path))


@contextmanager
def open_writer(path: Path) -> Iterator[Writer]:
    """A writer by the path's suffix. On an error nothing is left behind, and an older file stays as it was."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with ExitStack() as stack:
            yield _kind(path)(partial, stack)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _kind(path: Path) -> Callable[[Path, ExitStack], Writer]:
    return _Parquet if path.suffix == ".parquet" else _Gzip if path.suffix == ".gz" else _Csv


class _Parquet:
    """zstd Parquet; ids and times are not dictionary-encoded, since they hardly repeat."""

    _PLAIN = ("event_id", "event_time", "price", "revenue")
    _ROWS = 250_000

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.path = path
        self.stack = stack
        self.file: pq.ParquetWriter | None = None
        self.pending: list[pa.Table] = []
        stack.callback(self._close)

    def write(self, table: pa.Table) -> None:
        # Row groups are of one size whatever the slices were, so that the bytes do not depend on them.
        self.pending.append(_decoded(table))
        held = pa.concat_tables(self.pending)
        whole = held.num_rows // self._ROWS * self._ROWS
        if whole:
            self._put(held.slice(0, whole))
        self.pending = [held.slice(whole)]

    def _put(self, table: pa.Table) -> None:
        if self.file is None:
            encoded = [name for name in table.column_names if name not in self._PLAIN]
            self.file = pq.ParquetWriter(
                self.path, table.schema, compression="zstd", compression_level=6, use_dictionary=encoded
            )
        for first in range(0, table.num_rows, self._ROWS):
            self.file.write_table(table.slice(first, self._ROWS).combine_chunks(), row_group_size=self._ROWS)

    def _close(self) -> None:
        if self.pending and (self.pending[0].num_rows or self.file is None):
            self._put(pa.concat_tables(self.pending))
        if self.file is not None:
            self.file.close()


class _Csv:
    """CSV with a header. Nothing in the catalogue needs quotes; Arrow refuses to write what would."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.file: BufferedWriter | gzip.GzipFile = stack.enter_context(path.open("wb"))
        self.header = True

    def write(self, table: pa.Table) -> None:
        options = pyarrow.csv.WriteOptions(include_header=self.header, quoting_style="none", quoting_header="none")
        pyarrow.csv.write_csv(_spelled(_decoded(table)), self.file, options)
        self.header = False


class _Gzip(_Csv):
    """The same through gzip, without name or time in its header, so that equal logs are equal bytes."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        raw = stack.enter_context(path.open("wb"))
        self.file = stack.enter_context(gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6, mtime=0))
        self.header = True


def _decoded(table: pa.Table) -> pa.Table:
    """Plain strings instead of dictionaries, which differ from slice to slice."""
    for index, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(index, field.name, pc.cast(table.column(index), pa.string()))
    return table


def _spelled(table: pa.Table) -> pa.Table:
    """Times in ISO 8601 with their zone."""
    for index, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            spelled = pc.strftime(table.column(index), format="%Y-%m-%dT%H:%M:%SZ")
            table = table.set_column(index, field.name, spelled)
    return table
