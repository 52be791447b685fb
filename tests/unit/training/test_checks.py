"""The checks a fresh model passes or fails."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from purchase_intent.learning import IntentEnsemble, Sample, Table
from purchase_intent.training.checks import check_model, suspects


@pytest.fixture
def sample() -> Sample:
    """A table in which `answer` knows the label, `hint` half knows it and `noise` nothing."""
    rng = np.random.default_rng(5)
    labels = (rng.random(2_000) < 0.3).astype(np.uint8)
    values = np.column_stack([rng.random(2_000), labels + rng.normal(0, 1, 2_000), -1.0 * labels])
    numbers = np.arange(2_000)
    table = Table(values.astype(np.float32), ("noise", "hint", "answer"))
    return Sample(table, labels, np.ones(2_000), numbers, numbers)


def judged(sample: Sample, auc: float) -> IntentEnsemble:
    """A model of the sample, said to have that AUC."""
    fitted = IntentEnsemble.fit(sample, members=["lightgbm"])
    return replace(fitted, figures={"models": {"ensemble": {"point": {"auc": auc}}}})


@pytest.mark.parametrize(
    ("auc", "codes"),
    [
        (0.5, ["no_better_than_chance"]),
        (0.5499, ["no_better_than_chance"]),
        (0.55, []),
        (0.97, []),
        (0.9701, ["too_good"]),
    ],
)
def test_verdict(auc: float, codes: list[str], sample: Sample) -> None:
    assert [finding.code for finding in check_model(judged(sample, auc), sample)] == codes


def test_the_suspects_are_named_best_first(sample: Sample) -> None:
    (finding,) = check_model(judged(sample, 0.99), sample)
    assert "look for a leak in answer (1.000), hint (0." in finding.message
    assert [name for name, _ in suspects(sample)] == ["answer", "hint", "noise"]
    assert suspects(sample, most=1) == [("answer", 1.0)]
