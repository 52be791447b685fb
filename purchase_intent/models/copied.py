"""Rows of a query as columns of NumPy, for work that reads thousands: no Python object a value.

PostgreSQL hands them out by COPY in its binary form, as arrays of one width; elsewhere they are read row by row.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import Any, Final, TypeAlias

import numpy as np
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from numpy.typing import NDArray

from purchase_intent.features.columns import unpacked
from purchase_intent.features.state import Layout
from purchase_intent.models.bulk import microseconds

__all__ = ["Kind", "columns"]

Kind: TypeAlias = type[int] | type[datetime] | Layout[Any]
"""A number of 64 bits; a moment, as microseconds since 1970 UTC; or a packed record of one layout."""
Columns: TypeAlias = dict[str, NDArray[Any]]

_HEAD: Final = 19
_TAIL: Final = 2
"""Bytes before the first row and after the last (PostgreSQL's manual, COPY, binary format)."""
_SHIFT: Final = 946_684_800_000_000
"""Microseconds from 1970 to 2000, from which PostgreSQL counts."""


def columns(rows: models.QuerySet[Any], wanted: Mapping[str, Kind]) -> Columns:
    """Columns of a query by name, in its order: int64 of numbers and moments, rows that may be written to of records.

    No value may be NULL. A record of another length, an earlier layout's, is blank.
    """
    connection = connections[rows.db]
    query = rows.values_list(*wanted)
    with connection.cursor() as cursor:
        copies = connection.vendor == "postgresql" and hasattr(cursor, "copy_expert")  # psycopg 3 has another way
    return _copied(query, wanted, connection) if copies else _row_by_row(query, wanted)


def _row_by_row(query: models.QuerySet[Any], wanted: Mapping[str, Kind]) -> Columns:
    found = list(query)
    made: Columns = {}
    for place, (name, kind) in enumerate(wanted.items()):
        if isinstance(kind, Layout):
            made[name] = unpacked(kind, (row[place] for row in found))
        else:
            whole = [microseconds(row[place]) if kind is datetime else row[place] for row in found]
            made[name] = np.array(whole, np.int64)
    return made


def _copied(query: models.QuerySet[Any], wanted: Mapping[str, Kind], connection: BaseDatabaseWrapper) -> Columns:
    sql, given = query.query.sql_with_params()
    names = [f"c{place}" for place in range(len(wanted))]
    taken = ", ".join(_of_one_width(name, kind) for name, kind in zip(names, wanted.values(), strict=True))
    out = BytesIO()
    with connection.cursor() as cursor, connection.wrap_database_errors:
        told = cursor.mogrify(sql, given).decode()
        cursor.copy_expert(
            f"COPY (SELECT {taken} FROM ({told}) AS found({', '.join(names)})) TO STDOUT (FORMAT binary)",  # noqa: S608 (our own)
            out,
        )
    rows = np.frombuffer(out.getbuffer()[_HEAD:-_TAIL], _row(wanted))
    return {name: _plain(rows[name], kind) for name, kind in wanted.items()}


def _of_one_width(name: str, kind: Kind) -> str:
    """SQL for a column as its values lie in a row: all of one width."""
    if not isinstance(kind, Layout):
        return name if kind is datetime else f"{name}::bigint"
    return f"CASE WHEN octet_length({name}) = {kind.size} THEN {name} ELSE decode(repeat('00', {kind.size}), 'hex') END"


def _row(wanted: Mapping[str, Kind]) -> np.dtype[np.void]:
    """A row as COPY writes it: the number of its columns, then each behind its length."""
    fields: list[tuple[str, Any]] = [("", ">i2")]
    for name, kind in wanted.items():
        fields += [("", ">i4"), (name, kind.dtype if isinstance(kind, Layout) else ">i8")]
    return np.dtype([(name or f"f{place}", form) for place, (name, form) in enumerate(fields)])


def _plain(column: NDArray[Any], kind: Kind) -> NDArray[Any]:
    if isinstance(kind, Layout):
        return column.copy()
    whole = column.astype(np.int64)
    return whole + _SHIFT if kind is datetime else whole
