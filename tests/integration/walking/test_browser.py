"""A browser without a window."""

from __future__ import annotations

import pytest

from demo_shop.walking import Browser, ShopGone, Tally
from demo_shop.walking.pages import read_page
from tests.integration.walking.conftest import Notes

FORM = '<form method="post" action="../sent/"><input name="a" value="1"></form>'


@pytest.fixture
def browser(notes: Notes) -> Browser:
    return Browser(notes.root, "Mozilla/5.0 (Test)", Tally())


def test_it_says_who_it_is_and_where_it_comes_from(notes: Notes, browser: Browser) -> None:
    browser.get("/one/", referer="https://www.google.com/")
    browser.get("/two/?q=a+b")
    first, second = notes.asked
    assert (first.headers["User-Agent"], first.headers["Referer"]) == ("Mozilla/5.0 (Test)", "https://www.google.com/")
    assert (second.path, second.headers["Referer"]) == ("/two/?q=a+b", f"{notes.root}/one/")
    assert browser.tally.requests == 2


def test_it_keeps_cookies_for_all_its_tabs_and_another_browser_has_its_own(notes: Notes, browser: Browser) -> None:
    notes.answer = lambda path: (200, {"Set-Cookie": "who=ada; Path=/; HttpOnly"}, "")
    browser.get("/")
    browser.tab().get("/")
    Browser(notes.root, "other", Tally()).get("/")
    assert [asked.headers.get("Cookie") for asked in notes.asked] == [None, "who=ada", None]


def test_it_sends_a_form_and_follows_with_a_get(notes: Notes, browser: Browser) -> None:
    def answer(path: str) -> tuple[int, dict[str, str], str]:
        return (302, {"Location": "/thanks/#end"}, "") if path == "/shop/sent/" else (200, {}, FORM)

    notes.answer = answer
    page = browser.get("/shop/form/").page
    after = browser.submit(page.forms[0], {"a": "ü&b"})
    assert [(asked.method, asked.path, asked.body) for asked in notes.asked] == [
        ("GET", "/shop/form/", ""),
        ("POST", "/shop/sent/", "a=%C3%BC%26b"),
        ("GET", "/thanks/", ""),
    ]
    assert notes.asked[1].headers["Origin"] == notes.root
    assert (after.path, after.status, after.redirected) == ("/thanks/", 200, True)


def test_a_form_without_an_action_goes_to_its_own_page(notes: Notes, browser: Browser) -> None:
    browser.get("/product/lamp/?from=mail")
    assert not browser.submit(read_page('<form method="post"></form>').forms[0], {}).redirected
    assert (notes.asked[1].method, notes.asked[1].path) == ("POST", "/product/lamp/?from=mail")


@pytest.mark.parametrize(
    ("location", "said"),
    [
        pytest.param("https://elsewhere.example/", "leads to https://elsewhere.example/", id="another host"),
        pytest.param("//127.0.0.1.example/", "a walk stays in one shop", id="a host that begins alike"),
        pytest.param("/round/", "leads round in circles", id="in circles"),
    ],
)
def test_it_follows_nowhere_else(notes: Notes, browser: Browser, location: str, said: str) -> None:
    notes.answer = lambda path: (302, {"Location": location}, "")
    with pytest.raises(ShopGone, match=said):
        browser.get("/")


def test_a_fault_of_the_shop_is_counted_and_shown_as_it_is(notes: Notes, browser: Browser) -> None:
    notes.answer = lambda path: (500, {}, "<title>Sorry</title>")
    answer = browser.get("/")
    assert (answer.status, answer.page.title) == (500, "Sorry")
    assert dict(browser.tally.refusals) == {"fault of the shop": 1}


def test_nobody_at_home_is_one_clear_line() -> None:
    with pytest.raises(ShopGone, match=r"nothing answers at http://127\.0\.0\.1:9 \(.*\): is the shop running\?"):
        Browser("http://127.0.0.1:9", "Test", Tally()).get("/")
