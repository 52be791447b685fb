"""What the tests of live recording share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from purchase_intent.scoring.facts import facts


@pytest.fixture(autouse=True)
def no_facts_held() -> Iterator[None]:
    """Begin each test with nothing held of another test's catalogue days."""
    facts.forget()
    yield
    facts.forget()
