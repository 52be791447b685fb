"""The simulator can be used without Django."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_simulator_imports_no_django_and_no_learner() -> None:
    code = "import sys, demo_shop.simulator; print(sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert "'numpy'" in done.stdout
    for absent in ("django", "lightgbm", "xgboost", "catboost", "sklearn", "pandas"):
        assert f"'{absent}'" not in done.stdout
