"""The room of the models: their versions, what each goes by, whom its offer pays for, and how it fares."""

from __future__ import annotations

from purchase_intent.admin.models.health import WatchReportAdmin
from purchase_intent.admin.models.versions import ModelVersionAdmin

__all__ = ["ModelVersionAdmin", "WatchReportAdmin"]
