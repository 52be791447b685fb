"""One fitted ensemble for all tests of learning; nobody may change it."""

from __future__ import annotations

import pytest

from purchase_intent.learning import IntentEnsemble, Sample, dump
from tests.unit.learning.samples import QUICK, shop

KEY = b"a key of the tests"


@pytest.fixture(scope="session")
def sample() -> Sample:
    return shop()


@pytest.fixture(scope="session")
def ensemble(sample: Sample) -> IntentEnsemble:
    return IntentEnsemble.fit(sample, seed=5, params=QUICK)


@pytest.fixture(scope="session")
def bundle(ensemble: IntentEnsemble) -> bytes:
    return dump(ensemble, schema="abc", facts={"window": [1, 2]}, key=KEY)
