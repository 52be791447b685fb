"""The pages of the documentation: what they show is what is answered."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from purchase_intent.scoring import serving
from purchase_intent.scoring.words import THEMES
from tests.integration.scoring.recorded import BOUGHT, recorded

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "api.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"```http\nGET (\S+)\n```\n\n```json\n(.*?)\n```", PAGE, re.DOTALL)
KEY = "5f1c0f6f0b7d4c3f9a53f0c4b8a1d2e3"


def plain(value: Any) -> Any:
    """What the page shows of an answer: four decimals, and the first visitor."""
    if isinstance(value, dict):
        return {name: 1 if name == "visitor" else plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value


@pytest.mark.parametrize(("path", "answer"), SHOWN, ids=[path for path, _ in SHOWN])
def test_an_example_is_what_is_answered(api: APIClient, path: str, answer: str) -> None:
    serving._seats.clear()
    recorded(*BOUGHT[:3], session=KEY)
    assert plain(api.get(path).json()) == json.loads(answer)


def test_every_kind_of_answer_is_shown() -> None:
    assert [path.partition("?")[0].removeprefix("/intent/v1/") for path, _ in SHOWN] == [
        "sessions/",
        f"sessions/{KEY}/score/",
        f"sessions/{KEY}/explanation/",
        "sessions/",
    ]


def test_every_theme_is_listed_with_its_features() -> None:
    listed = re.findall(r"^\| (\w+) \| (`.+`) \|$", (DOCS / "reasons.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == [(theme.name, ", ".join(f"`{name}`" for name in theme.sayings)) for theme in THEMES]
