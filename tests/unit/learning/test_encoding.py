"""Encodings know what was known, and no more."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purchase_intent.learning import Sample, Table, TargetEncoder
from purchase_intent.learning.encoding import SETTLING_MS
from tests.unit.learning.samples import DAY, shop

CHANNEL = 3


def sample_of(rows: list[tuple[int, int, float, int]]) -> Sample:
    """Rows of (session, time, category, label)."""
    sessions, times, categories, labels = (np.array(column) for column in zip(*rows, strict=True))
    table = Table(categories.astype(np.float32)[:, None], ("channel",), frozenset({"channel"}))
    return Sample(table, labels, np.ones(len(rows)), sessions, times)


def test_values_of_a_log_small_enough_for_paper() -> None:
    # Sessions 1 (buys in half its moments) and 2 share a category, 3 has another; two blocks of a day.
    sample = sample_of(
        [(1, 0, 5, 1), (1, 10, 5, 0), (2, 20, 5, 0), (3, 30, 6, 0), (4, 2 * DAY - 1, 5, 1), (5, 2 * DAY - 1, 7, 0)]
    )
    encoder, encoded = TargetEncoder.fit(sample, strength=2.0, blocks=2)
    prior = 0.5 / 3
    known = np.log((0.5 + 2 * prior) / ((2 + 2) * prior))
    np.testing.assert_allclose(encoded[:, 0], [0, 0, 0, 0, known, 0], rtol=1e-6)
    prior = 1.5 / 5
    frozen = [np.log((buys + 2 * prior) / ((count + 2) * prior)) for buys, count in ((1.5, 3), (0, 1), (0, 1))]
    unseen, missing = 99.0, np.nan
    asked = np.array([[5], [6], [7], [unseen], [missing]], dtype=np.float32)
    np.testing.assert_allclose(encoder.transform(asked)[:, 0], [*frozen, 0, 0], rtol=1e-6)


def test_a_session_that_has_not_settled_is_not_yet_known() -> None:
    edge = DAY
    late, early = edge - SETTLING_MS + 1, edge - SETTLING_MS
    for last, known in ((late, False), (early, True)):
        _, encoded = TargetEncoder.fit(sample_of([(1, 0, 5, 1), (1, last, 5, 1), (2, 2 * DAY - 1, 5, 0)]), blocks=2)
        # Two blocks between 0 and two days: the second starts after one day.
        assert (encoded[2, 0] != 0) == known or (encoded[2, 0] == 0) == (not known)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**16), share=st.floats(0.1, 0.9))
def test_labels_that_come_later_change_nothing(seed: int, share: float) -> None:
    sample = shop(sessions=150, seed=seed)
    cut = int(np.quantile(sample.times, share))
    changed = replace(sample, labels=np.where(sample.times >= cut, 1 - sample.labels, sample.labels))
    before = sample.times < cut
    first, second = (TargetEncoder.fit(given_sample)[1] for given_sample in (sample, changed))
    assert first[before].tobytes() == second[before].tobytes()


@settings(max_examples=30)
@given(seed=st.integers(0, 2**16), session=st.integers(0, 149))
def test_no_row_sees_its_own_session(seed: int, session: int) -> None:
    sample = shop(sessions=150, seed=seed)
    own = sample.sessions == session
    changed = replace(sample, labels=np.where(own, 1 - sample.labels, sample.labels))
    first, second = (TargetEncoder.fit(given_sample)[1] for given_sample in (sample, changed))
    assert first[own].tobytes() == second[own].tobytes()


def test_numeric_columns_pass_unchanged() -> None:
    sample = shop(sessions=60)
    encoder, encoded = TargetEncoder.fit(sample)
    others = [position for position in range(sample.table.values.shape[1]) if position != CHANNEL]
    for matrix in (encoded, encoder.transform(sample.table.values)):
        np.testing.assert_array_equal(matrix[:, others], sample.table.values[:, others])
        assert matrix.dtype == np.float32


def test_missing_is_a_category() -> None:
    _, encoded = TargetEncoder.fit(sample_of([(1, 0, np.nan, 1), (2, 1, 5, 0), (3, 2 * DAY, np.nan, 0)]), blocks=2)
    assert encoded[2, 0] > 0


def test_a_sample_without_buyers_is_encoded_finite() -> None:
    encoder, encoded = TargetEncoder.fit(sample_of([(1, 0, 5, 0), (2, 2 * DAY, 5, 0)]))
    assert np.isfinite(encoded).all()
    assert np.isfinite(encoder.transform(encoded)).all()


def test_json_keeps_every_bit() -> None:
    sample = shop(sessions=100)
    encoder, _ = TargetEncoder.fit(sample)
    again = TargetEncoder.from_json(json.loads(json.dumps(encoder.to_json())))
    assert again.transform(sample.table.values).tobytes() == encoder.transform(sample.table.values).tobytes()


def test_one_row_is_encoded_as_among_many() -> None:
    sample = shop(sessions=60)
    encoder, _ = TargetEncoder.fit(sample)
    matrix = sample.table.values[:40].copy()
    matrix[:3, CHANNEL] = [np.nan, 99.0, 2.0]
    alone = np.vstack([encoder.transform(matrix[row : row + 1]) for row in range(40)])
    assert alone.tobytes() == encoder.transform(matrix).tobytes()


@pytest.mark.parametrize("rows", [0, 1])
def test_transform_takes_any_number_of_rows(rows: int) -> None:
    sample = shop(sessions=60)
    encoder, _ = TargetEncoder.fit(sample)
    assert encoder.transform(sample.table.values[:rows]).shape == (rows, 6)
