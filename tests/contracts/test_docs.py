"""Every setting, check, command and extra is in the docs, and the docs name nothing that is not there."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from purchase_intent import signals
from purchase_intent.adapters import Shop
from purchase_intent.checks import IDS
from purchase_intent.conf import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
DOCS = "\n".join(path.read_text(encoding="utf-8") for path in PAGES if path.name != "CHANGELOG.md")
SETTINGS_PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
TRACKING_PAGE = (ROOT / "docs" / "tracking.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
COMMANDS = sorted(
    path.stem
    for package in ("purchase_intent", "demo_shop")
    for path in (ROOT / package / "management" / "commands").glob("[!_]*.py")
)


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_every_setting_is_documented(name: str) -> None:
    assert f"| `{name}` |" in SETTINGS_PAGE


def test_the_settings_page_lists_the_checks_there_are() -> None:
    assert re.findall(r"^\| `(purchase_intent\.[EW]\d{3})` \|", SETTINGS_PAGE, re.MULTILINE) == list(IDS)


@pytest.mark.parametrize("name", signals.__all__)
def test_every_signal_is_documented(name: str) -> None:
    assert f"| `{name}` |" in TRACKING_PAGE


@pytest.mark.parametrize("name", sorted(name for name in vars(Shop) if not name.startswith("_")))
def test_every_question_of_the_adapter_is_documented(name: str) -> None:
    assert f"| `{name}` |" in TRACKING_PAGE


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    assert re.search(rf"manage\.py {name}\b", DOCS)


@pytest.mark.parametrize("name", sorted(PROJECT["optional-dependencies"]))
def test_every_extra_is_documented(name: str) -> None:
    assert f"`[{name}]`" in DOCS


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_to_a_file_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize(
    "verb", ["setup", "demo", "figures", "pictures", "test", "lint", "types", "contracts", "bench", "wheel"]
)
def test_make_knows_the_verb_and_tells_of_it(verb: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{verb}:", makefile, re.MULTILINE)
    assert f"make {verb}" in makefile


def test_the_documentation_builds_as_a_site(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "settings" / "index.html").is_file()


def test_every_page_is_reached_from_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")} - {"index.md"}
    assert set(re.findall(r"\]\(([^)#]+\.md)", index)) == pages
