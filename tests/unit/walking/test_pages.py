"""What a form sends, and what a shopper finds on a page."""

from __future__ import annotations

import pytest

from demo_shop.walking.pages import Form, Page, read_page

PAGE = """<!doctype html><title>A page &amp; more</title>
<a href="/one/">One</a><a name="nowhere">none</a>
<form action="/search/"><input name="q" value="lamp"><button>Go</button></form>
<form method="POST" action="/buy/">
  <input type="hidden" name="token" value="t&amp;1"><input name="gone" value="x" disabled>
  <input type="number" name="quantity" value="1"><input type="text" name="empty">
  <input type="checkbox" name="gift" value="yes"><input type="checkbox" name="news" checked>
  <input type="radio" name="payment" value="invoice"><input type="radio" name="payment" value="transfer" checked>
  <select name="country"><option value="DE">Germany<option value="FR" selected>France</select>
  <select name="size"><option value="S">S<option value="M">M</select>
  <textarea name="note">as it
is</textarea>
  <button type="button" name="never" value="1">Look</button>
  <button name="answer" value="no">No, thanks</button><button name="answer" value="yes"><b>Yes</b>, fine</button>
  <input type="submit" name="late" value="Later">
</form>"""


@pytest.fixture
def page() -> Page:
    return read_page(PAGE)


@pytest.fixture
def form(page: Page) -> Form:
    found = page.form_with("token")
    assert found is not None
    return found


def test_a_page_has_a_title_and_links(page: Page) -> None:
    assert (page.title, page.links) == ("A page & more", ["/one/"])
    assert [(each.method, each.action) for each in page.forms] == [("get", "/search/"), ("post", "/buy/")]


def test_only_what_posts_is_found_by_its_names(page: Page) -> None:
    assert page.form_with("q") is None
    assert page.form_with("token", "quantity", "gift") is page.forms[1]
    assert page.form_with("token", "unheard") is None


def test_untouched_it_sends_what_a_browser_would(form: Form) -> None:
    assert sorted(form.filled({})) == [
        ("country", "FR"),
        ("empty", ""),
        ("news", "on"),
        ("note", "as it\nis"),
        ("payment", "transfer"),
        ("quantity", "1"),
        ("size", "S"),
        ("token", "t&1"),
    ]


def test_filled_in_it_sends_the_new_values_and_the_button(form: Form) -> None:
    assert [(each.name, each.value, each.text) for each in form.buttons] == [
        ("answer", "no", "No, thanks"),
        ("answer", "yes", "Yes, fine"),
        ("late", "Later", "Later"),
    ]
    sent = form.filled({"quantity": "3", "payment": "invoice", "gift": "yes"}, form.buttons[1])
    assert set(sent) >= {("quantity", "3"), ("payment", "invoice"), ("gift", "yes"), ("answer", "yes")}
    assert len([value for name, value in sent if name == "payment"]) == 1


def test_a_choice_that_is_not_offered_becomes_the_first(form: Form) -> None:
    assert ("country", "DE") in form.filled({"country": "PL"})


def test_what_a_form_lacks_cannot_be_filled_in(form: Form) -> None:
    with pytest.raises(KeyError, match="the form has no gone"):
        form.filled({"gone": "x"})


@pytest.mark.parametrize(
    "html", ["", "<form", "<form method=post><select name=a></form><option value=1>", "<p>&#xfffffff;</b></form>"]
)
def test_no_page_is_too_broken_to_read(html: str) -> None:
    assert read_page(html).form_with("quantity") is None
