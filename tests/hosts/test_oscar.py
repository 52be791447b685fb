"""A shop that nobody here wrote, connected as docs/oscar.md says, and a shopper's walk through it."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_django import Settings

from purchase_intent.adapters import Shop
from purchase_intent.contrib.oscar import checks, telling
from purchase_intent.contrib.oscar.shop import OscarShop

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "oscar.md").read_text(encoding="utf-8")
TRACKING = "purchase_intent.middleware.TrackingMiddleware"
OURS = "purchase_intent.contrib.oscar.middleware.OscarMiddleware"
OSCAR_SHOP = "purchase_intent.contrib.oscar.shop.OscarShop"

WALK = [
    ["page_view", "listing", "", None],
    ["page_view", "listing", "", None],
    ["select_item", "listing", "book", None],
    ["view", "product", "book", None],
    ["cart", "product", "book", 2],
    ["search", "search", "", None],
    ["select_item", "listing", "lamp", None],
    ["view", "product", "lamp", None],
    ["cart", "product", "lamp", 1],
    ["view_cart", "basket", "", None],
    ["remove_from_cart", "basket", "book", 1],
    ["remove_from_cart", "basket", "lamp", 1],
    ["page_view", "checkout", "", None],
    ["checkout", "checkout", "", None],
    ["page_view", "checkout", "", None],
    ["payment_info", "payment", "", None],
    ["checkout", "review", "", None],
    ["purchase", "confirmation", "book", 1],
    ["sign_up", "register", "", None],
    ["login", "register", "", None],
    ["page_view", "account", "", None],
]


@pytest.fixture(scope="module")
def walked() -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.hosts.oscar.walk"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "System check identified no issues" in done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_walk_arrives_as_events_each_once(walked: dict[str, Any]) -> None:
    assert walked["events"] == WALK
    assert walked["facts"] == [["book", "books/fiction", 12.5], ["lamp", "", 40.0]]
    assert (walked["listed"], walked["searched"]) == (["books/fiction"], ["lamp"])


def test_the_order_is_on_record_with_its_revenue_and_its_session_is_the_customers(walked: dict[str, Any]) -> None:
    assert walked["sold"] == [["100001", "12.50"]]
    ((session, customer),) = walked["sessions"]
    assert walked["orders"] == [["100001", "12.5000", "GBP", session]]
    assert customer == "1"


def test_the_session_has_a_score_until_it_has_bought(walked: dict[str, Any]) -> None:
    standing, probability, band = walked["before"]
    assert (standing, band) == ("RULES", "top_1")
    assert 0.5 < probability < 1
    assert walked["after"] == ["ALREADY_BOUGHT", None, ""]


def test_the_shop_is_connected_by_what_the_page_says_and_nothing_else() -> None:
    said, adapter = (
        ast.parse(block).body for block in re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    )
    done = {ast.unparse(statement) for statement in ast.parse(source("settings")).body}
    assert {ast.unparse(statement) for statement in said} <= done
    added = source("settings").partition("# What docs/oscar.md adds:\n")[2]
    assert {ast.unparse(statement) for statement in ast.parse(added).body} <= {ast.unparse(each) for each in said}
    methods = [each.name for each in ast.walk(ast.parse(source("shop_intent"))) if isinstance(each, ast.FunctionDef)]
    assert methods == [each.name for part in adapter for each in ast.walk(part) if isinstance(each, ast.FunctionDef)]


def source(name: str) -> str:
    """A file of the shop as it would be in a project of its own."""
    text = (ROOT / "tests" / "hosts" / "oscar" / f"{name}.py").read_text(encoding="utf-8")
    return text.replace("tests.hosts.oscar.", "")


def test_the_page_lists_the_checks_there_are() -> None:
    assert re.findall(r"^\| `(purchase_intent_oscar\.[EW]\d{3})` \|", PAGE, re.MULTILINE) == list(checks.IDS)


@pytest.mark.parametrize(
    "name", sorted(name for name in vars(OscarShop) if not name.startswith("_") and name not in vars(Shop))
)
def test_the_page_names_what_a_shop_may_override(name: str) -> None:
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize(
    ("spec", "words"), [(None, "is not installed"), (object(), "is not listed")], ids=["not installed", "not listed"]
)
def test_without_oscar_it_imports_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, spec: object, words: str
) -> None:
    monkeypatch.setattr("purchase_intent.contrib.oscar.checks.find_spec", lambda name: spec)
    monkeypatch.setattr("purchase_intent.contrib.oscar.shop.find_spec", lambda name: None)
    OscarShop().connect()
    (found,) = checks.check_oscar(None)
    assert found.id == "purchase_intent_oscar.E001"
    assert words in found.msg
    assert found.hint


def test_an_order_placed_outside_a_request_is_nobodys_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="purchase_intent.tracking"):
        telling._order_placed(SimpleNamespace(number="A-1"))
    assert caplog.messages == ["Order A-1 was placed outside a request of its shopper, so it is not recorded."]


@pytest.mark.parametrize(
    ("shop", "middleware", "ids"),
    [
        pytest.param(OSCAR_SHOP, [TRACKING, OURS], [], id="as the page says"),
        pytest.param("purchase_intent.adapters.Shop", [TRACKING, OURS], ["E002"], id="another adapter"),
        pytest.param(OSCAR_SHOP, [TRACKING], ["W001"], id="no middleware"),
        pytest.param(OSCAR_SHOP, [OURS, TRACKING], ["W001"], id="the wrong way round"),
    ],
)
def test_what_is_missing_is_named(settings: Settings, shop: str, middleware: list[str], ids: list[str]) -> None:
    settings.PURCHASE_INTENT = {"SHOP": shop}
    settings.MIDDLEWARE = middleware
    found = checks.check_listed(None)
    assert [message.id for message in found] == [f"purchase_intent_oscar.{number}" for number in ids]
    assert all(message.hint for message in found)
