"""The desk in Django's admin: customers, sessions, orders, models, segments, keys; the last three can be acted on."""

from __future__ import annotations

from purchase_intent.admin.customers import CustomerAdmin
from purchase_intent.admin.health import WatchReportAdmin
from purchase_intent.admin.keys import ApiKeyAdmin
from purchase_intent.admin.models import ModelVersionAdmin
from purchase_intent.admin.orders import OrderAdmin
from purchase_intent.admin.segments import SegmentAdmin
from purchase_intent.admin.sessions import SessionAdmin

__all__ = [
    "ApiKeyAdmin",
    "CustomerAdmin",
    "ModelVersionAdmin",
    "OrderAdmin",
    "SegmentAdmin",
    "SessionAdmin",
    "WatchReportAdmin",
]
