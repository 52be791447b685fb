"""The room of what comes in: who may send, what could not be recorded, and which login joined whom."""

from __future__ import annotations

from purchase_intent.admin.recording.dead_letters import DeadLetterAdmin
from purchase_intent.admin.recording.keys import ApiKeyAdmin
from purchase_intent.admin.recording.merges import MergeAdmin

__all__ = ["ApiKeyAdmin", "DeadLetterAdmin", "MergeAdmin"]
