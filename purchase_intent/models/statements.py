"""The statements of the fast path, built once: a session read with its visitor, its row and its events written.

Django builds each query anew, which costs a page more than the database takes to answer it, and each trip to a server
wakes two processes. The SELECT sent here is what Django built the first time, and what comes back is read as Django
reads it; on PostgreSQL the writing is one statement, elsewhere two in a transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.db import connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from purchase_intent.models.event import Event
from purchase_intent.models.score import Score
from purchase_intent.models.session import Session
from purchase_intent.models.visitor import Visitor

__all__ = ["go_on", "session_with_visitor", "write_version"]

_KEY: Final = "key"
_SITE: Final = "site"
_WORDS: Final[dict[str, tuple[str, str, str]]] = {}
"""By kind of database."""


class _Selection(NamedTuple):
    """A SELECT of two models' columns, and how to read its rows."""

    sql: str
    converters: list[tuple[int, Any, list[Any]]]
    session: list[str]
    visitor: list[str]


def session_with_visitor(*, key: str, site: str) -> Session | None:
    """The session of a key, with its visitor (whose past is read when asked for): one query; None without one."""
    alias = router.db_for_write(Session)
    connection = connections[alias]
    selection = _selection(alias, connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(selection.sql, (key, site))
        found = cursor.fetchone()
    if found is None:
        return None
    row = list(found)
    for place, expression, converters in selection.converters:
        for convert in converters:
            row[place] = convert(row[place], expression, connection)
    cut = len(selection.session)
    session: Session = Session.from_db(alias, selection.session, row[:cut])
    session.visitor = Visitor.from_db(alias, selection.visitor, row[cut:])
    return session


def write_version(session: Session, values: Mapping[str, Any]) -> bool:
    """Write columns of a session, by attribute name, where its version is still that of `session`; whether it was so.

    The version in the database goes up by one; `session` is left as it is.
    """
    connection = connections[router.db_for_write(Session, instance=session)]
    sql, given = _update(session, values, connection)
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        written: int = cursor.rowcount
    return written == 1


def go_on(session: Session, values: Mapping[str, Any], events: Sequence[Event], scores: Sequence[Score] = ()) -> bool:
    """Write a session as `write_version` does, and insert events and scores of it: all or nothing; whether it was so.

    Raises IntegrityError, with nothing written, where one of the events is stored already.
    """
    alias = router.db_for_write(Session, instance=session)
    connection = connections[alias]
    if connection.vendor == "postgresql" and not connection.in_atomic_block and not scores:
        return _go_on_at_once(session, values, events, connection)
    with transaction.atomic(using=alias):
        written = write_version(session, values)
        if written:
            insert, given = _insert(events, connection)
            with connection.cursor() as cursor:
                cursor.execute(insert, given)
        if written and scores:
            Score.objects.using(alias).bulk_create(scores, ignore_conflicts=True)
    return written


def _go_on_at_once(
    session: Session, values: Mapping[str, Any], events: Sequence[Event], connection: BaseDatabaseWrapper
) -> bool:
    update, given = _update(session, values, connection)
    insert, told = _insert(events, connection, source="moved")
    with connection.cursor() as cursor:
        cursor.execute(f"WITH moved AS ({update} RETURNING 1) {insert}", given + told)
        inserted: int = cursor.rowcount
    return inserted == len(events)


@lru_cache(maxsize=8)
def _selection(alias: str, vendor: str) -> _Selection:  # noqa: ARG001 (a database swapped for one of another kind)
    sessions = Session.objects.select_related("visitor").defer("visitor__past", "visitor__bot_reason")
    query = sessions.filter(key=_KEY, site=_SITE).order_by().query
    compiler = query.get_compiler(using=alias)
    sql, given = compiler.as_sql()
    if given != (_KEY, _SITE):
        raise RuntimeError(f"Django has built the query with other parameters: {given}")
    columns = [expression.target for expression, _, _ in compiler.select]
    session = [column.attname for column in columns if column.model is Session]
    visitor = [column.attname for column in columns if column.model is Visitor]
    if [column.attname for column in columns] != session + visitor:
        raise RuntimeError("Django has built the query with the columns in another order")
    converters = compiler.get_converters([expression for expression, _, _ in compiler.select])
    read = [(place, expression, functions) for place, (functions, expression) in converters.items()]
    return _Selection(sql, read, session, visitor)


def _update(session: Session, values: Mapping[str, Any], connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
    """An UPDATE of one version of a session, and its parameters."""
    quote = connection.ops.quote_name
    changed = ", ".join(f"{_column(name, quote)} = %s" for name in (*values, "version"))
    sql = (
        f"UPDATE {quote(_table(Session))} SET {changed} "  # noqa: S608 (names of our own columns)
        f"WHERE {_column('id', quote)} = %s AND {_column('version', quote)} = %s"
    )
    saved = [_field(name).get_db_prep_save(value, connection) for name, value in values.items()]
    return sql, [*saved, session.version + 1, session.pk, session.version]


def _insert(events: Sequence[Event], connection: BaseDatabaseWrapper, *, source: str = "") -> tuple[str, list[Any]]:
    """An INSERT of events, and its parameters; with a `source` each is inserted for every row of that."""
    fields = _fields(Event)
    given = [field.get_db_prep_save(getattr(event, field.attname), connection) for event in events for field in fields]
    table, columns, row = _words(connection)
    rows = ", ".join([row] * len(events))
    values = f"SELECT told.* FROM {source}, (VALUES {rows}) AS told" if source else f"VALUES {rows}"  # noqa: S608
    return f"INSERT INTO {table} ({columns}) {values}", given


def _words(connection: BaseDatabaseWrapper) -> tuple[str, str, str]:
    """The table of events, its columns, and one row of parameters."""
    words = _WORDS.get(connection.vendor)
    if words is None:
        quote, fields = connection.ops.quote_name, _fields(Event)
        # PostgreSQL has to be told the type of what is selected.
        typed = connection.vendor == "postgresql"
        row = ", ".join(f"%s::{field.db_type(connection)}" if typed else "%s" for field in fields)
        words = quote(_table(Event)), ", ".join(quote(str(field.column)) for field in fields), f"({row})"
        _WORDS[connection.vendor] = words
    return words


def _column(name: str, quote: Any) -> str:
    return str(quote(_field(name).column))


@lru_cache(maxsize=64)
def _field(name: str) -> models.Field[Any, Any]:
    return next(field for field in _fields(Session) if name in (field.name, field.attname))


def _fields(model: type[models.Model]) -> Sequence[models.Field[Any, Any]]:
    fields: Sequence[models.Field[Any, Any]] = model._meta.concrete_fields  # noqa: SLF001 (documented by Django)
    return fields


def _table(model: type[models.Model]) -> str:
    table: str = model._meta.db_table  # noqa: SLF001 (the same)
    return table
