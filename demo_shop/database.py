"""Which database a URL names: SQLite where none is given."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

__all__ = ["database"]

# Write-ahead logging lets pages read while one writes; IMMEDIATE makes writers queue instead of failing on upgrade.
_SQLITE_OPTIONS = {
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
}


def database(url: str, *, sqlite: Path) -> dict[str, Any]:
    """Turn `postgresql://user:password@host:port/name` into an entry of `DATABASES`.

    A Unix socket goes into the query: `postgresql://user@/name?host=/run/postgresql`. An empty URL means the SQLite
    file given, whose tests run on a file too, one a run, so that several connections can meet in it.

    Raises:
        ImproperlyConfigured: the URL is of another kind of database.
    """
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": sqlite,
            "OPTIONS": _SQLITE_OPTIONS,
            "TEST": {"NAME": sqlite.with_name(f"test-{os.getpid()}.sqlite3")},
        }
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured(f"DATABASE_URL begins with {parts.scheme!r}; give postgresql:// or leave it out.")
    hosts = parse_qs(parts.query).get("host", [parts.hostname or ""])
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": hosts[0],
        "PORT": str(parts.port or ""),
    }
