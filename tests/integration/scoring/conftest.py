"""Two small models, learnt once, and a clock to put forward."""

from __future__ import annotations

from pathlib import Path

import pytest

from purchase_intent.models import ModelVersion
from purchase_intent.scoring import serving
from tests.integration.scoring.models import learn, register


class Clock:
    """Seconds, as a test puts them forward."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="session")
def bundle() -> bytes:
    return learn(seed=5)


@pytest.fixture(scope="session")
def other_bundle() -> bytes:
    return learn(seed=6)


@pytest.fixture
def champion(bundle: bytes, db: None, bundle_folder: Path) -> ModelVersion:
    """A model on record that serves."""
    return register(bundle)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(serving, "clock", found)
    return found
