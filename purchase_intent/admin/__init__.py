"""The desk in Django's admin: what the shop's people read, and the little that they can act on."""

from __future__ import annotations

from purchase_intent.admin.experiments import ExclusionGroupAdmin, ExperimentAdmin, HoldoutAdmin
from purchase_intent.admin.models import ModelVersionAdmin, WatchReportAdmin
from purchase_intent.admin.recording import ApiKeyAdmin, DeadLetterAdmin, MergeAdmin
from purchase_intent.admin.segments import SegmentAdmin
from purchase_intent.admin.shoppers import CustomerAdmin, OrderAdmin, SessionAdmin

__all__ = [
    "ApiKeyAdmin",
    "CustomerAdmin",
    "DeadLetterAdmin",
    "ExclusionGroupAdmin",
    "ExperimentAdmin",
    "HoldoutAdmin",
    "MergeAdmin",
    "ModelVersionAdmin",
    "OrderAdmin",
    "SegmentAdmin",
    "SessionAdmin",
    "WatchReportAdmin",
]
