"""CSV text made safe for a fast reader: one line an event, whatever the line holds.

A parallel CSV reader that honours quotes loses thousands of good lines after one quote left open. So quotes are never
left to it: a file without any is read as it is, one that has some (or carriage returns) is rewritten line by line,
and a line that cannot be understood is a broken line, nothing more.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from purchase_intent.exceptions import LogRefused

__all__ = ["BrokenLine", "PlainText", "plain_text"]

CHUNK = 1 << 20
LONGEST_LINE = 1 << 20
SEPARATOR = "\x1f"  # ASCII's unit separator: made for this, and in no sensible value
SHOWN = 1000  # characters of a broken line that are kept


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line (1 is the header) that could not be split into the columns."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class PlainText:
    """Where the text lies, what separates its values, and whether it still has its header line."""

    path: Path
    separator: str
    header: bool
    broken: list[BrokenLine]


def plain_text(path: Path, columns: int, folder: Path, name: str) -> PlainText:
    """The CSV file at `path` (plain or gzip, `columns` wide) as text without quotes.

    Copies go to `folder` and begin with `name`. Raises LogRefused for a damaged gzip file.
    """
    source, awkward = path, False
    if path.name.lower().endswith(".gz"):
        source = folder / f"{name}.csv"
        awkward = unzip(path, source)
    else:
        with path.open("rb") as stream:
            awkward = any(is_awkward(chunk) for chunk in chunks(stream))
    if not awkward:
        return PlainText(source, ",", True, [])
    target = folder / f"{name}.txt"
    broken = rewrite(source, target, columns)
    if source != path:
        source.unlink()
    return PlainText(target, SEPARATOR, False, broken)


def chunks(stream: BinaryIO) -> Iterator[bytes]:
    """The stream in pieces of bounded size."""
    while chunk := stream.read(CHUNK):
        yield chunk


def is_awkward(chunk: bytes) -> bool:
    """Whether a piece of text needs more than splitting at commas and line feeds."""
    return b'"' in chunk or b"\r" in chunk


def unzip(path: Path, target: Path) -> bool:
    """Write the plain text of a gzip file; whether it is awkward."""
    awkward = False
    with readable(path), gzip.open(path) as stream, target.open("wb") as out:
        for chunk in chunks(stream):  # type: ignore[arg-type]  # GzipFile reads as BinaryIO does
            awkward = awkward or is_awkward(chunk)
            out.write(chunk)
    return awkward


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what a damaged gzip file raises into LogRefused."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise LogRefused(
            f"{path}: the gzip file is damaged or cut short ({error}); copy it again", path=str(path)
        ) from error


def rewrite(source: Path, target: Path, columns: int) -> list[BrokenLine]:
    """Write the good lines with SEPARATOR between values, without the header; the broken ones are returned."""
    broken: list[BrokenLine] = []
    with source.open("rb") as stream, target.open("w", encoding="utf-8", newline="") as out:
        stream.readline()
        for number, line in numbered_lines(stream):
            values = None if line is None else values_of(line, columns)
            if values is not None:
                out.write(SEPARATOR.join(values) + "\n")
            elif line is None or line.strip(b"\r\n"):
                broken.append(BrokenLine(number, (line or b"")[:SHOWN].decode("utf-8", "replace").rstrip("\r\n")))
    return broken


def numbered_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Lines after the header with their number in the file; None for one that is longer than any event."""
    number = 1
    while line := stream.readline(LONGEST_LINE):
        number += 1
        if len(line) < LONGEST_LINE or line.endswith(b"\n"):
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(LONGEST_LINE)
        yield number, None


def values_of(line: bytes, columns: int) -> list[str] | None:
    """The values of a line, None where they are not exactly `columns` or the line is no CSV."""
    try:
        text = line.decode("utf-8").removesuffix("\n").removesuffix("\r")
        values = next(csv.reader([text], strict=True), []) if '"' in text else text.split(",")
    except (UnicodeDecodeError, csv.Error):
        return None
    while len(values) > columns and not values[-1]:
        values.pop()  # spreadsheets add empty columns, and the reader of plain files lets them pass as well
    if len(values) != columns or SEPARATOR in text or "\r" in text or not text:
        return None
    return values
