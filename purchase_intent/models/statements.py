"""The statements of the fast path, built once: a session read with its visitor, its row and its events written.

Django builds each query and each row anew, which costs a page more than the database takes to answer it, and each trip
to a server wakes two processes. What is read here is what Django would have read. On PostgreSQL the reading and the
writing are one trip each, by functions of its own (`models.planned`); elsewhere the writing is two statements in a
transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import ProgrammingError, connections, models, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.base import ModelState

from purchase_intent.models import planned
from purchase_intent.models.event import Event, EventRow
from purchase_intent.models.exposure import Exposure
from purchase_intent.models.score import Score
from purchase_intent.models.session import Session
from purchase_intent.models.visitor import Visitor

__all__ = ["expose", "go_on", "session_of", "session_with_visitor", "stored_among", "write_version"]

_KEY: Final = "key"
_SITE: Final = "site"
_OF_VISITOR: Final = ("id", "site", "cookie", "known", "customer", "told_at", "bot")
"""What a page needs to know of a visitor; Django reads the rest where somebody asks for it."""


class _Selection(NamedTuple):
    """A SELECT of two models' columns, the same by a function, and how to read its rows."""

    sql: str
    planned: str
    converters: list[tuple[int, Any, list[Any]]]
    session: list[str]
    visitor: list[str]


def session_with_visitor(*, key: str, site: str) -> Session | None:
    """The session of a key, with its visitor (the rest of whom is read when asked for): one query; None without one."""
    alias = router.db_for_write(Session)
    connection = connections[alias]
    selection = _selection(alias, connection.vendor)
    found = _found(connection, selection, (key, site))
    if found is None:
        return None
    row = list(found)
    for place, expression, converters in selection.converters:
        for convert in converters:
            row[place] = convert(row[place], expression, connection)
    cut = len(selection.session)
    session: Session = _loaded(Session, alias, selection.session, row[:cut])
    session.visitor = _loaded(Visitor, alias, selection.visitor, row[cut:])
    return session


def session_of(session: Mapping[str, Any], visitor: Mapping[str, Any]) -> Session:
    """A stored session with its visitor, of what is known of their columns, by attribute name.

    Django reads the rest where somebody asks for it.
    """
    alias = router.db_for_write(Session)
    found: Session = _loaded(Session, alias, [*session], [*session.values()])
    found.visitor = _loaded(Visitor, alias, [*visitor], [*visitor.values()])
    return found


def stored_among(keys: Sequence[UUID]) -> set[UUID]:
    """Those of the keys that are an event's."""
    alias = router.db_for_read(Event)
    connection, key = connections[alias], Event._meta.pk  # noqa: SLF001 (documented by Django)
    given = [key.get_db_prep_value(value, connection) for value in keys]
    table, column = Event._meta.db_table, key.column  # noqa: SLF001 (the same)
    marks = ", ".join(["%s"] * len(given))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} WHERE {column} IN ({marks})", given)  # noqa: S608 (own names)
        return {key.to_python(value) for (value,) in cursor.fetchall()}


