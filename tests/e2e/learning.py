"""A small model of the shipped log, trained once a run, and registered where a test asks for a champion."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from purchase_intent.conf import bundle_key
from purchase_intent.features.schema import schema_hash
from purchase_intent.learning import MEMBERS, IntentEnsemble, dump
from purchase_intent.models import ModelVersion
from purchase_intent.scoring.bundles import store_bundle
from purchase_intent.sources import open_log
from purchase_intent.training.dataset import build_sample

__all__ = ["register_champion", "small_bundle"]

ZONE = "Europe/Berlin"
LOG = Path(__file__).resolve().parents[2] / "fixtures" / "log.parquet"


def small_bundle() -> bytes:
    """Train a model in seconds and return its bundle."""
    with pytest.MonkeyPatch.context() as patch:
        for member in MEMBERS.values():
            patch.setattr(member, "max_rounds", 60)
        with open_log([LOG], zone=ZONE) as log:
            sample = build_sample(log, seed=3, progress=lambda step: None)
        params = {"forest": {"num_parallel_tree": 20, "max_depth": 6}}
        ensemble = IntentEnsemble.fit(sample, seed=3, params=params)
    return dump(ensemble, schema=schema_hash(), facts={"zone": ZONE}, key=bundle_key())


def register_champion(bundle: bytes) -> ModelVersion:
    """Have the model of a bundle serve."""
    version = ModelVersion.objects.create(
        trained_from="2026-03-01T00:00:00Z",
        trained_until="2026-04-20T00:00:00Z",
        events=1,
        sessions=1,
        buyers=1,
        schema_hash=schema_hash(),
        bundle=store_bundle(bundle),
        bundle_sha256=hashlib.sha256(bundle).hexdigest(),
        figures={"zone": ZONE},
    )
    version.promote()
    return version
