"""A small model, trained once, and the logs around it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from purchase_intent.conf import bundle_key
from purchase_intent.features.schema import schema_hash
from purchase_intent.learning import MEMBERS, IntentEnsemble, dump
from purchase_intent.models import ModelVersion, Status
from purchase_intent.scoring.bundles import store_bundle
from purchase_intent.sources import open_log
from purchase_intent.training.dataset import build_sample
from tests.integration.training.logs import split

ZONE = "America/New_York"
QUICK: Mapping[str, Mapping[str, Any]] = {
    "catboost": {"learning_rate": 0.3, "early_stopping": 5, "depth": 4},
    "xgboost": {"learning_rate": 0.3, "early_stopping": 5, "max_depth": 4},
    "lightgbm": {"learning_rate": 0.3, "early_stopping": 5, "num_leaves": 15, "min_data_in_leaf": 50},
    "forest": {"num_parallel_tree": 20, "max_depth": 5},
}
"""Parameters for a model in seconds, good enough to tell a buyer from a bot."""


class Learnt(NamedTuple):
    """A model, what it learnt from, and the log it has not seen."""

    ensemble: IntentEnsemble
    history: Path
    later: Path
    bundle: bytes


@pytest.fixture(scope="session", autouse=True)
def few_rounds() -> Iterator[None]:
    """Stop every member early: on a leak the log-loss falls for ever."""
    with pytest.MonkeyPatch.context() as patch:
        for member in MEMBERS.values():
            patch.setattr(member, "max_rounds", 40)
        yield


@pytest.fixture(scope="session")
def fixture_log() -> Path:
    """The log that the project ships."""
    return Path(__file__).resolve().parents[3] / "fixtures" / "log.parquet"


@pytest.fixture(scope="session")
def learnt(few_rounds: None, fixture_log: Path, tmp_path_factory: pytest.TempPathFactory) -> Learnt:
    """A quick model of the first three quarters of the shipped log."""
    folder = tmp_path_factory.mktemp("learnt")
    history, later = folder / "history.parquet", folder / "later.parquet"
    split(fixture_log, history, later, share=0.75)
    with open_log([history], zone=ZONE) as log:
        sample = build_sample(log, seed=3, progress=lambda step: None)
    ensemble = IntentEnsemble.fit(sample, seed=3, params=QUICK)
    bundle = dump(ensemble, schema=schema_hash(), facts={"zone": ZONE}, key=bundle_key())
    return Learnt(ensemble, history, later, bundle)


@pytest.fixture
def champion(learnt: Learnt, db: None, bundle_folder: Path) -> ModelVersion:
    """The quick model, registered and serving."""
    version = ModelVersion.objects.create(
        trained_from="2026-01-01T00:00:00Z",
        trained_until="2026-02-01T00:00:00Z",
        events=1,
        sessions=1,
        buyers=1,
        schema_hash=schema_hash(),
        bundle=store_bundle(learnt.bundle),
        bundle_sha256=hashlib.sha256(learnt.bundle).hexdigest(),
        figures={"zone": ZONE},
    )
    version.promote()
    assert version.status == Status.CHAMPION
    return version
