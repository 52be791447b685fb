"""`simulate_shoppers --live` from the command line."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from demo_shop.models import Product
from tests.integration.walking.conftest import Notes


def live(url: str, *options: str) -> str:
    out = StringIO()
    call_command("simulate_shoppers", "--live", url, "--verbosity", "0", *options, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_it_walks_and_prints_its_figures(shop: str) -> None:
    text = live(shop, "--sessions", "12", "--speed", "0", "--seed", "4")
    shown = dict(re.findall(r"^(\w[\w: -]*?)  +(.*)$", text, flags=re.MULTILINE))
    assert list(shown)[:7] == ["sessions", "requests", "accounts", "orders", "sign-ins", "sign-outs", "added"]
    assert shown["sessions"] == "12"
    assert int(shown["requests"]) > 12
    assert any(name.startswith("refused") for name in shown)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://shop.example/", "so it goes to this machine only"),
        ("http://192.168.0.7:8000", "so it goes to this machine only"),
        ("http://127.0.0.1.shop.example", "so it goes to this machine only"),
        ("https://localhost:8000", "give the shop's address, such as http://127.0.0.1:8000"),
        ("localhost:8000", "give the shop's address"),
        ("http://", "give the shop's address"),
        ("http://localhost:port", "give the shop's address"),
        ("http://localhost:8000/admin/", "give scheme, host and port alone"),
        ("http://ada:secret@localhost:8000", "give scheme, host and port alone"),
        ("http://127.0.0.1:9", "nothing answers at http://127.0.0.1:9"),
    ],
)
def test_other_addresses_are_refused_in_one_line(url: str, said: str) -> None:
    with pytest.raises(CommandError) as refusal:
        live(url)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_what_is_no_demo_shop_is_not_walked(notes: Notes) -> None:
    notes.answer = lambda path: (200, {}, "<title>Another shop</title>")
    with pytest.raises(CommandError, match=r"not as the demo shop: start it with manage\.py runserver"):
        live(notes.root)
    assert [asked.path for asked in notes.asked] == ["/"]


def test_empty_shelves_are_named(shop: str) -> None:
    Product.objects.all().delete()
    with pytest.raises(CommandError, match=r"nothing on its shelves: run manage\.py load_catalogue"):
        live(shop)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--sessions", "0"), "sessions 0: choose a whole number from 1 to 100,000"),
        (("--speed", "-1"), "speed -1: choose a number from 0"),
        (("--speed", "nan"), "speed nan: choose a number from 0"),
        (("--seed", "-1"), "seed -1: choose"),
        (("--days", "3"), "--days goes with --out: leave it out"),
        (("--sessions-per-day", "3"), "--sessions-per-day goes with --out: leave it out"),
        (("--out", "log.csv"), "not allowed with argument"),
    ],
)
def test_bad_options_are_refused_before_anybody_walks(notes: Notes, options: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError) as refusal:
        live(notes.root, *options)
    assert said in str(refusal.value)
    assert notes.asked == []


def test_options_of_a_walk_make_no_log(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("log")
    for option in ("--sessions", "--speed"):
        with pytest.raises(CommandError, match=f"{option} goes with --live: leave it out"):
            call_command("simulate_shoppers", "--out", str(folder / "log.csv"), option, "3")
    assert list(folder.iterdir()) == []
