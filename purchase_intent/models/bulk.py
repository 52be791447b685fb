"""Scores of many rows written at once: on PostgreSQL one statement a batch, elsewhere a short transaction.

Pages write the same rows, in orders of their own. So a batch never waits while it holds a row: one that another
transaction holds is left out and named to the caller. Hence no deadlock, and a page waits for one statement at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

import numpy as np
from django.db import connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import RawSQL
from numpy.typing import NDArray

from purchase_intent.models.score import Score
from purchase_intent.models.session import Session
from purchase_intent.models.visitor import Visitor

__all__ = ["BATCH", "Keys", "Numbers", "Said", "instant", "listed", "microseconds", "note_visits", "write_said"]

BATCH: Final = 1_000
"""Rows of one statement."""
Keys: TypeAlias = NDArray[np.int64]
Numbers: TypeAlias = NDArray[np.float64]
Subject: TypeAlias = type[Session] | type[Visitor]

_SOON: Final = ", soon AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Said:
    """What one model says of some rows, a line each.

    `model` is the version's key, None for the cold-start rules. `probability` is NaN where there is no answer. `band`
    is the place in `bands`: "" for none, then the names by rising cut-off. `shadow`: said by a challenger, to be judged
    and never shown.
    """

    model: int | None
    probability: Numbers
    band: Keys
    bands: tuple[str, ...]
    shadow: bool = False

    @property
    def given(self) -> NDArray[np.bool_]:
        """Where there is an answer."""
        return ~np.isnan(self.probability)

    def lines(self, chosen: NDArray[Any]) -> Said:
        """The same of some of the lines, by place or by a mask."""
        return Said(self.model, self.probability[chosen], self.band[chosen], self.bands, self.shadow)


@dataclass(frozen=True, slots=True)
class _Batch:
    subject: Subject
    keys: Keys
    moments: Keys
    said: Sequence[Said]
    columns: Mapping[str, Numbers]

    def lines(self, chosen: NDArray[Any]) -> _Batch:
        columns = {name: column[chosen] for name, column in self.columns.items()}
        return _Batch(
            self.subject, self.keys[chosen], self.moments[chosen], [each.lines(chosen) for each in self.said], columns
        )


def microseconds(moment: datetime) -> int:
    """An aware datetime as microseconds since 1970 UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def instant(count: int) -> datetime:
    """Microseconds since 1970 UTC as an aware datetime."""
    return _EPOCH + count * _MICROSECOND


def listed(keys: Iterable[int]) -> RawSQL:
    """Keys for a filter such as `pk__in`, as one parameter: a list of its own takes Django longer than the database."""
    vendor = connections[router.db_for_read(Session)].vendor
    words = "SELECT unnest(%s::bigint[])" if vendor == "postgresql" else "SELECT value FROM json_each(%s)"
    begin, end = "{}" if vendor == "postgresql" else "[]"
    return RawSQL(words, [begin + ",".join(map(str, keys)) + end])  # noqa: S611 (numbers of our own)


def write_said(
    subject: Subject,
    keys: Keys,
    moments: Keys,
    said: Sequence[Said],
    columns: Mapping[str, Numbers] | None = None,
    *,
    patient: bool = False,
) -> NDArray[np.bool_]:
    """Write what models say of sessions, or visitors, `BATCH` rows a transaction; whose rows were at hand.

    A row that another transaction holds, or that is gone, is left out; `patient` takes them one by one, and waits.

    The first of `said` goes into the row itself, with further `columns` of it by name (NaN becomes NULL), unless the
    row was scored as of the same moment or a later one. Each that names its model, one of its own, becomes a row of
    scores, which is written once. `moments` are in microseconds since 1970 UTC. A line without an answer of the first
    is not written, and counts as at hand.
    """
    free = np.ones(len(keys), np.bool_)
    everything = _Batch(subject, keys, moments, said, columns or {})
    answered = np.flatnonzero(said[0].given)
    order = answered[np.argsort(keys[answered], kind="stable")]
    step = 1 if patient else BATCH
    for begin in range(0, len(order), step):
        lines = order[begin : begin + step]
        free[lines] = _write(everything.lines(lines), patient=patient)
    return free


