"""The months of the events table: on PostgreSQL each is a partition, made ahead, and dropped whole when pruned.

A partition for everything else catches what no month was made for, so that an insert never fails; what it caught
moves over when the month is made. On other databases there is one table and all of this does nothing but delete.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from django.db import connections, router, transaction

from purchase_intent.models.event import Event
from purchase_intent.models.keys import first_key, month_after, month_keys, month_of

__all__ = ["make_partitions", "partitions", "prune_events"]

TABLE: Final = Event._meta.db_table  # noqa: SLF001 (documented by Django)

AT_ONCE: Final = 5_000
"""Rows deleted in one statement: short enough that nobody waits for it."""


def partitions(using: str | None = None) -> dict[date, str]:
    """The months that have a partition (their first days) and the names of the tables; empty but on PostgreSQL."""
    alias = using or router.db_for_write(Event)
    if connections[alias].vendor != "postgresql":
        return {}
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid "
            "WHERE inhparent = %s::regclass ORDER BY child.relname",
            [TABLE],
        )
        names = [name for (name,) in cursor.fetchall()]
    return {_month_named(name): name for name in names if not name.endswith("_rest")}


def make_partitions(first: datetime, last: datetime, using: str | None = None) -> list[str]:
    """Make the months from `first` to `last` (aware moments) that are missing; the names of the new tables.

    Safe to run twice, and by two processes at once. Each month is one transaction.
    """
    alias = using or router.db_for_write(Event)
    if connections[alias].vendor != "postgresql":
        return []
    made, month = [], month_of(first)
    while month <= month_of(last):
        name = _name(month)
        with transaction.atomic(using=alias):
            with connections[alias].cursor() as cursor:
                # One maker at a time: two would both find the month missing.
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [TABLE])
            if month not in partitions(alias):
                _make(alias, name, month)
                made.append(name)
        month = month_after(month)
    return made


def prune_events(before: datetime, using: str | None = None) -> int:
    """Delete the events that happened before an aware moment; how many.

    A month that holds nothing younger is dropped whole; the rest goes in bounded deletes, each of its own transaction.
    """
    alias = using or router.db_for_write(Event)
    gone = 0
    for month, name in partitions(alias).items():
        if month_keys(month)[1] <= first_key(before):
            gone += _drop(alias, name, before)
    while keys := list(Event.objects.using(alias).older_than(before).values_list("pk", flat=True)[:AT_ONCE]):
        gone += Event.objects.using(alias).filter(pk__in=keys).delete()[0]
    return gone


def _make(alias: str, name: str, month: date) -> None:
    """Fill the new table with what the partition for the rest has caught, then attach it."""
    quote = connections[alias].ops.quote_name
    table, rest, key = quote(TABLE), quote(f"{TABLE}_rest"), quote("key")
    low, high = (str(bound) for bound in month_keys(month))
    with connections[alias].cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(f"CREATE TABLE {quote(name)} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        cursor.execute(
            f"WITH moved AS (DELETE FROM {rest} WHERE {key} >= %s AND {key} < %s RETURNING *) "  # noqa: S608 (own names)
            f"INSERT INTO {quote(name)} SELECT * FROM moved",
            [low, high],
        )
        cursor.execute(f"ALTER TABLE {table} ATTACH PARTITION {quote(name)} FOR VALUES FROM ('{low}') TO ('{high}')")


def _drop(alias: str, name: str, before: datetime) -> int:
    """Drop one month, unless a client whose clock was wrong has put a younger event into it."""
    quote = connections[alias].ops.quote_name
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute(f"LOCK TABLE {quote(name)} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(
            f"SELECT count(*), count(*) FILTER (WHERE occurred_at >= %s) FROM {quote(name)}",  # noqa: S608 (own names)
            [before],
        )
        rows, younger = cursor.fetchone()
        if younger:
            return 0
        cursor.execute(f"DROP TABLE {quote(name)}")
    return int(rows)


def _name(month: date) -> str:
    return f"{TABLE}_{month:%Y_%m}"


def _month_named(name: str) -> date:
    year, month = name.rsplit("_", maxsplit=2)[1:]
    return date(int(year), int(month), 1)
