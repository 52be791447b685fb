"""Cut-offs: the middle of the best F1, and quantiles of the scores."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from purchase_intent.learning import Thresholds, operating_point
from purchase_intent.learning.thresholds import PLATEAU, choose_threshold, top_share


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 30), st.integers(1, 5)), min_size=1, max_size=50).filter(
        lambda rows: any(label for label, _, _ in rows)
    )
)
def test_the_choice_is_within_a_hundredth_of_the_best(rows: list[tuple[int, int, int]]) -> None:
    labels, scores, weights = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    scores /= 30
    chosen = choose_threshold(labels.astype(np.uint8), scores, weights)
    reached = operating_point(labels, scores, chosen, weights)["f1"]
    best = max(operating_point(labels, scores, threshold, weights)["f1"] for threshold in scores)
    assert reached >= PLATEAU * best - 1e-12


def test_the_middle_of_a_plateau_is_chosen() -> None:
    # From .3 to .7 every threshold separates the classes equally well but for a row without weight.
    scores = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    labels = np.array([0, 1, 0, 1, 1], dtype=np.uint8)
    weights = np.array([1.0, 1e-9, 1e-9, 1e-9, 1.0])
    assert choose_threshold(labels, scores, weights) == 0.7


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_a_band_holds_at_most_its_share(scores: list[float], share: float) -> None:
    values = np.array(scores)
    cutoff = top_share(values, share, np.ones(len(values)))
    assert cutoff in values
    reached = (values >= cutoff).mean()
    assert reached <= share + 1e-9 or cutoff == values.max()
    lower = values[values < cutoff]
    if len(lower):
        assert (values >= lower.max()).mean() > share


def test_bands_of_a_hundred_scores() -> None:
    scores = np.arange(100) / 100
    found = Thresholds.fit((scores > 0.5).astype(np.uint8), scores, np.ones(100))
    assert dict(found.bands) == {"top_1": 0.99, "top_5": 0.95, "top_20": 0.80}
    assert found.session == found.point == pytest.approx(0.51, abs=0.011)


def test_who_stands_for_many_counts_as_often_for_both() -> None:
    rng = np.random.default_rng(1)
    scores = rng.random(400)
    labels = (rng.random(400) < scores / 2).astype(np.uint8)
    many = np.where(labels == 1, 1.0, 30.0)
    found = Thresholds.fit(labels, scores, many, many)
    assert found.point == found.session > Thresholds.fit(labels, scores, many).point


def test_json_keeps_every_bit() -> None:
    made = Thresholds(1 / 3, 2 / 7, {"top_1": 1 / 9})
    assert Thresholds.from_json(json.loads(json.dumps(made.to_json()))) == made
