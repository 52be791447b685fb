"""Model versions for tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from purchase_intent.models import ModelVersion

Register = Callable[..., ModelVersion]


@pytest.fixture
def register() -> Register:
    """Return a function that registers a model version, sound unless told otherwise."""

    def _register(**fields: object) -> ModelVersion:
        sound: dict[str, object] = {
            "trained_from": datetime(2026, 1, 1, tzinfo=UTC),
            "trained_until": datetime(2026, 2, 1, tzinfo=UTC),
            "events": 1000,
            "sessions": 100,
            "buyers": 7,
            "schema_hash": "5" * 64,
            "bundle": "session/1.zip",
            "bundle_sha256": "a" * 64,
        }
        return ModelVersion.objects.create(**sound | fields)

    return _register
