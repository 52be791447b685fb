"""Rows of a statement as NumPy columns, some thousand at a time, and what each person did as sums by batch and arm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from numpy.typing import NDArray

from purchase_intent.experiments.measuring.sql import AT_ONCE, Statement, Statements

__all__ = ["Deeds", "Ints", "Numbers", "blocks", "deeds_of", "rows_of"]

Ints = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deeds:
    """What some people did after they were exposed, a line a deed, each person's lines together.

    `line` counts the people from 0; `arm`, `at` and `score` (NaN: not known) are a person's, a line each person.
    `what` is an event's number or `sql.ORDER`, `after` how long after the exposure it was, in microseconds; `amount` an
    order's revenue.
    """

    line: Ints
    what: Ints
    after: Ints
    amount: Numbers
    arm: Ints
    at: Ints
    score: Numbers

    @property
    def people(self) -> int:
        """How many."""
        return len(self.arm)


def rows_of(statements: Statements, statement: Statement) -> list[tuple[Any, ...]]:
    """All rows of a statement that has few."""
    with statements.connection.cursor() as cursor:
        cursor.execute(*statement)
        return list(cursor.fetchall())


def blocks(statements: Statements, statement: Statement) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a statement, so many at a time: the database keeps the rest."""
    with _streaming(statements.connection) as cursor:
        cursor.execute(*statement)
        while rows := cursor.fetchmany(AT_ONCE):
            yield rows


def deeds_of(statements: Statements, names: Sequence[int], *, with_orders: bool) -> Iterator[Deeds]:
    """What people did, a block of whole people at a time."""
    if not names and not with_orders:
        return
    left: list[tuple[Any, ...]] = []
    for block in blocks(statements, statements.deeds(names, with_orders=with_orders)):
        rows = left + block
        last, cut = rows[-1][0], len(rows) - 1
        while cut and rows[cut - 1][0] == last:
            cut -= 1
        left = rows[cut:]
        if cut:
            yield _deeds(rows[:cut])
    if left:
        yield _deeds(left)


@contextmanager
def _streaming(connection: BaseDatabaseWrapper) -> Iterator[Any]:
    """A cursor that does not fetch everything; on PostgreSQL one planned for all rows, not for the first."""
    if connection.vendor != "postgresql":
        with connection.cursor() as cursor:
            yield cursor
        return
    with transaction.atomic(using=connection.alias):
        with connection.cursor() as ordinary:
            ordinary.execute("SET LOCAL cursor_tuple_fraction = 1")
        with connection.chunked_cursor() as cursor:
            yield cursor


def _deeds(rows: Sequence[tuple[Any, ...]]) -> Deeds:
    unit, arm, at, score, what, moment, amount = zip(*rows, strict=True)
    units = np.array(unit, np.int64)
    first = np.flatnonzero(np.diff(units, prepend=units[0] - 1))
    line = np.cumsum(np.bincount(first, minlength=len(units))) - 1
    exposed = _moments(at)
    return Deeds(
        line=line,
        what=np.array(what, np.int64),
        after=_moments(moment) - exposed,
        amount=np.array(amount, np.float64),
        arm=np.array(arm, np.int64)[first],
        at=exposed[first],
        score=np.array(score, np.float64)[first],  # None becomes NaN
    )


def _moments(values: Sequence[Any]) -> Ints:
    """Microseconds since 1970 UTC: as they are, or from SQLite's text."""
    if isinstance(values[0], str):
        return np.array(values, "datetime64[us]").astype(np.int64)
    return np.array(values, np.int64)
