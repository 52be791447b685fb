"""Who may import whom, and what a web process has loaded once it is up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEARNERS = ("catboost", "duckdb", "lightgbm", "numba", "optuna", "pandas", "pyarrow", "shap", "sklearn", "xgboost")
PURE = [
    name
    for name in ("events", "exceptions", "features", "learning", "stats")
    if list((ROOT / "purchase_intent").glob(f"{name}*"))
]

REPORT = "import json, sys; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"


def loaded_by(code: str) -> set[str]:
    """Run code in a fresh process and return the top-level packages it has loaded."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{REPORT}"],
        cwd=ROOT,
        env=environment | {"DJANGO_SETTINGS_MODULE": "demo_shop.settings"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_import_contracts_are_kept() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_pure_package_is_in_the_contract_of_purity() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {each["id"]: each for each in declared["tool"]["importlinter"]["contracts"]}
    assert contracts["pure"]["source_modules"] == [f"purchase_intent.{name}" for name in PURE]
    assert contracts["layers"]["exhaustive"] is True
    assert set(contracts["page"]["forbidden_modules"]) >= set(LEARNERS)


def test_starting_the_app_loads_no_learner() -> None:
    loaded = loaded_by(
        "import purchase_intent, django\n"
        "django.setup()\n"
        "from django.core.management import call_command\n"
        "call_command('check', verbosity=0)\n"
        "import purchase_intent.models, purchase_intent.features, purchase_intent.events\n"
        "import purchase_intent.middleware, purchase_intent.shortcuts, purchase_intent.tracking.bots as bots\n"
        "bots.label_of('a user agent')"
    )
    assert "purchase_intent" in loaded
    assert loaded.isdisjoint(LEARNERS)


def test_importing_every_module_loads_no_learner() -> None:
    loaded = loaded_by(
        "import django, importlib, pkgutil, purchase_intent\n"
        "django.setup()\n"
        "for module in pkgutil.walk_packages(purchase_intent.__path__, 'purchase_intent.'):\n"
        "    importlib.import_module(module.name)"
    )
    assert loaded.isdisjoint(LEARNERS), "a heavy library is imported by the function that needs it"


@pytest.mark.parametrize("name", PURE)
def test_a_pure_package_loads_neither_django_nor_a_learner(name: str) -> None:
    loaded = loaded_by(f"import purchase_intent.{name}")
    assert loaded.isdisjoint({"django", "rest_framework", "celery", *LEARNERS})
