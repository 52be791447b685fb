"""The ground that searches of the tests stand on, and one search in one go."""

from __future__ import annotations

from typing import Any

import pytest

from purchase_intent.learning import MEMBERS, Tuning
from purchase_intent.learning.tuning import Ground
from tests.unit.learning.tuning.searches import ROUNDS, small_ground, tuned


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    for member in MEMBERS.values():
        monkeypatch.setattr(member, "max_rounds", ROUNDS)


@pytest.fixture(scope="session")
def ground() -> Ground:
    return small_ground()


@pytest.fixture(scope="session")
def whole(ground: Ground) -> tuple[dict[str, Any], dict[str, Any]]:
    """Nine trials in one go."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MEMBERS["lightgbm"], "max_rounds", ROUNDS)
        return tuned(ground, Tuning(trials=9))
