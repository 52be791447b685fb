"""The room of the shoppers: customers, their sessions and orders, and what is said of each."""

from __future__ import annotations

from purchase_intent.admin.shoppers.customers import CustomerAdmin
from purchase_intent.admin.shoppers.orders import OrderAdmin
from purchase_intent.admin.shoppers.sessions import SessionAdmin

__all__ = ["CustomerAdmin", "OrderAdmin", "SessionAdmin"]