def expose(rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert exposures, by attribute name, that are not stored yet: one statement, whoever else stores them at once.

    Each gets the visitor of its unit and site, where that is on record by now.
    """
    alias = router.db_for_write(Exposure)
    connection = connections[alias]
    fields = _exposed(Exposure)
    given: list[Any] = []
    for row in rows:
        given += [field.get_db_prep_save(row[field.attname], connection) for field in fields]
        given += [row["unit"], row["site"]]
    with connection.cursor() as cursor:
        cursor.execute(_exposing(alias, connection.vendor, len(rows)), given)


def write_version(session: Session, values: Mapping[str, Any]) -> bool:
    """Write columns of a session, by attribute name, where its version is still that of `session`; whether it was so.

    The version in the database goes up by one; `session` is left as it is.
    """
    alias = router.db_for_write(Session, instance=session)
    connection = connections[alias]
    with connection.cursor() as cursor:
        cursor.execute(_update(alias, connection.vendor, tuple(values)), _saved(session, values, connection))
        written: int = cursor.rowcount
    return written == 1


def go_on(session: Session, values: Mapping[str, Any], rows: Sequence[EventRow], scores: Sequence[Score] = ()) -> bool:
    """Write a session as `write_version` does, and insert events and scores of it: all or nothing; whether it was so.

    Raises IntegrityError, with nothing written, where one of the events is stored already.
    """
    alias = router.db_for_write(Session, instance=session)
    connection = connections[alias]
    if connection.vendor == "postgresql" and not connection.in_atomic_block and not scores:
        return _go_on_at_once(alias, session, values, rows)
    with transaction.atomic(using=alias):
        written = write_version(session, values)
        if written:
            with connection.cursor() as cursor:
                cursor.execute(_insert(alias, connection.vendor, len(rows)), _told(rows, connection))
        if written and scores:
            Score.objects.using(alias).bulk_create(scores, ignore_conflicts=True)
    return written


def _go_on_at_once(alias: str, session: Session, values: Mapping[str, Any], rows: Sequence[EventRow]) -> bool:
    """One statement of PostgreSQL: a call where it is one event, as it mostly is, else spelled out."""
    connection = connections[alias]
    if len(rows) == 1 and tuple(values) == planned.LIVE and planned.are_there(connection):
        try:
            with connection.cursor() as cursor:
                cursor.execute(planned.GO_ON, (*values.values(), session.pk, session.version, *rows[0]))
                return bool(cursor.fetchone()[0])
        except ProgrammingError as error:
            planned.note_missing(connection, error)
    update = _update(alias, connection.vendor, tuple(values))
    insert = _insert(alias, connection.vendor, len(rows), source="moved")
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH moved AS ({update} RETURNING 1) {insert}",
            [*_saved(session, values, connection), *_told(rows, connection)],
        )
        inserted: int = cursor.rowcount
    return inserted == len(rows)


def _found(connection: BaseDatabaseWrapper, selection: _Selection, given: tuple[str, str]) -> tuple[Any, ...] | None:
    """The row of a selection, if there is one."""
    if planned.are_there(connection):
        try:
            return _first(connection, selection.planned, given)
        except ProgrammingError as error:
            planned.note_missing(connection, error)
    return _first(connection, selection.sql, given)


def _first(connection: BaseDatabaseWrapper, sql: str, given: tuple[str, str]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def _loaded(model: type[Any], alias: str, names: Sequence[str], values: Sequence[Any]) -> Any:
    """A stored row as an object, as `Model.from_db` makes one, without its signals and its loop over all fields."""
    row: Any = object.__new__(model)
    row._state = ModelState()  # noqa: SLF001 (documented by Django)
    row._state.db, row._state.adding = alias, False  # noqa: SLF001 (the same)
    row.__dict__.update(zip(names, values, strict=True))
    return row


@lru_cache(maxsize=8)
def _selection(alias: str, vendor: str) -> _Selection:  # noqa: ARG001 (a database swapped for one of another kind)
    needless = [f"visitor__{field.name}" for field in _fields(Visitor) if field.name not in _OF_VISITOR]
    sessions = Session.objects.select_related("visitor").defer(*needless)
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
    named = [f"session_{name}" for name in session] + [f"visitor_{name}" for name in visitor]
    return _Selection(sql, planned.session_with_visitor(named), read, session, visitor)


@lru_cache(maxsize=64)
def _update(alias: str, vendor: str, names: tuple[str, ...]) -> str:  # noqa: ARG001 (the same)
    """An UPDATE of one version of a session."""
    quote = connections[alias].ops.quote_name
    changed = ", ".join(f"{quote(str(_field(name).column))} = %s" for name in (*names, "version"))
    return (
        f"UPDATE {quote(_table(Session))} SET {changed} "  # noqa: S608 (names of our own columns)
        f"WHERE {quote('id')} = %s AND {quote('version')} = %s"
    )


def _saved(session: Session, values: Mapping[str, Any], connection: BaseDatabaseWrapper) -> list[Any]:
    """The parameters of that."""
    saved = [_field(name).get_db_prep_save(value, connection) for name, value in values.items()]
    return [*saved, session.version + 1, session.pk, session.version]


@lru_cache(maxsize=64)
def _insert(alias: str, vendor: str, count: int, source: str = "") -> str:  # noqa: ARG001 (the same)
    """An INSERT of so many events; with a `source` each is inserted for every row of that."""
    connection = connections[alias]
    quote, fields = connection.ops.quote_name, _fields(Event)
    values = "VALUES " + ", ".join([f"({', '.join(['%s'] * len(fields))})"] * count)
    if source and count == 1:
        values = f"SELECT {', '.join(['%s'] * len(fields))} FROM {source}"  # noqa: S608 (our own words)
    elif source:
        # PostgreSQL has to be told the type of what is selected from a list.
        typed = ", ".join(f"%s::{field.db_type(connection)}" for field in fields)
        values = f"SELECT told.* FROM {source}, (VALUES {', '.join([f'({typed})'] * count)}) AS told"  # noqa: S608
    columns = ", ".join(quote(str(field.column)) for field in fields)
    return f"INSERT INTO {quote(_table(Event))} ({columns}) {values}"


@lru_cache(maxsize=64)
def _exposing(alias: str, vendor: str, count: int) -> str:  # noqa: ARG001 (the same)
    """An INSERT of so many exposures; the visitor comes last."""
    quote, fields = connections[alias].ops.quote_name, _exposed(Exposure)
    whose = (
        f"(SELECT {quote('id')} FROM {quote(_table(Visitor))} "  # noqa: S608 (names of our own columns)
        f"WHERE {quote('cookie')} = %s AND {quote('site')} = %s)"
    )
    columns = ", ".join(quote(name) for name in (*(str(field.column) for field in fields), "visitor_id"))
    values = ", ".join([f"({', '.join(['%s'] * len(fields))}, {whose})"] * count)
    return f"INSERT INTO {quote(_table(Exposure))} ({columns}) VALUES {values} ON CONFLICT DO NOTHING"  # noqa: S608


def _told(rows: Sequence[EventRow], connection: BaseDatabaseWrapper) -> list[Any]:
    """The parameters of that. PostgreSQL's driver knows every type there is among them."""
    given = list(chain.from_iterable(rows))
    if connection.vendor == "postgresql":
        return given
    fields = _fields(Event)
    for place, field in enumerate(fields):
        if isinstance(field, models.UUIDField | models.DateTimeField):
            for at in range(place, len(given), len(fields)):
                given[at] = field.get_db_prep_save(given[at], connection)
    return given


@lru_cache(maxsize=64)
def _field(name: str) -> models.Field[Any, Any]:
    return next(field for field in _fields(Session) if name in (field.name, field.attname))


def _exposed(model: type[Exposure]) -> list[models.Field[Any, Any]]:
    """What is given of an exposure: the database numbers it, and finds its visitor."""
    return [field for field in _fields(model) if not field.primary_key and field.attname != "visitor_id"]


def _fields(model: type[models.Model]) -> Sequence[models.Field[Any, Any]]:
    fields: Sequence[models.Field[Any, Any]] = model._meta.concrete_fields  # noqa: SLF001 (documented by Django)
    return fields


def _table(model: type[models.Model]) -> str:
    table: str = model._meta.db_table  # noqa: SLF001 (the same)
    return table
