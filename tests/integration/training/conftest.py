"""Training in seconds, for the tests that are about training."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from purchase_intent.learning import MEMBERS
from tests.trained import QUICK, few_rounds


@pytest.fixture
def quick_members(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Members that learn in seconds."""
    for name, params in QUICK.items():
        monkeypatch.setattr(MEMBERS[name], "defaults", {**MEMBERS[name].defaults, **params})
    with few_rounds():
        yield
