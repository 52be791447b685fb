"""A shop for the tests of the fold."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.features.streams import Shop


@pytest.fixture
def shop() -> Any:
    """A shop whose log is folded the compiled way as well, when the test is done."""
    made = Shop()
    yield made
    made.agrees()
