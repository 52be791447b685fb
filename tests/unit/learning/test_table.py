"""A table and a sample refuse what no learner should see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from purchase_intent.exceptions import TrainingRefused
from purchase_intent.learning import Sample, Table, case_weights, text_code
from purchase_intent.learning.table import CODES


def two_rows() -> Sample:
    table = Table(np.array([[1, 2], [3, np.nan]], dtype=np.float32), ("a", "b"))
    return Sample(table, np.array([0, 1]), np.array([1.0, 3.0]), np.array([7, 8]), np.array([10, 20]))


def test_values_become_contiguous_float32() -> None:
    table = Table(np.asfortranarray([[1.0, 2.0], [3.0, 4.0]]), ("a", "b"))
    assert table.values.dtype == np.float32
    assert table.values.flags["C_CONTIGUOUS"]
    assert len(table) == 2


@pytest.mark.parametrize(
    ("values", "names", "categorical", "field"),
    [
        ([[1.0, 2.0]], ("a",), (), "values"),
        ([1.0, 2.0], ("a", "b"), (), "values"),
        ([[1.0, 2.0]], ("a", "a"), (), "names"),
        ([[1.0, 2.0]], ("a", "b"), ("c",), "categorical"),
        ([[1.0, np.inf]], ("a", "b"), (), "b"),
        ([[1.0, 0.5]], ("a", "b"), ("b",), "b"),
        ([[1.0, -1.0]], ("a", "b"), ("b",), "b"),
        ([[1.0, CODES]], ("a", "b"), ("b",), "b"),
    ],
)
def test_a_bad_table_is_refused_by_field(values: Any, names: Any, categorical: Any, field: str) -> None:
    with pytest.raises(TrainingRefused) as refused:
        Table(np.array(values, dtype=np.float32), names, frozenset(categorical))
    assert refused.value.facts["field"] == field


def test_a_frame_becomes_a_table() -> None:
    frame = pd.DataFrame(
        {
            "price": [1.5, None],
            "returning": [True, False],
            "channel": ["mail", None],
            "hour": [3, 4],
            "device": pd.Categorical(["phone", "desktop"]),
        }
    )
    table = Table.from_frame(frame, categorical=["hour"])
    expected = [
        [1.5, 1.0, text_code("mail"), text_code(3), text_code("phone")],
        [np.nan, 0.0, np.nan, text_code(4), text_code("desktop")],
    ]
    assert table.names == ("price", "returning", "channel", "hour", "device")
    assert table.categorical == {"channel", "hour", "device"}
    np.testing.assert_array_equal(table.values, np.array(expected, dtype=np.float32))


def test_the_same_text_has_the_same_code_in_another_frame() -> None:
    first = Table.from_frame(pd.DataFrame({"channel": ["mail", "search"]}))
    second = Table.from_frame(pd.DataFrame({"channel": ["search", "social", "mail"]}))
    assert first.values[:, 0].tolist() == second.values[[2, 0], 0].tolist()


def test_a_column_of_dates_is_refused() -> None:
    with pytest.raises(TrainingRefused, match=r"^when: "):
        Table.from_frame(pd.DataFrame({"when": pd.to_datetime(["2016-08-01"])}))


@given(st.text(min_size=1))
def test_a_code_is_a_whole_number_in_range(text: str) -> None:
    assert 0 <= text_code(text) < CODES
    assert text_code(text) == int(text_code(text))


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NaT])
def test_a_missing_text_has_no_code(missing: object) -> None:
    assert np.isnan(text_code(missing))


def test_weights_are_scaled_to_a_mean_of_one() -> None:
    assert two_rows().weights.tolist() == [0.5, 1.5]
    assert two_rows().take(np.array([1])).weights.tolist() == [1.0]


def test_an_owner_of_several_sessions_stays_with_them() -> None:
    assert two_rows().clusters.tolist() == [7, 8]
    owned = replace(two_rows(), owners=np.array([3, 3]))
    assert (owned.clusters.tolist(), owned.take(np.array([1])).clusters.tolist()) == ([3, 3], [3])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"labels": np.array([0])}, "labels"),
        ({"labels": np.array([0.0, np.nan])}, "labels"),
        ({"labels": np.array([0, 2])}, "labels"),
        ({"weights": np.array([1.0])}, "weights"),
        ({"weights": np.array([1.0, -1.0])}, "weights"),
        ({"weights": np.array([1.0, np.nan])}, "weights"),
        ({"weights": np.array([0.0, 0.0])}, "weights"),
        ({"sessions": np.array([1, 2, 3])}, "sessions"),
        ({"sessions": np.array([1.0, 2.0])}, "sessions"),
        ({"times": np.array([[1], [2]])}, "times"),
        ({"owners": np.array([1])}, "owners"),
        ({"owners": np.array([1.0, 2.0])}, "owners"),
    ],
)
def test_a_bad_sample_is_refused_by_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(TrainingRefused) as refused:
        replace(two_rows(), **change)
    assert refused.value.facts["field"] == field


@pytest.mark.parametrize(("power", "expected"), [(0.0, [1, 1, 1, 1, 1]), (-1.0, [2.5, 0.625, 0.625, 0.625, 0.625])])
def test_case_weights(power: float, expected: list[float]) -> None:
    np.testing.assert_allclose(case_weights(np.array([9, 4, 4, 4, 4]), power=power), expected, rtol=1e-12)


def test_buying_sessions_are_counted_once() -> None:
    table = Table(np.zeros((4, 1), dtype=np.float32), ("a",))
    sample = Sample(table, np.array([1, 1, 0, 1]), np.ones(4), np.array([1, 1, 2, 3]), np.arange(4))
    assert sample.buying_sessions == 2
