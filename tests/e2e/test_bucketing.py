"""The browser's own draw: every vector of the Python tests, in Chromium."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "purchase_intent" / "static" / "purchase_intent" / "bucketing.js"

pytestmark = [pytest.mark.slow]

WRONG = """vectors => {
    const { place, position, sha256 } = purchaseIntent.bucketing;
    const hex = text => sha256(text).map(word => word.toString(16).padStart(8, "0")).join("");
    const placed = (allocation, unit) => { const { arm, outcome } = place(allocation, unit); return [arm, outcome]; };
    return {
        checked: vectors.sha256.length + vectors.positions.length + vectors.placements.length,
        wrong: [
            ...vectors.sha256.filter(each => hex(each.text) !== each.hex),
            ...vectors.positions.filter(each => position(each.salt, each.unit) !== each.position),
            ...vectors.placements.filter(each => JSON.stringify(each.placements)
                !== JSON.stringify(each.units.map(unit => placed(each.allocation, unit)))).map(each => each.case),
        ],
    };
}"""


def test_the_browser_draws_as_the_server_does(chromium: Browser) -> None:
    vectors = json.loads((ROOT / "tests" / "vectors" / "bucketing.json").read_text(encoding="utf-8"))
    page = chromium.new_page()
    page.add_script_tag(path=SCRIPT)
    found = page.evaluate(WRONG, vectors)
    page.close()
    assert found == {"checked": sum(map(len, vectors.values())), "wrong": []}
