"""Which tests run on PostgreSQL: all that use the database, and only those."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

TESTS = """
import pytest

@pytest.fixture
def filled(db): ...

@pytest.mark.django_db
def test_marked(): ...

def test_by_a_fixture(filled): ...

def test_with_transactions(transactional_db): ...

def test_on_a_server(live_server): ...

class TestMarked:
    pytestmark = pytest.mark.django_db

    def test_in_a_class(self): ...

def test_without(): ...

def test_in_a_folder(tmp_path): ...
"""


@pytest.mark.parametrize(
    ("database", "left_out"),
    [
        pytest.param("sqlite", set(), id="SQLite"),
        pytest.param("postgres", {"test_without", "test_in_a_folder"}, id="PostgreSQL"),
    ],
)
def test_a_run_on_postgresql_leaves_out_what_uses_no_database(
    tmp_path: Path, database: str, left_out: set[str]
) -> None:
    path = tmp_path / "test_some.py"
    path.write_text(TESTS, encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("COVERAGE", "PYTEST"))}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:randomly", "-p", "no:cacheprovider"]
    command += ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "-p", "tests.conftest"]
    done = subprocess.run(
        [*command, "--database", database, str(path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    chosen = {line.rpartition("::")[2] for line in done.stdout.splitlines() if "::" in line}
    assert chosen == set(re.findall(r"def (test_\w+)", TESTS)) - left_out
