"""What the code keeps to beyond what the linters check."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST_MODULE = 300
LONGEST_FUNCTION = 40


def modules() -> list[Path]:
    found = (path for folder in ("purchase_intent", "demo_shop") for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if "migrations" not in path.parts)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_module_is_short_documented_and_made_of_short_functions(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    lines = text.count("\n")
    assert lines <= LONGEST_MODULE, f"{lines} lines"
    assert not text or ast.get_docstring(tree), "no docstring says what the module is for"
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 - docstring_lines(node) > LONGEST_FUNCTION
    }
    assert long == {}


def docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is None or first.end_lineno is None:
        return 0
    return first.end_lineno - first.lineno + 1


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_what_is_listed_as_public_exists_once(path: Path) -> None:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
            names = ast.literal_eval(node.value)
            assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"\bpickle\b.*\bload|\bimport (pickle|joblib)\b", id="models are never pickled"),
        pytest.param(r"type: ignore(?!\[)", id="an ignore carries its code"),
        pytest.param(r"pragma: no cover", id="nothing hides from coverage"),
        pytest.param(r"time\.sleep\(", id="nothing sleeps"),
        pytest.param(r"/(home|root|tmp|Users)/\w", id="no path of one machine"),
    ],
)
def test_nothing_of_the_kind_is_in_the_code(pattern: str) -> None:
    here = Path(__file__).resolve()
    paths = [*modules(), *(path for path in (ROOT / "tests").rglob("*.py") if path.resolve() != here)]
    found = [
        f"{name_of(path)}:{number}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(pattern, line)
    ]
    assert found == []
