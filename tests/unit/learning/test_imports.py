"""Importing the package is cheap and safe: no learner comes with it, and no Django."""

from __future__ import annotations

import subprocess
import sys

import purchase_intent.learning


def test_no_learner_is_imported_in_a_fresh_process() -> None:
    heavy = ("catboost", "xgboost", "lightgbm", "sklearn", "pandas", "django", "numba", "optuna", "treelite", "shap")
    code = f"import sys, purchase_intent.learning; print(sorted(set({heavy!r}) & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_what_is_public_exists_and_is_documented() -> None:
    for name in purchase_intent.learning.__all__:
        found = getattr(purchase_intent.learning, name)
        assert name in ("FRACTIONS", "MEMBERS") or found.__doc__, name
