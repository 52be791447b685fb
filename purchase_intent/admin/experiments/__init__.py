"""Experiments at the desk: planned, previewed, started, ramped, read and stopped by whoever runs the shop."""

from __future__ import annotations

from purchase_intent.admin.experiments.desk import ExperimentAdmin
from purchase_intent.admin.experiments.shares import ExclusionGroupAdmin, HoldoutAdmin

__all__ = ["ExclusionGroupAdmin", "ExperimentAdmin", "HoldoutAdmin"]
