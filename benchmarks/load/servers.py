"""Granian's two workers before an app, started and ended by the benchmark, and what processes have spent so far."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.load.client import ask, request

__all__ = ["WORKERS", "Address", "free_port", "granian", "seconds_of"]

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 2
BACKLOG = 4096
"""Connections that may wait: the most that are opened at once, and more."""
UNTIL_UP = 120.0
"""Seconds that a server may take to answer its first request: it reads the model."""

Address = tuple[str, int]


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def granian(app: str, *, interface: str, threads: int, probe: str, **variables: str) -> Iterator[tuple[Address, int]]:
    """A server of that app, answering; its address and its process.

    What it says is thrown away where `LOAD_VOTE` is given: scikit-learn warns at every request of how it calls itself.
    """
    port = free_port()
    command = [
        sys.executable, "-m", "granian", app, "--interface", interface, "--port", str(port), "--workers", str(WORKERS),
        "--backlog", str(BACKLOG), "--backpressure", str(BACKLOG), "--no-ws", "--http", "1", "--log-level", "error",
    ]  # fmt: skip
    if interface == "wsgi":
        command += ["--blocking-threads", str(threads)]
    said = subprocess.DEVNULL if "LOAD_VOTE" in variables else None
    started = subprocess.Popen(command, cwd=ROOT, env=os.environ | variables, stderr=said)
    address = ("127.0.0.1", port)
    try:
        _wait(address, probe, started)
        yield address, started.pid
    finally:
        started.terminate()
        try:
            started.wait(30)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def _wait(address: Address, probe: str, started: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + UNTIL_UP
    while time.monotonic() < until:
        if started.poll() is not None:
            raise RuntimeError(f"the server ended with {started.returncode}")
        try:
            ask(address, request(probe))
        except OSError:
            time.sleep(0.2)
            continue
        return
    raise RuntimeError(f"the server does not answer within {UNTIL_UP:.0f} seconds")


def seconds_of(root: int) -> float:
    """Processor time of a process and of all that descend from it, so far; those that ended are with their parents."""
    parents: dict[int, list[int]] = {}
    spent: dict[int, float] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = entry.read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        numbers = text.rpartition(")")[2].split()
        number = int(entry.parent.name)
        parents.setdefault(int(numbers[1]), []).append(number)
        spent[number] = sum(map(int, numbers[11:15])) / os.sysconf("SC_CLK_TCK")
    total, waiting = 0.0, [root]
    while waiting:
        number = waiting.pop()
        total += spent.get(number, 0.0)
        waiting += parents.get(number, [])
    return total