def note_visits(visits: Mapping[int, datetime]) -> None:
    """Note when visitors came last, by their keys, where that is later than what is on record."""
    connection = connections[router.db_for_write(Visitor)]
    busy: Iterable[int] = sorted(visits)
    if connection.vendor == "postgresql":
        busy = _noted_at_once(visits, connection)
    rows = Visitor.objects.using(connection.alias)
    for key in busy:
        rows.filter(pk=key, last_seen__lt=visits[key]).update(last_seen=visits[key])


def _noted_at_once(visits: Mapping[int, datetime], connection: BaseDatabaseWrapper) -> list[int]:
    """Those whose rows were held by others."""
    table = connection.ops.quote_name(Visitor._meta.db_table)  # noqa: SLF001 (documented by Django)
    sql = (
        "WITH given AS MATERIALIZED (SELECT id, timestamptz 'epoch' + at * interval '1 microsecond' AS moment "  # noqa: S608
        "FROM unnest(%s::bigint[], %s::bigint[]) AS g(id, at)), "
        f"behind AS MATERIALIZED (SELECT id FROM {table} AS v JOIN given USING (id) WHERE v.last_seen < given.moment), "
        f"mine AS MATERIALIZED (SELECT id FROM {table} WHERE id IN (SELECT id FROM behind) "
        "ORDER BY id FOR NO KEY UPDATE SKIP LOCKED), "
        f"changed AS (UPDATE {table} AS v SET last_seen = given.moment FROM given JOIN mine USING (id) "
        "WHERE v.id = given.id AND v.last_seen < given.moment) "
        "SELECT id FROM behind EXCEPT SELECT id FROM mine ORDER BY id"
    )
    moments = np.array([microseconds(moment) for moment in visits.values()], np.int64)
    with connection.cursor() as cursor:
        cursor.execute(sql, [_numbers(np.array(list(visits), np.int64)), _numbers(moments)])
        return [key for (key,) in cursor.fetchall()]


def _write(batch: _Batch, *, patient: bool) -> NDArray[np.bool_]:
    connection = connections[router.db_for_write(batch.subject)]
    if connection.vendor == "postgresql":
        written: Iterable[int] = _in_one_statement(batch, connection, patient=patient)
    else:
        written = _row_by_row(batch, connection)
    return np.isin(batch.keys, np.fromiter(written, np.int64))


