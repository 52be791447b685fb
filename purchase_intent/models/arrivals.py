"""Many requests' events written at once: new visitors, new sessions, sessions that go on, and the events themselves.

On PostgreSQL that is a statement a table, and COPY for the events. To be called in a transaction: what raises takes all
of it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Final
from uuid import UUID

from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper

from purchase_intent.models.event import Event, EventRow
from purchase_intent.models.session import Session
from purchase_intent.models.statements import write_version

__all__ = ["Step", "add_events", "go_on_together"]

AT_ONCE: Final = 500
"""Events of one INSERT, where there is no COPY."""


@dataclass(frozen=True, slots=True)
class Step:
    """A session as it was read, what its next events make of it, and the latest score that was given for that, if any.

    `scored` holds probability, band, key of the model version (None for the rules) and moment.
    """

    session: Session
    state: bytes
    last_at: datetime
    stage: int
    sequence: int
    scored: tuple[float, str, int | None, datetime] | None = None

    @property
    def values(self) -> dict[str, Any]:
        """The columns to write, by attribute name."""
        live = {"state": self.state, "last_at": self.last_at, "stage": self.stage, "sequence": self.sequence}
        if self.scored is None:
            return live
        return live | dict(zip(("score", "band", "model_id", "scored_at"), self.scored, strict=True))


def go_on_together(steps: Sequence[Step]) -> set[int]:
    """Write sessions where nobody has written them since they were read, nor holds them now; the keys of those."""
    if not steps:
        return set()
    connection = connections[router.db_for_write(Session)]
    if connection.vendor != "postgresql":
        return {step.session.pk for step in steps if write_version(step.session, step.values)}
    scored = [step.scored or (None, None, None, None) for step in steps]
    with connection.cursor() as cursor:
        cursor.execute(
            _moved(connection),
            [
                [step.session.pk for step in steps],
                [step.session.version for step in steps],
                [step.state for step in steps],
                [step.last_at for step in steps],
                [step.stage for step in steps],
                [step.sequence for step in steps],
                *([score[place] for score in scored] for place in range(4)),
            ],
        )
        return {key for (key,) in cursor.fetchall()}


def _moved(connection: BaseDatabaseWrapper) -> str:
    table = connection.ops.quote_name(Session._meta.db_table)  # noqa: SLF001 (documented by Django)
    # One that another transaction holds is left out: a batch never waits while it holds rows itself.
    return (
        "WITH given AS MATERIALIZED (SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[], "  # noqa: S608
        "%s::timestamptz[], %s::smallint[], %s::bigint[], %s::float8[], %s::text[], %s::bigint[], %s::timestamptz[]) "
        "AS g(id, version, state, last_at, stage, sequence, score, band, model, scored_at)), "
        f"mine AS MATERIALIZED (SELECT s.id FROM {table} AS s JOIN given USING (id, version) "
        "ORDER BY s.id FOR NO KEY UPDATE OF s SKIP LOCKED) "
        f"UPDATE {table} AS c SET state = given.state, last_at = given.last_at, stage = given.stage, "
        "sequence = given.sequence, version = c.version + 1, score = coalesce(given.score, c.score), "
        "band = coalesce(given.band, c.band), scored_at = coalesce(given.scored_at, c.scored_at), "
        "model_id = CASE WHEN given.scored_at IS NULL THEN c.model_id ELSE given.model END "
        "FROM given JOIN mine USING (id) WHERE c.id = given.id AND c.version = given.version RETURNING c.id"
    )


def add_events(rows: Sequence[EventRow]) -> None:
    """Insert events. Raises IntegrityError where one of them is stored already."""
    if not rows:
        return
    connection = connections[router.db_for_write(Event)]
    if connection.vendor != "postgresql":
        Event.objects.bulk_create([Event(**row._asdict()) for row in rows], batch_size=AT_ONCE)
        return
    quote, meta = connection.ops.quote_name, Event._meta  # noqa: SLF001 (documented by Django)
    columns = ", ".join(quote(str(field.column)) for field in meta.concrete_fields)
    data = "".join(["\t".join(map(_written, row)) + "\n" for row in rows]).encode()
    with connection.wrap_database_errors, connection.cursor() as cursor:
        _copy(cursor, f"COPY {quote(meta.db_table)} ({columns}) FROM STDIN", data)


def _copy(cursor: Any, sql: str, data: bytes) -> None:
    """Have the driver send data, in the words of whichever it is: psycopg2 or psycopg."""
    driver = cursor.cursor
    if hasattr(driver, "copy_expert"):
        driver.copy_expert(sql, BytesIO(data))
        return
    with driver.copy(sql) as copy:
        copy.write(data)


def _written(value: str | float | UUID | datetime | None) -> str:
    """A value in PostgreSQL's own writing for COPY."""
    if isinstance(value, str):  # as most are
        return value.replace("\\", "\\\\") if "\\" in value else value
    if value is None:
        return "\\N"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value)
