"""Names, pages and aliases: what they mean, and that the documentation says the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from purchase_intent.events import ALIASES, FIELD_NAMES, PAGE_OF_EVENT, Event, EventName, Page, Reason, event_name

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "events.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def table(section: str) -> list[list[str]]:
    """The cells of a section's table, without its two head rows."""
    lines = [line for line in SECTIONS[section].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        pytest.param("view_item", EventName.VIEW, id="GA4 product"),
        pytest.param("view_item_list", EventName.PAGE_VIEW, id="GA4 list"),
        pytest.param("add_to_cart", EventName.CART, id="GA4 cart"),
        pytest.param("begin_checkout", EventName.CHECKOUT, id="GA4 checkout"),
        pytest.param("add_payment_info", EventName.PAYMENT_INFO, id="GA4 payment"),
        pytest.param("Product Viewed", EventName.VIEW, id="Segment product"),
        pytest.param("Product Added", EventName.CART, id="Segment cart"),
        pytest.param("Checkout Step Viewed", EventName.CHECKOUT, id="Segment checkout"),
        pytest.param("Order Completed", EventName.PURCHASE, id="Segment order"),
        pytest.param("Signed In", EventName.LOGIN, id="Segment login"),
        pytest.param("view", EventName.VIEW, id="REES46 view"),
        pytest.param("cart", EventName.CART, id="REES46 cart"),
        pytest.param("remove_from_cart", EventName.REMOVE_FROM_CART, id="REES46 removal"),
        pytest.param("purchase", EventName.PURCHASE, id="REES46 purchase"),
        pytest.param("  PURCHASE\n", EventName.PURCHASE, id="case and blanks"),
        pytest.param("purchase ", EventName.PURCHASE, id="outer blanks"),
        pytest.param("", None, id="nothing"),
        pytest.param("pur chase", None, id="inner blank"),
        pytest.param("refund", None, id="nobody knows it"),
    ],
)
def test_what_a_spelling_stands_for(spelling: str, name: EventName | None) -> None:
    assert event_name(spelling) is name


@pytest.mark.parametrize("name", EventName)
def test_every_name_is_its_own_alias(name: EventName) -> None:
    assert event_name(name.label) is name
    assert name.label == name.name.lower()


def test_aliases_are_spelt_as_they_are_looked_up() -> None:
    assert [alias for alias in ALIASES if alias != alias.strip().lower()] == []


def test_the_numbers_that_states_and_models_store_never_change() -> None:
    names = "page_view interaction select_item view search cart remove_from_cart view_cart checkout payment_info"
    assert [(item.value, item.label) for item in EventName] == list(
        enumerate([*names.split(), "purchase", "login", "logout", "sign_up", "wishlist"], start=1)
    )
    pages = "other home listing product search basket sign_in register account checkout payment review confirmation"
    assert [(item.value, item.label) for item in Page] == list(enumerate([*pages.split(), "information"]))


# The documentation


def test_the_page_lists_every_name_with_its_number_and_page() -> None:
    listed = [(int(number), *words(name), words(page)) for number, name, _, page, *_ in table("Names")]
    implied = {name: [PAGE_OF_EVENT[name].label] if name in PAGE_OF_EVENT else [] for name in EventName}
    assert listed == [(name.value, name.label, implied[name]) for name in EventName]


def test_the_page_lists_every_alias_and_no_other() -> None:
    listed = {
        alias: own
        for _, name, _, _, *systems in table("Names")
        for own in words(name)
        for alias in words(" ".join(systems))
    }
    ours = {name.label: name.label for name in EventName}
    assert {**listed, **ours} == {alias: name.label for alias, name in ALIASES.items()}


def test_the_page_lists_every_page_with_its_number() -> None:
    assert [(int(number), *words(page)) for number, page, _ in table("Pages")] == [
        (item.value, item.label) for item in Page
    ]


def test_the_page_lists_every_field_and_what_it_is_read_from_in_order_of_precedence() -> None:
    rows = table("Fields")
    assert [words(row[0])[0] for row in rows] == list(Event.__dataclass_fields__)
    for row in rows:
        (own,) = words(row[0])
        assert words(row[3]) == [alias for alias, field in FIELD_NAMES.items() if field == own and alias != own], own


def test_the_page_lists_every_reason_in_order_of_precedence() -> None:
    assert [words(row[0]) for row in table("Why an event is refused")] == [[reason.value] for reason in Reason]


def test_the_example_on_the_page_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    scope: dict[str, Event] = {}
    exec(code, scope)  # noqa: S102 - the page's own example
    assert scope["event"].name is EventName.VIEW
    assert scope["event"].product == "1001"
