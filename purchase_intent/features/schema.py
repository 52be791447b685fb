"""The order, meaning and version of the features: what a stored model must agree with."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from functools import cache
from typing import Final

import numpy as np

from purchase_intent.features.vector import Vector

__all__ = ["CATEGORICAL", "FEATURES", "VECTOR", "VERSION", "Feature", "schema_hash"]

VERSION: Final = 1
"""Raised whenever a feature's computation changes while its name stays."""

CATEGORICAL: Final = frozenset(
    {"device", "channel", "country", "landing", "kind", "page", "trail", "category", "brand"}
)
"""Features whose numbers are names: no order, no arithmetic."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A column of the matrix: its name, its unit and its meaning in business words."""

    name: str
    unit: str
    meaning: str
    categorical: bool


FEATURES: Final = tuple(
    Feature(item.name, item.metadata["unit"], item.metadata["meaning"], item.name in CATEGORICAL)
    for item in fields(Vector)
)

VECTOR: Final = np.dtype([(feature.name, "<f4") for feature in FEATURES])
"""One row of the matrix as a record; `.view('<f4')` makes it a plain row of `len(FEATURES)` columns."""


@cache
def schema_hash() -> str:
    """Sixteen hexadecimal digits that change with the version, order, names or kinds of the features."""
    text = json.dumps([VERSION, [(feature.name, feature.categorical) for feature in FEATURES]])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
