"""What the database's planner knows of the sizes of tables, looked at anew where much was written at once.

SQLite looks only when it is told to, and until then goes through a large table for each row of a small one. PostgreSQL
looks after the tables by itself, but not after one that is partitioned as a whole.
"""

from __future__ import annotations

from typing import Final

from django.db import connections, router

from purchase_intent.models.event import Event
from purchase_intent.models.order import Order
from purchase_intent.models.session import Session
from purchase_intent.models.visitor import Visitor

__all__ = ["look_at_sizes"]

ENOUGH: Final = 1_000
"""Rows of an index that SQLite looks at, as its documentation advises; all of them would be read otherwise."""


def look_at_sizes() -> None:
    """Have the planner count visitors, sessions, events and orders; nothing on a database of another kind."""
    connection = connections[router.db_for_write(Event)]
    if connection.vendor not in ("sqlite", "postgresql"):
        return
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"PRAGMA analysis_limit = {ENOUGH}")
        for model in (Visitor, Session, Event, Order):
            cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")  # noqa: SLF001 (documented)
