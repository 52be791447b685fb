"""The segments of one customer, as they stand and as they were."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from purchase_intent.admin.saying import timed
from purchase_intent.models import SegmentMembership, Visitor

__all__ = ["memberships_of"]

MOST: Final = 40
"""Memberships that are shown, the latest."""


def memberships_of(visitor: Visitor, now: datetime) -> dict[str, Any]:
    """What a customer's page says of segments: one query."""
    found = SegmentMembership.objects.filter(visitor=visitor).select_related("segment").order_by("-entered_at", "-pk")
    rows = list(found[:MOST])
    return {
        "segments": [
            (row.segment_id, row.segment.title, timed(row.entered_at, now)) for row in rows if row.left_at is None
        ],
        "left_segments": [
            (
                row.segment_id,
                row.segment.title,
                timed(row.entered_at, now),
                timed(row.left_at, now),
                row.get_why_display(),
            )
            for row in rows
            if row.left_at is not None
        ],
    }
