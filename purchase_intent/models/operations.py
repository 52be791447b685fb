"""Migration operations of the app's own."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

__all__ = ["CreateFunction", "CreatePartitionedModel", "LeaveRoom"]


class CreatePartitionedModel(migrations.CreateModel):
    """CreateModel, but on PostgreSQL partitioned by range of the primary key, with a partition for everything."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Create the table."""
        model = to_state.apps.get_model(app_label, self.name)
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        editor: Any = schema_editor
        meta: Any = model._meta  # noqa: SLF001 (documented by Django)
        plain = editor.sql_create_table
        editor.sql_create_table = f"{plain} PARTITION BY RANGE ({_quoted(schema_editor, meta.pk.column)})"
        try:
            schema_editor.create_model(model)
        finally:
            editor.sql_create_table = plain
        schema_editor.execute(
            f"CREATE TABLE {_quoted(schema_editor, meta.db_table + '_rest')} "
            f"PARTITION OF {_quoted(schema_editor, meta.db_table)} DEFAULT"
        )

    def describe(self) -> str:
        """What `migrate --plan` shows."""
        return f"Create model {self.name}, partitioned on PostgreSQL"


class CreateFunction(migrations.RunSQL):
    """A function of PostgreSQL's own; nothing on other databases. Undone, it is dropped."""

    def __init__(self, name: str, sql: str) -> None:
        super().__init__([sql], [f"DROP FUNCTION IF EXISTS {name}"])
        self.name = name

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """What a squashed migration repeats."""
        return type(self).__qualname__, [self.name, self.sql[0]], {}

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Create it."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Drop it."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        """What `migrate --plan` shows."""
        return f"Create function {self.name}, on PostgreSQL"


class LeaveRoom(Operation):
    """On PostgreSQL, fill pages of a table to a percentage only, so that a row's next version fits beside it.

    Such a version needs no new entries in the indexes where none of their columns changes. Pages that are full stay so
    until their rows move.
    """

    reversible = True

    def __init__(self, model_name: str, percent: int, *, before: int = 100) -> None:
        self.model_name, self.percent, self.before = model_name, percent, before

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Models know nothing of it."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,  # noqa: ARG002 (Django's signature)
        to_state: ProjectState,
    ) -> None:
        """Leave room in the pages to come."""
        self._fill(self.percent, app_label, schema_editor, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,  # noqa: ARG002 (Django's signature)
        to_state: ProjectState,
    ) -> None:
        """Fill pages as they were filled before."""
        self._fill(self.before, app_label, schema_editor, to_state)

    def describe(self) -> str:
        """What `migrate --plan` shows."""
        return f"Leave room in the pages of {self.model_name} on PostgreSQL"

    def _fill(self, percent: int, app_label: str, schema_editor: BaseDatabaseSchemaEditor, state: ProjectState) -> None:
        model = state.apps.get_model(app_label, self.model_name)
        alias = schema_editor.connection.alias
        if schema_editor.connection.vendor == "postgresql" and self.allow_migrate_model(alias, model):
            table = _quoted(schema_editor, model._meta.db_table)  # noqa: SLF001 (documented by Django)
            schema_editor.execute(f"ALTER TABLE {table} SET (fillfactor = {percent})")


def _quoted(schema_editor: BaseDatabaseSchemaEditor, name: str) -> str:
    return schema_editor.quote_name(name)
