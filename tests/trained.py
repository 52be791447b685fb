"""The one small model for every test that needs some model or some champion.

A test asks for one of two fixtures, which `tests/conftest.py` gives to all folders:

- `trained`: the model, its bundle, and the two halves of the shipped log, that it learnt from and that came later;
- `champion`: its `ModelVersion`, serving in the test's database, its bundle in a folder of the test's own.

The first process of a run that asks trains, some ten seconds of the processor; what it made lies in the run's temporary
folder, where the processes of pytest-xdist find it. `register` puts a bundle on record otherwise, say as a candidate;
`twin` is a second bundle of the same model. Only a test about training trains again, within `few_rounds`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.core.files.storage import storages

from purchase_intent.conf import bundle_key
from purchase_intent.features.schema import schema_hash
from purchase_intent.learning import MEMBERS, IntentEnsemble, dump, load
from purchase_intent.learning import sealed as sealing
from purchase_intent.models import ModelVersion
from purchase_intent.scoring.bundles import store_bundle
from purchase_intent.sources import open_log
from purchase_intent.training.dataset import build_sample
from tests.logs import split

__all__ = [
    "QUICK",
    "SHIPPED_LOG",
    "ZONE",
    "Trained",
    "damage",
    "few_rounds",
    "register",
    "signed",
    "trained_once",
    "twin",
]

SHIPPED_LOG = Path(__file__).resolve().parents[1] / "fixtures" / "log.parquet"
ZONE = "Europe/Berlin"
BOUNDARY = "2026-04-06T00:00:00+02:00"
"""Where the later half begins: two of the log's seven weeks."""
CASES = 20_000
QUICK: Mapping[str, Mapping[str, Any]] = {
    "catboost": {"learning_rate": 0.3, "early_stopping": 5, "depth": 4},
    "xgboost": {"learning_rate": 0.3, "early_stopping": 5, "max_depth": 4},
    "lightgbm": {"learning_rate": 0.3, "early_stopping": 5, "num_leaves": 15, "min_data_in_leaf": 50},
    "forest": {"num_parallel_tree": 20, "max_depth": 5},
}
"""Parameters for a model in seconds, good enough to tell a buyer from a bot."""


class Trained(NamedTuple):
    """A model, what it learnt from, and the log it has not seen."""

    ensemble: IntentEnsemble
    bundle: bytes
    history: Path
    later: Path


@contextmanager
def few_rounds(most: int = 40) -> Iterator[None]:
    """Stop every member early: on a leak the log-loss falls for ever."""
    with pytest.MonkeyPatch.context() as patch:
        for member in MEMBERS.values():
            patch.setattr(member, "max_rounds", most)
        yield


def trained_once(factory: pytest.TempPathFactory) -> Trained:
    """The model of this run, trained if no process of it has done so."""
    # Each process of pytest-xdist has a folder of its own within the run's.
    own = factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "trained"
    folder.mkdir(exist_ok=True)
    bundle, history, later = (folder / name for name in ("bundle.zip", "history.parquet", "later.parquet"))
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not bundle.exists():
            split(SHIPPED_LOG, history, later, at=BOUNDARY)
            made = folder / "unfinished.zip"
            made.write_bytes(_learn(history))
            made.rename(bundle)
    data = bundle.read_bytes()
    return Trained(load(data, schema=schema_hash(), key=bundle_key()), data, history, later)


def _learn(history: Path) -> bytes:
    with few_rounds(), open_log([history], zone=ZONE) as log:
        sample = build_sample(log, seed=3, most=CASES, progress=lambda step: None)
        ensemble = IntentEnsemble.fit(sample, seed=3, params=QUICK)
    return dump(ensemble, schema=schema_hash(), facts={"zone": ZONE}, key=bundle_key())


def twin(trained: Trained) -> bytes:
    """Another bundle of the same model: it answers the same, and is told apart by its SHA-256."""
    return dump(trained.ensemble, schema=schema_hash(), facts={"zone": ZONE, "twin": True}, key=bundle_key())


def signed(key: bytes) -> bytes:
    """A bundle signed with a key and without any model in it."""
    manifest = sealing.as_json({"format": 1, "schema": "", "libraries": {}, "files": {}, "facts": {}})
    return sealing._zipped({sealing.MANIFEST: manifest, sealing.SIGNATURE: sealing._sign(manifest, key)})


def register(bundle: bytes, *, promote: bool = True) -> ModelVersion:
    """Put a bundle on record, as the champion unless told otherwise."""
    version: ModelVersion = ModelVersion.objects.create(
        trained_from="2026-03-02T00:00:00+01:00",
        trained_until=BOUNDARY,
        events=1,
        sessions=1,
        buyers=1,
        schema_hash=schema_hash(),
        bundle=store_bundle(bundle),
        bundle_sha256=hashlib.sha256(bundle).hexdigest(),
        figures={"zone": ZONE},
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
