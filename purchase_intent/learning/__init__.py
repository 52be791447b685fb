"""Learning to tell buyers: from a table of cases to a calibrated, explainable, signed model. Needs no Django.

>>> ensemble = IntentEnsemble.fit(sample, seed=7)            # doctest: +SKIP
>>> ensemble.predict(matrix)                                 # doctest: +SKIP
>>> load(dump(ensemble, schema="v1", facts={}, key=key), schema="v1", key=key)   # doctest: +SKIP

Importing this package imports no learner: each is loaded when a member is first fitted or read.
"""

from __future__ import annotations

from purchase_intent.learning.baseline import LogisticBaseline
from purchase_intent.learning.bundle import dump, load, read_manifest
from purchase_intent.learning.calibration import Calibration
from purchase_intent.learning.encoding import TargetEncoder
from purchase_intent.learning.ensemble import IntentEnsemble
from purchase_intent.learning.members import MEMBERS, Member
from purchase_intent.learning.metrics import (
    auc,
    average_precision,
    best_f1,
    brier,
    expected_calibration_error,
    figures,
    log_loss,
    operating_point,
)
from purchase_intent.learning.splits import FRACTIONS, Slices, Slicing, split
from purchase_intent.learning.table import Sample, Table, case_weights, text_code
from purchase_intent.learning.thresholds import Thresholds
from purchase_intent.learning.tuning import Tuning

__all__ = [
    "FRACTIONS",
    "MEMBERS",
    "Calibration",
    "IntentEnsemble",
    "LogisticBaseline",
    "Member",
    "Sample",
    "Slices",
    "Slicing",
    "Table",
    "TargetEncoder",
    "Thresholds",
    "Tuning",
    "auc",
    "average_precision",
    "best_f1",
    "brier",
    "case_weights",
    "dump",
    "expected_calibration_error",
    "figures",
    "load",
    "log_loss",
    "operating_point",
    "read_manifest",
    "split",
    "text_code",
]
