"""Purchases given to sessions by chance teach nothing; a planted leak shows that the test would see one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from purchase_intent.learning import IntentEnsemble, Sample, auc
from purchase_intent.sources import open_log
from purchase_intent.training.dataset import build_sample
from tests.logs import noise, plant_leak
from tests.trained import QUICK, SHIPPED_LOG, ZONE, few_rounds

MOMENTS = (1, 2, 3, 5, 10)
FEWEST = 20
"""Buyers at a moment; with fewer, an AUC is judged by nobody."""
PERMUTATIONS = 200
CASES = 300_000


def ordinals(sample: Sample) -> NDArray[np.int64]:
    """Which moment of its session each row is, from 1."""
    order = np.lexsort((sample.times, sample.sessions))
    sessions = sample.sessions[order]
    begins = np.append(True, sessions[1:] != sessions[:-1])
    place = np.arange(len(order))
    k = np.empty(len(order), np.int64)
    k[order] = place - np.maximum.accumulate(np.where(begins, place, 0)) + 1
    return k


def deviations(log: Path, zone: str) -> dict[int, float]:
    """By moment: AUC on later sessions minus a half, in standard deviations of its null, sessions permuted.

    All of the log is folded; of a large one, some sessions are learnt from and judged.
    """
    with open_log([log], zone=zone) as opened:
        sample = build_sample(opened, seed=1, most=CASES, progress=lambda step: None)
    cut = int(np.quantile(sample.times, 0.7))
    starts = np.full(int(sample.sessions.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(starts, sample.sessions, sample.times)
    later = starts[sample.sessions] >= cut
    with few_rounds():
        ensemble = IntentEnsemble.fit(sample.take(~later), seed=1, params=QUICK, threads=2)
    test = sample.take(later)
    scores, k = ensemble.log_odds(test.table), ordinals(test)
    rng = np.random.default_rng(7)
    found = {}
    for moment in MOMENTS:
        rows = k == moment
        labels, margin = test.labels[rows], scores[rows]
        if labels.sum() < FEWEST:
            continue
        null = [auc(rng.permutation(labels), margin) for _ in range(PERMUTATIONS)]
        found[moment] = (auc(labels, margin) - 0.5) / max(float(np.std(null)), 1e-9)
    return found


def check(log: Path, zone: str, folder: Path) -> None:
    shuffled, leaky = folder / "noise.parquet", folder / "leaky.parquet"
    noise(log, shuffled, seed=11)
    learnt = deviations(shuffled, zone)
    assert len(learnt) >= 3
    assert max(abs(value) for value in learnt.values()) < 4
    plant_leak(shuffled, leaky, every=2)
    assert max(deviations(leaky, zone).values()) > 4


def test_on_the_shipped_log(tmp_path: Path) -> None:
    check(SHIPPED_LOG, ZONE, tmp_path)


def test_on_the_real_log(real_logs: Path, tmp_path: Path) -> None:
    (log,) = (real_logs / "gstore").glob("*.parquet")
    check(log, "America/Los_Angeles", tmp_path)
