"""What is asked of tuning, and what makes no sense."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from purchase_intent.exceptions import MissingExtra, TrainingRefused
from purchase_intent.learning import IntentEnsemble, Sample, Tuning


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        pytest.param({"trials": -1}, "trials", id="fewer than none"),
        pytest.param({"trials": 1, "budget": 0.0}, "budget", id="no time"),
        pytest.param({"trials": 1, "budget": float("nan")}, "budget", id="no number"),
        pytest.param({"trials": 1, "budget": float("inf")}, "budget", id="for ever"),
        pytest.param({"budget": 5.0}, "budget", id="a budget for nothing"),
        pytest.param({"study": Path("study")}, "study", id="a file for nothing"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(asked: dict[str, Any], field: str) -> None:
    with pytest.raises(TrainingRefused, match=f"^{field}: ") as refused:
        Tuning(**asked)
    assert refused.value.facts["field"] == field


def test_a_missing_optuna_is_named_with_its_line(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtra, match=r"optuna is not installed: pip install 'django-purchase-intent\[train\]'"):
        IntentEnsemble.fit(sample, tuning=Tuning(trials=1))
