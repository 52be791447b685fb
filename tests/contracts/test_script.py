"""The browser script: small, alone, and fit for a strict content security policy."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "purchase_intent" / "static" / "purchase_intent"
SCRIPT = (STATIC / "intent.js").read_text(encoding="utf-8")
SCRIPTS = "\n".join(path.read_text(encoding="utf-8") for path in sorted(STATIC.glob("*.js")))
PAGE = (ROOT / "docs" / "sending.md").read_text(encoding="utf-8")


def test_it_is_under_four_kilobytes_as_it_travels() -> None:
    assert len(gzip.compress(SCRIPT.encode(), 9, mtime=0)) < 4096


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"https?://", id="no other host"),
        pytest.param(r"\beval\(|new Function|setTimeout\(\s*[\"']", id="no code from text"),
        pytest.param(
            r"innerHTML|outerHTML|document\.write|insertAdjacentHTML|createElement", id="nothing put in a page"
        ),
        pytest.param(r"\.style\b|setAttribute", id="no style"),
        pytest.param(r"document\.cookie|userAgent", id="no cookie read, no user agent"),
        pytest.param(r"^\s*import\b|require\(", id="no dependency"),
    ],
)
def test_no_script_does_anything_of_the_kind(pattern: str) -> None:
    assert re.findall(pattern, SCRIPTS, re.MULTILINE) == []


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\btold\.(\w+)", SCRIPT))))
def test_every_attribute_of_its_tag_is_documented(name: str) -> None:
    assert f"`data-{name}`" in PAGE


@pytest.mark.parametrize("name", ["track", "flush", "decide", "consent"])
def test_every_function_of_it_is_documented(name: str) -> None:
    assert f"`intent.{name}(" in PAGE
