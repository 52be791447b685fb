"""No segments but those that a test makes."""

from __future__ import annotations

import pytest

from purchase_intent.models import Segment
from tests.integration.segments.street import Make, segment_of


@pytest.fixture
def make(db: None) -> Make:
    """Take the built-in segments away, and return a function that makes one."""
    Segment.objects.all().delete()
    return segment_of
