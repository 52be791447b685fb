"""The desk: customers, sessions, orders, models and segments in Django's admin; only the last two can be acted on."""

from __future__ import annotations

from purchase_intent.admin.customers import CustomerAdmin
from purchase_intent.admin.health import WatchReportAdmin
from purchase_intent.admin.models import ModelVersionAdmin
from purchase_intent.admin.orders import OrderAdmin
from purchase_intent.admin.segments import SegmentAdmin
from purchase_intent.admin.sessions import SessionAdmin

__all__ = ["CustomerAdmin", "ModelVersionAdmin", "OrderAdmin", "SegmentAdmin", "SessionAdmin", "WatchReportAdmin"]
