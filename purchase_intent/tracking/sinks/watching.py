"""What waits, for Prometheus: worked out when somebody looks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from purchase_intent.conf import config
from purchase_intent.exceptions import IntentError
from purchase_intent.metrics import SPOOL_BYTES, STREAM_ENTRIES, STREAM_LAG, switch_on
from purchase_intent.tracking.sinks.spool import spool_in
from purchase_intent.tracking.sinks.wire import STREAM, Wire, wire_to

__all__ = ["spooled", "stream_entries", "stream_lag", "watch"]

_NOTHING: Final = 0.0
_UNKNOWN: Final = float("nan")


def watch() -> None:
    """Switch the metrics on, and have what waits looked at."""
    switch_on()
    STREAM_ENTRIES.ask(stream_entries)
    STREAM_LAG.ask(stream_lag)
    SPOOL_BYTES.ask(spooled)


def stream_entries() -> float:
    """Requests that wait in the stream; NaN where its server does not answer."""
    return _of_stream(lambda wire: float(wire.client.xlen(STREAM)))


def stream_lag() -> float:
    """Seconds since the oldest of them came, by its id; 0 where none waits, NaN where the server does not answer."""
    return _of_stream(_age)


def spooled() -> float:
    """Bytes in this machine's spool."""
    try:
        folder = config().spool
    except IntentError:
        return _UNKNOWN
    return float(spool_in(folder).size()) if folder else _NOTHING


def _age(wire: Wire) -> float:
    found = wire.client.xrange(STREAM, count=1)
    if not found:
        return _NOTHING
    came = int(found[0][0].partition(b"-")[0]) / 1000
    return max(time.time() - came, _NOTHING)


def _of_stream(figure: Callable[[Wire], float]) -> float:
    try:
        url = config().stream
        wire = wire_to(url) if url else None
    except IntentError:
        return _UNKNOWN
    if wire is None:
        return _NOTHING
    try:
        return figure(wire)
    except wire.faults:
        return _UNKNOWN
