"""A small model of real features, learnt in a second, and what tests do with its bundles."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
from django.core.files.storage import storages
from scipy.special import expit

from purchase_intent.conf import bundle_key
from purchase_intent.features.schema import CATEGORICAL, FEATURES, schema_hash
from purchase_intent.features.state import State
from purchase_intent.learning import IntentEnsemble, Sample, Table, case_weights, dump
from purchase_intent.models import ModelVersion
from purchase_intent.scoring.bundles import store_bundle
from tests.unit.learning.samples import DAY, QUICK

__all__ = ["NOON_MS", "damage", "learn", "register", "visit"]

NOON_MS = 1_772_366_400_000
"""2026-03-01 12:00 UTC in milliseconds since 1970."""
NAMES = tuple(feature.name for feature in FEATURES)


@cache
def learn(seed: int) -> bytes:
    """A bundle, learnt once a run.

    Its sessions buy the likelier the further they came, the more they saw and the fuller the cart is.
    """
    rng = np.random.default_rng(seed)
    sessions, moments = 700, 3
    values = rng.exponential(40, (sessions * moments, len(NAMES))).astype(np.float32)
    for name in CATEGORICAL:
        values[:, NAMES.index(name)] = rng.integers(0, 6, len(values))
    stage = rng.integers(1, 5, len(values))
    views, units = rng.poisson(3, len(values)), rng.poisson(1, len(values)) * (stage > 2)
    for name, column in (("stage", stage), ("views", views), ("cart_units", units)):
        values[:, NAMES.index(name)] = column
    labels = rng.random(len(values)) < expit(-5 + 1.2 * stage + 0.2 * views + 0.5 * units)
    owner = np.repeat(np.arange(sessions), moments)
    start = np.sort(rng.integers(0, 30 * DAY, sessions))
    times = np.repeat(start, moments) + np.tile(np.arange(moments) * 60_000, sessions)
    table = Table(values, NAMES, CATEGORICAL)
    sample = Sample(table, labels.astype(np.uint8), case_weights(owner), owner, times)
    ensemble = IntentEnsemble.fit(sample, seed=seed, params=QUICK)
    return dump(ensemble, schema=schema_hash(), facts={}, key=bundle_key())


def register(bundle: bytes, *, promote: bool = True) -> ModelVersion:
    """Put a bundle on record, as the champion unless told otherwise."""
    version: ModelVersion = ModelVersion.objects.create(
        trained_from="2026-01-01T00:00:00Z",
        trained_until="2026-02-01T00:00:00Z",
        events=1,
        sessions=1,
        buyers=1,
        schema_hash=schema_hash(),
        bundle=store_bundle(bundle),
        bundle_sha256=hashlib.sha256(bundle).hexdigest(),
    )
    if promote:
        version.promote()
    return version


def damage(version: ModelVersion) -> None:
    """Flip one bit in the middle of a stored bundle."""
    path = Path(storages["purchase_intent"].path(version.bundle))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def visit(stage: int = 2, **fields: object) -> State:
    """The state of a session that began a minute before noon and has come to a stage."""
    sound: dict[str, object] = {
        "start": NOON_MS - 60_000,
        "last": NOON_MS,
        "events": 4,
        "moments": 4,
        "steps": 4,
        "stage": stage,
    }
    return State(**sound | fields)  # type: ignore[arg-type]
