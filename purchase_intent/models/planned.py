"""The two statements of a tracked page as functions of PostgreSQL, which keeps the plans of what a function does.

Planning takes longer than the work itself. A function's plans are kept by each server process for as long as it
lives, whoever is connected to it: unlike a prepared statement they need nothing of the client's connection, so that
they work behind a pool that hands out server processes by the transaction. The functions are made by a migration.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from django.db import ProgrammingError
from django.db.backends.base.base import BaseDatabaseWrapper

from purchase_intent.models.event import EventRow

__all__ = ["GO_ON", "LIVE", "are_there", "note_missing", "session_with_visitor"]

logger = logging.getLogger(__name__)

LIVE: Final = ("state", "last_at", "stage", "sequence")
"""The columns of a session that its next event changes, beside its version."""
GO_ON: Final = f"SELECT purchase_intent_go_on({', '.join(['%s'] * (len(LIVE) + 2 + len(EventRow._fields)))})"
"""Parameters: the columns of LIVE, the session's key and the version read, and one event's row; whether it was so."""

_UNDEFINED_FUNCTION: Final = "42883"
_WITHOUT: Final[set[tuple[str, ...]]] = set()
"""Databases that do not have the functions, as far as this process knows."""


def session_with_visitor(columns: Iterable[str]) -> str:
    """The call that reads a session by its key and site, and of what it gives these columns."""
    return f"SELECT {', '.join(columns)} FROM purchase_intent_session_with_visitor(%s, %s)"  # noqa: S608 (own names)


def are_there(connection: BaseDatabaseWrapper) -> bool:
    """Whether the functions may be called: on PostgreSQL, where a call that fails cannot take anything with it."""
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return False
    return not _WITHOUT or _database(connection) not in _WITHOUT


def note_missing(connection: BaseDatabaseWrapper, error: ProgrammingError) -> None:
    """Call them no more in this process, where that is what an error says; any other error is raised again."""
    cause = error.__cause__
    if _UNDEFINED_FUNCTION not in (getattr(cause, "pgcode", None), getattr(cause, "sqlstate", None)):
        raise error
    _WITHOUT.add(_database(connection))
    logger.warning("The database has not got the functions of purchase_intent: pages take longer until migrate has run")


def _database(connection: BaseDatabaseWrapper) -> tuple[str, ...]:
    return tuple(str(connection.settings_dict.get(part, "")) for part in ("HOST", "PORT", "NAME"))
