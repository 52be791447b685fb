"""Event logs for learning: files in known layouts, read by DuckDB into sorted batches of hits."""

from __future__ import annotations

from purchase_intent.sources.batches import Batch
from purchase_intent.sources.log import EventLog, open_log

__all__ = ["Batch", "EventLog", "open_log"]
