"""The wheel, installed alone into a clean environment, is a complete Django app."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENT = ("--retries", "8", "--timeout", "60")

# Another default key than the app's own: what it needs of a host, it has to say itself.
HOST = """
from pathlib import Path
BASE_DIR = Path(__file__).parent
SECRET_KEY = "a host of the test's own"
INSTALLED_APPS = ["django.contrib.contenttypes", "purchase_intent"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "host.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
MIDDLEWARE = ["purchase_intent.middleware.TrackingMiddleware"]
PURCHASE_INTENT = {"SHOP": "host_shop.HostShop"}
USE_TZ = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "purchase_intent": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": BASE_DIR / "bundles"},
    },
}
"""

SHOP = """
from purchase_intent.adapters import Shop

class HostShop(Shop):
    def consent(self, request):
        return True
"""

pytestmark = [pytest.mark.slow, pytest.mark.network]


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command away from this source tree and return what it printed."""
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("COVERAGE", "DJANGO_", "PYTHONPATH", "VIRTUAL_ENV"))
    }
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment | {"DJANGO_SETTINGS_MODULE": "host_settings", "PYTHONPATH": str(cwd)},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def host(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the Python of a clean environment that has the wheel, and the folder of a host project."""
    folder = tmp_path_factory.mktemp("host")
    run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    constraints = ROOT / "constraints.txt"
    run(python, "-m", "pip", "install", "-q", *PATIENT, "-c", constraints, wheel, cwd=folder)
    (folder / "host_settings.py").write_text(HOST, encoding="utf-8")
    (folder / "host_shop.py").write_text(SHOP, encoding="utf-8")
    return python, folder


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    source = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "purchase_intent").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert packed == source
    assert {"purchase_intent/py.typed", "purchase_intent/migrations/0001_model_versions.py"} <= packed


def test_its_core_needs_no_learner(host: tuple[Path, Path]) -> None:
    python, folder = host
    installed = {line.split("==")[0].lower() for line in run(python, "-m", "pip", "freeze", cwd=folder).splitlines()}
    assert {"django", "djangorestframework", "numpy", "scipy"} <= installed
    assert installed.isdisjoint({"catboost", "lightgbm", "xgboost", "xgboost-cpu", "scikit-learn", "numba", "duckdb"})


def test_a_host_checks_migrates_and_needs_no_migration_of_its_own(host: tuple[Path, Path]) -> None:
    python, folder = host
    checked = run(python, "-W", "error", "-m", "django", "check", "--fail-level", "WARNING", cwd=folder)
    assert "no issues" in checked
    run(python, "-m", "django", "migrate", "--verbosity", "0", cwd=folder)
    assert run(python, "-m", "django", "makemigrations", "--check", cwd=folder) == "No changes detected\n"
    shown = run(python, "-m", "django", "showmigrations", "purchase_intent", cwd=folder)
    assert "[X] 0001_model_versions" in shown
    assert "[ ]" not in shown


def test_what_is_installed_is_what_is_imported(host: tuple[Path, Path]) -> None:
    python, folder = host
    where = run(python, "-c", "import purchase_intent; print(purchase_intent.__file__)", cwd=folder)
    assert Path(where.strip()).is_relative_to(folder / "venv")
