"""The schema: what it names, what changes its hash, and that the documentation says the same."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from purchase_intent.features import schema
from purchase_intent.features.schema import CATEGORICAL, FEATURES, VECTOR, Feature, schema_hash
from purchase_intent.features.vector import Vector

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "features.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)`( †)? \| (.+?) \| (.+?) \| (.*?) \|$", PAGE, re.MULTILINE)

REFERENCE = {
    "price": "price",
    "duration": "session duration",
    "events": "event count",
    "products": "distinct products",
    "categories": "distinct categories",
    "mean_price": "mean price",
    "max_price": "highest price",
    "total_price": "total price",
    "hour": "hour",
    "weekday": "weekday",
    "weekend": "weekend",
    "brand": "brand",
    "category": "category",
    "past_mean_events": "mean events per session",
    "past_mean_products": "mean products per session",
    "past_mean_duration": "mean duration per session",
    "past_mean_price": "mean price",
    "past_events": "total events",
    "past_products": "total products",
    "past_sessions": "total sessions",
    "past_purchases": "total purchases",
    "past_conversion": "conversion rate",
}
"""The 22 features of the reference system, by our names."""


def test_the_page_lists_every_feature_in_its_order_with_unit_and_meaning() -> None:
    listed = [Feature(name, unit, meaning, bool(mark)) for name, mark, unit, meaning, _ in ROWS]
    assert listed == list(FEATURES)


def test_the_page_marks_the_features_of_the_reference_system() -> None:
    assert len(REFERENCE) == 22
    assert {name: mark for name, _, _, _, mark in ROWS if mark} == REFERENCE


def test_the_matrix_has_the_features_in_their_order_as_32_bit_numbers() -> None:
    assert VECTOR.names == tuple(item.name for item in fields(Vector)) == tuple(item.name for item in FEATURES)
    assert VECTOR.itemsize == 4 * len(FEATURES)
    rows = np.zeros(2, VECTOR)
    rows["price"] = 5
    assert rows.view("<f4").reshape(2, -1)[:, [item.name for item in FEATURES].index("price")].tolist() == [5, 5]


def test_what_is_categorical_is_a_feature_and_a_name() -> None:
    assert {item.name for item in FEATURES} >= CATEGORICAL
    units = {item.unit for item in FEATURES if item.categorical}
    assert units == {"key", "page", "pages", "kind"}
    assert units.isdisjoint({item.unit for item in FEATURES if not item.categorical})


def test_every_feature_has_a_unit_and_a_sentence_without_a_full_stop() -> None:
    for feature in FEATURES:
        assert re.fullmatch(r"[a-z/]+", feature.unit), feature.name
        assert re.fullmatch(r"[A-Z][^|`]+[^.|`]", feature.meaning), feature.name
    meanings = [feature.meaning for feature in FEATURES]
    assert len(set(meanings)) == len(meanings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("VERSION", 2, id="another computation"),
        pytest.param("FEATURES", FEATURES[::-1], id="another order"),
        pytest.param("FEATURES", FEATURES[:-1], id="one feature less"),
        pytest.param("FEATURES", (Feature("hours", "h", "Hour", False), *FEATURES[1:]), id="another name"),
        pytest.param("FEATURES", (Feature("hour", "h", "Hour", True), *FEATURES[1:]), id="another kind"),
    ],
)
def test_the_hash_changes_with_what_a_model_depends_on(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    before = schema_hash.__wrapped__()
    monkeypatch.setattr(schema, name, value)
    assert schema_hash.__wrapped__() != before


def test_the_hash_stays_when_only_the_words_change(monkeypatch: pytest.MonkeyPatch) -> None:
    before = schema_hash.__wrapped__()
    reworded = Feature(FEATURES[0].name, "hour", "The hour", FEATURES[0].categorical)
    monkeypatch.setattr(schema, "FEATURES", (reworded, *FEATURES[1:]))
    assert schema_hash.__wrapped__() == before


def test_the_hash_is_the_same_in_every_process() -> None:
    script = "from purchase_intent.features.schema import schema_hash; print(schema_hash())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.strip() == schema_hash()
    assert re.fullmatch(r"[0-9a-f]{16}", schema_hash())
