"""What is counted and timed, for Prometheus: nothing of it is imported, and counting costs nothing, until switched on.

`switch_on` is called at start-up where `django_prometheus` is installed. Labels take few values, known beforehand.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = [
    "CACHE",
    "DEAD",
    "DEDUPLICATED",
    "DROPPED",
    "EVENTS",
    "FALLBACK",
    "METERS",
    "MODEL",
    "PREDICTED",
    "SCORE_SECONDS",
    "SPOOL_BYTES",
    "STREAM_ENTRIES",
    "STREAM_LAG",
    "Meter",
    "switch_on",
]

_BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
"""Seconds of a score."""


class _Timing:
    """How long it takes from here to the end of the context."""

    __slots__ = ("_began", "_made")

    def __init__(self, made: Any) -> None:
        self._made, self._began = made, time.perf_counter()

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        if self._made is not None:
            self._made.observe(time.perf_counter() - self._began)


@dataclass(slots=True)
class Meter:
    """One metric: `kind` is `Counter`, `Gauge` or `Histogram`, `labels` says which values each label takes."""

    name: str
    kind: str
    said: str
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    made: Any = None

    def add(self, amount: float = 1, **labels: str) -> None:
        """Count."""
        if self.made is not None:
            self._of(labels).inc(amount)

    def set(self, value: float, **labels: str) -> None:
        """Say what it is now."""
        if self.made is not None:
            self._of(labels).set(value)

    def ask(self, value: Callable[[], float]) -> None:
        """Have it worked out whenever somebody looks."""
        if self.made is not None:
            self.made.set_function(value)

    def timing(self) -> _Timing:
        """Note how long this takes."""
        return _Timing(self.made)

    def _of(self, labels: dict[str, str]) -> Any:
        return self.made.labels(**labels) if labels else self.made


_SINKS: Final = ("stream", "database", "spool")
EVENTS: Final = Meter(
    "purchase_intent_events", "Counter", "Events that were taken, by the sink that took them.", {"sink": _SINKS}
)
DROPPED: Final = Meter("purchase_intent_events_dropped", "Counter", "Events that no sink took: they are lost.")
DEDUPLICATED: Final = Meter(
    "purchase_intent_events_deduplicated", "Counter", "Events that were recorded already when they came again."
)
DEAD: Final = Meter("purchase_intent_dead_letters", "Counter", "Lines that became dead letters.")
FALLBACK: Final = Meter(
    "purchase_intent_sink_open",
    "Gauge",
    "1 where the sink has failed and the next ones stand in for it.",
    {"sink": _SINKS},
)
STREAM_ENTRIES: Final = Meter("purchase_intent_stream_entries", "Gauge", "Requests that wait in the stream.")
STREAM_LAG: Final = Meter("purchase_intent_stream_lag_seconds", "Gauge", "Age of the oldest request in the stream.")
SPOOL_BYTES: Final = Meter("purchase_intent_spool_bytes", "Gauge", "Bytes in this machine's spool.")
SCORE_SECONDS: Final = Meter(
    "purchase_intent_score_seconds", "Histogram", "Seconds of one score: score(), decision/, predict/."
)
CACHE: Final = Meter(
    "purchase_intent_score_cache",
    "Counter",
    "Scores by whether the answer for this state, moment and model was known.",
    {"result": ("hit", "miss")},
)
PREDICTED: Final = Meter("purchase_intent_predictions", "Counter", "Visits that predict/ was asked about.")
MODEL: Final = Meter(
    "purchase_intent_model_version",
    "Gauge",
    "Key of the model version that this process answers with; 0 for none.",
    {"horizon": ("session", "week")},
)
METERS: Final = (
    *(EVENTS, DROPPED, DEDUPLICATED, DEAD, FALLBACK, STREAM_ENTRIES, STREAM_LAG, SPOOL_BYTES),
    *(SCORE_SECONDS, CACHE, PREDICTED, MODEL),
)


def switch_on() -> None:
    """Make the metrics in the registry that django-prometheus shows; once a process."""
    import prometheus_client

    for meter in METERS:
        if meter.made is None:
            options = {"buckets": _BUCKETS} if meter.kind == "Histogram" else {}
            meter.made = getattr(prometheus_client, meter.kind)(meter.name, meter.said, tuple(meter.labels), **options)
            for name, values in meter.labels.items():
                for value in values:
                    meter.made.labels(**{name: value})
