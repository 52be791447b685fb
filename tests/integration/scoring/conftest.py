"""A second bundle, and a clock to put forward."""

from __future__ import annotations

import pytest

from purchase_intent.scoring import serving
from tests.trained import Trained, twin


class Clock:
    """Seconds, as a test puts them forward."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="session")
def bundle(trained: Trained) -> bytes:
    return trained.bundle


@pytest.fixture(scope="session")
def other_bundle(trained: Trained) -> bytes:
    return twin(trained)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(serving, "clock", found)
    return found
