"""Migration operations of the app's own."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState

__all__ = ["CreateFunction", "CreatePartitionedModel"]


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


def _quoted(schema_editor: BaseDatabaseSchemaEditor, name: str) -> str:
    return schema_editor.quote_name(name)
