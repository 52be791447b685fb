"""A running shop with full shelves, and a server that only takes notes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from pytest_django.live_server_helper import LiveServer

from demo_shop.stocking import CATALOGUE, load

Answerer = Callable[[str], tuple[int, dict[str, str], str]]


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Notes:
    """A server that answers as told and notes what it was asked."""

    root: str = ""
    asked: list[Asked] = field(default_factory=list)
    answer: Answerer = lambda path: (200, {}, "")


@pytest.fixture
def notes() -> Iterator[Notes]:
    """Start such a server on a free port."""
    kept = Notes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            kept.asked.append(Asked(self.command, self.path, dict(self.headers), body))
            status, headers, text = kept.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        do_POST = do_GET  # noqa: N815 (the name is its parent's)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the signature is its parent's)
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.root = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield kept
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def shop(live_server: LiveServer, transactional_db: None) -> str:
    """Return the address of a running demo shop."""
    load(CATALOGUE)
    return live_server.url
