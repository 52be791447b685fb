"""The desk in Django's admin: what the shop's people read, and the little that they can act on."""

from __future__ import annotations

from purchase_intent.admin.customers import CustomerAdmin
from purchase_intent.admin.dead_letters import DeadLetterAdmin
from purchase_intent.admin.experiments import ExclusionGroupAdmin, ExperimentAdmin, HoldoutAdmin
from purchase_intent.admin.health import WatchReportAdmin
from purchase_intent.admin.keys import ApiKeyAdmin
from purchase_intent.admin.merges import MergeAdmin
from purchase_intent.admin.models import ModelVersionAdmin
from purchase_intent.admin.orders import OrderAdmin
from purchase_intent.admin.segments import SegmentAdmin
from purchase_intent.admin.sessions import SessionAdmin

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
