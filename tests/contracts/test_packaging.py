"""The project's own files agree: what is declared is pinned, what is pinned is a plain version."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import purchase_intent

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = [
    line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#")
]
EXTRAS = PROJECT["optional-dependencies"]


def normal(requirement: str) -> str:
    """Return the name a requirement is for, as package indexes spell it."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found.group()).lower()


def test_every_pin_is_one_exact_version() -> None:
    assert [pin for pin in PINS if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.+]*", pin)] == []
    names = [normal(pin) for pin in PINS]
    assert names == sorted(set(names))


@pytest.mark.parametrize("extra", ["core", *sorted(EXTRAS)])
def test_everything_declared_is_pinned(extra: str) -> None:
    declared = PROJECT["dependencies"] if extra == "core" else EXTRAS[extra]
    wanted = {normal(requirement) for requirement in declared} - {normal(PROJECT["name"])}
    assert wanted <= {normal(pin) for pin in PINS}


def test_all_brings_every_extra_for_running() -> None:
    (line,) = EXTRAS["all"]
    named = re.search(r"\[(.*)\]", line)
    assert named is not None
    assert set(named.group(1).split(",")) == set(EXTRAS) - {"all", "bench", "dev"}


def test_the_core_stays_light() -> None:
    assert [normal(each) for each in PROJECT["dependencies"]] == [
        "django",
        "crawler-user-agents",
        "djangorestframework",
        "drf-spectacular",
        "numpy",
        "scipy",
    ]


def test_the_change_log_tells_of_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.fullmatch(r"\d+\.\d+\.\d+", purchase_intent.__version__)
    assert f"## [{purchase_intent.__version__}]" in text or "## [Unreleased]" in text


def test_the_projects_files_name_no_machine() -> None:
    folders = ((ROOT, "[!.]*"), (ROOT / "docs", "**/*"), (ROOT / ".ci", "*"), (ROOT / ".github", "**/*"))
    found = [path for folder, pattern in folders for path in folder.glob(pattern) if path.is_file()]
    texts = [path for path in found if path.suffix in {"", ".md", ".toml", ".txt", ".yaml", ".yml"}]
    assert len(texts) > 10
    for path in texts:
        assert not re.search(r"/(home|root|work|Users)/|pythonhosted", path.read_text(encoding="utf-8")), path
