"""A load generator of one thread: so many connections kept open, on each the next request as soon as one is answered.

Requests are bytes made beforehand, answers are read as far as it takes to know their status and their end: some 25
microseconds of the processor a request, which are the benchmark's own and are reported beside the servers'.
"""

from __future__ import annotations

import select
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Outcome", "Visitor", "ask", "drive", "request"]

PATIENCE = 20.0
"""Seconds without any answer after which a run ends, and what is still asked counts as an error."""


@dataclass(slots=True)
class Outcome:
    """What came of a run: seconds of each answered request, statuses, errors by kind, seconds in all."""

    took: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    busy: float = 0.0
    """Processor time of this process."""

    @property
    def asked(self) -> int:
        """Requests, answered or not."""
        return len(self.took) + sum(self.errors.values())

    @property
    def failed(self) -> int:
        """Requests without an answer of 2xx."""
        return sum(self.errors.values()) + sum(count for code, count in self.statuses.items() if not 200 <= code < 300)

    @property
    def rate(self) -> float:
        """Answers a second by the clock."""
        return len(self.took) / self.seconds if self.seconds else 0.0

    def at(self, share: float) -> float:
        """Milliseconds within which that share of the requests was answered."""
        ordered = sorted(self.took)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1000 if ordered else float("nan")


class _Line:
    """One connection and what it is waiting for."""

    __slots__ = ("buffer", "length", "sent_at", "socket")

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.buffer, self.length, self.sent_at = b"", -1, 0.0

    def send(self, data: bytes) -> None:
        self.buffer, self.length, self.sent_at = b"", -1, time.perf_counter()
        if self.socket.send(data) != len(data):  # a few kilobytes, and nothing else is under way
            raise ConnectionAbortedError("no room for a request")

    def read(self) -> int:
        """The status of an answer that is whole, 0 for one that is not yet. Raises OSError."""
        data = self.socket.recv(262_144)
        if not data:
            raise ConnectionResetError("closed")
        self.buffer = self.buffer + data if self.buffer else data
        if self.length < 0:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return 0
            length = _length(self.buffer[:end])
            self.length = end + 4 + length if length >= 0 else 0
        is_whole = self.buffer.endswith(_LAST) if self.length == 0 else len(self.buffer) >= self.length
        return int(self.buffer[9:12]) if is_whole else 0


def drive(address: tuple[str, int], requests: Iterator[bytes], *, connections: int, count: int) -> Outcome:
    """Send `count` of the requests over so many connections; what came of it."""
    found, poll, lines = Outcome(), select.epoll(), dict[int, _Line]()
    left = count
    for _ in range(min(connections, count)):
        try:
            line = _Line(address)
        except OSError as error:
            found.errors[type(error).__name__] += 1
            left -= 1
            continue
        lines[line.socket.fileno()] = line
        poll.register(line.socket.fileno(), select.EPOLLIN)
    began, busy = time.perf_counter(), time.process_time()
    for line in lines.values():
        line.send(next(requests))
        left -= 1
    waiting = set(lines)
    while waiting:
        ready = poll.poll(PATIENCE)
        if not ready:
            found.errors["no answer"] += len(waiting)
            break
        for number, _ in ready:
            line = lines[number]
            try:
                status = line.read()
            except BlockingIOError:
                continue
            except OSError as error:
                found.errors[type(error).__name__] += 1
                waiting.discard(number)
                poll.unregister(number)
                continue
            if not status:
                continue
            found.took.append(time.perf_counter() - line.sent_at)
            found.statuses[status] += 1
            if left > 0:
                left -= 1
                line.send(next(requests))
            else:
                waiting.discard(number)
    found.seconds, found.busy = time.perf_counter() - began, time.process_time() - busy
    for line in lines.values():
        line.socket.close()
    poll.close()
    return found


def ask(address: tuple[str, int], data: bytes) -> tuple[int, bytes]:
    """One request, and the status and body of its answer."""
    line = _Line(address)
    line.socket.setblocking(True)
    line.send(data)
    with suppress(BlockingIOError):
        while not (status := line.read()):
            continue
    line.socket.close()
    return status, line.buffer.partition(b"\r\n\r\n")[2]


class Visitor:
    """One browser on one connection, which keeps the shop's cookie until it leaves."""

    def __init__(self, address: tuple[str, int], path: str) -> None:
        self._line, self._path, self.cookie = _Line(address), path, ""
        self._line.socket.setblocking(True)

    def leave(self) -> None:
        """Come as somebody new next time."""
        self.cookie = ""

    def look(self) -> float:
        """Ask for the page; seconds until its answer was here. Raises RuntimeError for anything but 200."""
        self._line.send(request(self._path, headers={"Cookie": self.cookie} if self.cookie else {}))
        while not (status := self._line.read()):
            continue
        seconds = time.perf_counter() - self._line.sent_at
        if status != 200:
            raise RuntimeError(f"the page answered {status}")
        head = self._line.buffer.partition(b"\r\n\r\n")[0].decode("latin-1")
        for line in head.split("\r\n"):
            name, _, value = line.partition(":")
            if name.lower() == "set-cookie" and value.strip().startswith("intent="):
                self.cookie = value.strip().partition(";")[0]
        return seconds


def request(path: str, *, body: bytes = b"", headers: dict[str, str] | None = None, method: str = "") -> bytes:
    """A request of HTTP/1.1 that keeps its connection."""
    told = {"Host": "127.0.0.1", "User-Agent": BROWSER} | (headers or {})
    if body:
        told |= {"Content-Length": str(len(body)), "Content-Type": told.get("Content-Type", "application/json")}
    head = f"{method or ('POST' if body else 'GET')} {path} HTTP/1.1\r\n"
    return (head + "".join(f"{name}: {value}\r\n" for name, value in told.items()) + "\r\n").encode() + body


BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


_LAST: Final = b"0\r\n\r\n"
"""The end of an answer that comes in chunks: those asked for here hold no such bytes within."""


def _length(head: bytes) -> int:
    """Bytes of the body; -1 for one in chunks."""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    if b"transfer-encoding: chunked" in head.lower():
        return -1
    raise ConnectionAbortedError("an answer without a length")
