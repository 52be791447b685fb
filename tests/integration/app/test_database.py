"""The suite runs on the database it was asked to run on; the demo shop's settings name it by a URL."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection

from demo_shop.database import database


@pytest.mark.django_db
def test_the_suite_runs_on_the_database_it_was_asked_for(pytestconfig: pytest.Config) -> None:
    wanted = {"sqlite": ("sqlite", "postgresql"), "postgres": ("postgresql",)}
    assert connection.vendor in wanted[pytestconfig.getoption("--database")]


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    out = StringIO()
    call_command("makemigrations", "--check", "--dry-run", stdout=out)
    assert out.getvalue() == "No changes detected\n"


@pytest.mark.django_db(transaction=True)
def test_migrations_undo_themselves() -> None:
    try:
        call_command("migrate", "purchase_intent", "zero", verbosity=0)
        assert "purchase_intent_modelversion" not in connection.introspection.table_names()
    finally:
        call_command("migrate", "purchase_intent", verbosity=0)
    assert "purchase_intent_modelversion" in connection.introspection.table_names()


def test_no_url_means_sqlite_with_write_ahead_logging() -> None:
    entry = database("", sqlite=Path("var/demo.sqlite3"))
    assert (entry["ENGINE"], entry["NAME"]) == ("django.db.backends.sqlite3", Path("var/demo.sqlite3"))
    assert "journal_mode=WAL" in entry["OPTIONS"]["init_command"]
    assert entry["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param(
            "postgresql://shop:p%40ss@db.example:5433/intent",
            ("intent", "shop", "p@ss", "db.example", "5433"),
            id="host",
        ),
        pytest.param("postgres://shop@/intent?host=/run/pg", ("intent", "shop", "", "/run/pg", ""), id="socket"),
    ],
)
def test_a_url_names_a_postgresql_database(url: str, expected: tuple[str, ...]) -> None:
    entry = database(url, sqlite=Path("unused"))
    assert entry["ENGINE"] == "django.db.backends.postgresql"
    assert tuple(entry[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")) == expected


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="'mysql'"):
        database("mysql://root@localhost/shop", sqlite=Path("unused"))
