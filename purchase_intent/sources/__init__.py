"""Event logs for learning: files in known layouts, read by DuckDB into sorted batches of hits."""

from __future__ import annotations

from purchase_intent.sources.batches import Batch
from purchase_intent.sources.log import EventLog, layout_zone, open_log, read_log
from purchase_intent.sources.targets import check_targets, drafts

__all__ = ["Batch", "EventLog", "check_targets", "drafts", "layout_zone", "open_log", "read_log"]