def _in_one_statement(batch: _Batch, connection: BaseDatabaseWrapper, *, patient: bool) -> list[int]:
    """What `_row_by_row` does, in PostgreSQL's words.

    Where it is a transaction by itself, its answer does not wait for the disk: what a crash of the server undoes, rows
    and scores together, is scored again.
    """
    quote, table = connection.ops.quote_name, batch.subject._meta.db_table  # noqa: SLF001 (documented by Django)
    given: list[tuple[str, str, str]] = [
        ("id", "bigint", _numbers(batch.keys)),
        ("at", "bigint", _numbers(batch.moments)),
    ]
    values: dict[str, str] = {"scored_at": "given.moment"}
    for place, each in enumerate(batch.said):
        given.append((f"p{place}", "float8", _numbers(each.probability)))
        given.append((f"b{place}", "int", _numbers(each.band)))
    for place, name in enumerate(batch.columns):
        given.append((f"c{place}", "float8", _numbers(batch.columns[name])))
        values[name] = f"given.c{place}"
    values |= {"score": "given.p0", "band": "(%s::text[])[given.b0 + 1]"}
    parameters: list[Any] = [text for _, _, text in given]
    arrays = ", ".join(f"%s::{kind}[]" for _, kind, _ in given)
    names = ", ".join(name for name, _, _ in given)
    parameters.append(list(batch.said[0].bands))
    if batch.subject is Session:
        values["model_id"] = "%s"
        parameters.append(batch.said[0].model)
    changed = ", ".join(f"{quote(name)} = {value}" for name, value in values.items())
    inserts, told = _inserts(batch, quote)
    # For this statement alone: within a transaction of somebody else's the commit is theirs.
    soon = "" if connection.in_atomic_block else _SOON
    sql = (
        "WITH given AS MATERIALIZED (SELECT *, timestamptz 'epoch' + at * interval '1 microsecond' AS moment "  # noqa: S608
        f"FROM unnest({arrays}) AS g({names})), "
        f"mine AS MATERIALIZED (SELECT id FROM {quote(table)} WHERE id IN (SELECT id FROM given) "
        f"ORDER BY id FOR NO KEY UPDATE{'' if patient else ' SKIP LOCKED'}), "
        f"changed AS (UPDATE {quote(table)} AS changing SET {changed} FROM given JOIN mine USING (id) "
        "WHERE changing.id = given.id AND (changing.scored_at IS NULL OR changing.scored_at < given.moment))"
        f"{inserts}{soon} SELECT mine.id FROM mine{', soon' if soon else ''}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters + told)
        return [key for (key,) in cursor.fetchall()]


def _inserts(batch: _Batch, quote: Any) -> tuple[str, list[Any]]:
    """The part of the statement that inserts rows of scores, and its parameters."""
    subject = "session_id" if batch.subject is Session else "visitor_id"
    parts, told = [], []
    for place, each in enumerate(batch.said):
        if each.model is not None:
            parts.append(
                f", kept{place} AS (INSERT INTO {quote(Score._meta.db_table)} "  # noqa: SLF001, S608 (our own names)
                f"({subject}, model_id, probability, band, moment, shadow) "
                f"SELECT id, %s, p{place}, (%s::text[])[b{place} + 1], moment, %s FROM given JOIN mine USING (id) "
                f"WHERE p{place} IS NOT NULL ON CONFLICT DO NOTHING)"
            )
            told += [each.model, list(each.bands), each.shadow]
    return "".join(parts), told


def _numbers(values: NDArray[Any]) -> str:
    """An array in PostgreSQL's own writing; NaN becomes NULL."""
    if values.dtype.kind == "f":
        return "{" + ",".join("NULL" if value != value else repr(value) for value in values.tolist()) + "}"  # noqa: PLR0124
    return "{" + ",".join(map(str, values.tolist())) + "}"


def _row_by_row(batch: _Batch, connection: BaseDatabaseWrapper) -> Iterable[int]:
    alias = connection.alias
    first, stamps = batch.said[0], [instant(each) for each in batch.moments.tolist()]
    values: dict[str, list[Any]] = {
        "score": first.probability.tolist(),
        "band": [first.bands[place] for place in first.band.tolist()],
        "scored_at": stamps,
    }
    for name, column in batch.columns.items():
        values[name] = [None if value != value else value for value in column.tolist()]  # noqa: PLR0124 - NaN
    if batch.subject is Session:
        values["model"] = [first.model] * len(stamps)
    with transaction.atomic(using=alias):
        rows = batch.subject._default_manager.using(alias).filter(pk__in=batch.keys.tolist())  # noqa: SLF001
        stored = set(rows.order_by().values_list("pk", flat=True))
        _update(batch, values, connection)
        Score.objects.using(alias).bulk_create(_scores(batch, stamps, stored), ignore_conflicts=True)
    return stored


def _update(batch: _Batch, values: Mapping[str, list[Any]], connection: BaseDatabaseWrapper) -> None:
    quote, meta = connection.ops.quote_name, batch.subject._meta  # noqa: SLF001 (documented by Django)
    fields: dict[str, Any] = {name: meta.get_field(name) for name in values}
    changed = ", ".join(f"{quote(field.column)} = %s" for field in fields.values())
    sql = (
        f"UPDATE {quote(meta.db_table)} SET {changed} "  # noqa: S608 (names of our own columns)
        "WHERE id = %s AND (scored_at IS NULL OR scored_at < %s)"
    )
    saved = {
        name: [field.get_db_prep_save(value, connection) for value in values[name]] for name, field in fields.items()
    }
    with connection.cursor() as cursor:
        cursor.executemany(sql, list(zip(*saved.values(), batch.keys.tolist(), saved["scored_at"], strict=True)))


def _scores(batch: _Batch, stamps: list[datetime], stored: set[int]) -> list[Score]:
    subject = "session_id" if batch.subject is Session else "visitor_id"
    return [
        Score(
            **{subject: key},
            model_id=each.model,
            probability=probability,
            band=each.bands[band],
            moment=moment,
            shadow=each.shadow,
        )
        for each in batch.said
        if each.model is not None
        for key, probability, band, moment in zip(
            batch.keys.tolist(), each.probability.tolist(), each.band.tolist(), stamps, strict=True
        )
        if key in stored and probability == probability  # noqa: PLR0124 - NaN differs from itself
    ]
