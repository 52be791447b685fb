"""A shopper's way through the shop in a real browser, looked at on a phone, a tablet and a wide screen."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from demo_shop.models import Order, Product
from tests.e2e.conftest import HEIGHTS, KITCHEN, LONG_NAME, SCREENSHOTS, WIDTHS, Visit

Visits = Callable[..., Visit]

pytestmark = [pytest.mark.slow]


def give_address(page: Page) -> None:
    page.get_by_label("Full name").fill("Ada Example")
    page.get_by_label("Email").fill("ada@example.com")
    page.get_by_label("Street and number").fill("12 Harbour Lane")
    page.get_by_label("Postcode").fill("10115")
    page.get_by_label("Town or city").fill("Berlin")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_shopper_walks_from_the_front_page_to_an_order(visit: Visits, width: int) -> None:
    seen = visit(width)
    page = seen.page
    seen.go("/")
    seen.look("home")
    page.get_by_role("navigation", name="Departments").get_by_role("link", name="Home", exact=True).click()
    seen.look("department")
    page.get_by_role("navigation", name="Categories").get_by_role("link", name="Kitchen").click()
    seen.look("listing")
    page.get_by_role("link", name=LONG_NAME).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(LONG_NAME)
    seen.look("product")
    for what in (".facts .price", ".buy button", ".promises li"):
        box = page.locator(what).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= HEIGHTS[width], f"{what} is not in the first screen"
    page.get_by_label("Quantity").fill("2")
    page.get_by_role("button", name="Add to basket").click()
    expect(page.get_by_role("status")).to_contain_text("In your basket")
    seen.look("product-added")
    page.get_by_role("link", name="View basket").click()
    expect(page.locator(".bar strong")).to_have_text("€2,259.90")
    seen.look("basket")
    page.get_by_role("link", name="Go to checkout").click()
    seen.look("checkout-address")
    give_address(page)
    page.get_by_role("button", name="Go on to payment").click()
    seen.look("checkout-payment")
    page.get_by_label("Invoice, 14 days").check()
    page.get_by_role("button", name="Go on to review").click()
    seen.look("checkout-review")
    page.get_by_role("button", name="Place the order").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, Ada Example")
    seen.look("confirmation")
    order = Order.objects.get()
    assert (str(order.total), order.lines.get().quantity, Product.objects.get(pk=9_000_001).stock) == ("2259.90", 2, 2)


@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_empty_wrong_or_gone_is_drawn_on_purpose(visit: Visits, width: int) -> None:
    seen = visit(width)
    page = seen.page
    seen.go("/basket/")
    expect(page.get_by_role("heading", name="Nothing in here yet")).to_be_visible()
    seen.look("basket-empty")
    seen.go("/search/?q=unobtainium")
    expect(page.get_by_role("heading", name="We found nothing for that")).to_be_visible()
    seen.look("search-nothing")
    seen.go("/search/?q=lamp")
    seen.look("search")
    seen.go("/shop/?lowest=30&highest=10")
    expect(page.get_by_text("This is less than the lowest price.")).to_be_visible()
    seen.look("filters-wrong")
    Product.objects.filter(pk=9_000_001).update(stock=0)
    seen.go("/product/long-kettle/")
    expect(page.get_by_text("Sold out", exact=True)).to_be_visible()
    seen.look("product-sold-out")
    seen.go("/sign-in/")
    seen.look("sign-in")
    seen.go("/register/")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_text("Please give your name.")).to_be_visible()
    seen.look("register-wrong")
    seen.go("/information/delivery/")
    seen.look("information")


@pytest.mark.parametrize("width", WIDTHS)
def test_too_much_of_everything_still_fits(visit: Visits, width: int) -> None:
    seen = visit(width)
    page = seen.page
    Product.objects.update(stock=500)
    for product in Product.objects.order_by("-price")[:12]:
        seen.go(product.get_absolute_url())
        page.get_by_label("Quantity").fill("20")
        page.get_by_role("button", name="Add to basket").click()
    Product.objects.filter(pk=9_000_001).update(stock=3)
    seen.go("/basket/")
    expect(page.get_by_text("Only 3 left. Please lower the quantity.")).to_be_visible()
    seen.look("basket-full")
    page.screenshot(path=str(SCREENSHOTS / f"basket-full-first-screen-{width}.png"))
    Product.objects.update(stock=500)
    seen.go("/checkout/address/")
    give_address(page)
    page.get_by_label("Full name").fill("Adalbertina-Wilhelmine " * 4)
    page.get_by_label("Town or city").fill("Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch")
    page.get_by_role("button", name="Go on to payment").click()
    page.get_by_label("Bank transfer").check()
    page.get_by_role("button", name="Go on to review").click()
    seen.look("checkout-review-full")
    seen.go("/shop/?sort=-price&page=2&brand=Nordwave&brand=Kantis&brand=Voltera&brand=Hearthly&lowest=20&stock=on")
    seen.look("listing-full")


@pytest.mark.parametrize("width", WIDTHS)
def test_an_address_that_leads_nowhere_has_a_way_out(visit: Visits, width: int) -> None:
    seen = visit(width)
    seen.go("/nowhere/")
    (said,) = seen.errors
    assert re.search("404", said)
    seen.errors.clear()
    seen.look("missing")
    seen.page.get_by_role("link", name="To the front page").click()
    expect(seen.page).to_have_url(seen.root + "/")


@pytest.mark.parametrize("width", [360, 1440])
def test_the_shop_is_whole_in_the_dark(visit: Visits, width: int) -> None:
    seen = visit(width, dark=True)
    for name, path in (("home", "/"), ("listing", KITCHEN), ("product", "/product/long-kettle/")):
        seen.go(path)
        seen.look(f"dark-{name}")
    seen.page.get_by_role("button", name="Add to basket").click()
    seen.go("/basket/")
    seen.look("dark-basket")
    seen.go("/checkout/address/")
    seen.page.get_by_role("button", name="Go on to payment").click()
    expect(seen.page.get_by_text("Please give your name.")).to_be_visible()
    seen.look("dark-checkout-wrong")


def test_the_shop_needs_no_scripts(visit: Visits) -> None:
    seen = visit(360, scripts=False)
    page = seen.page
    seen.go("/search/?q=kettle")
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Alder & Ash").check()
    page.get_by_role("button", name="Show products").click()
    page.get_by_role("link", name=LONG_NAME).click()
    page.get_by_role("button", name="Add to basket").click()
    page.get_by_role("link", name="View basket").click()
    page.get_by_label("Quantity of").fill("3")
    page.get_by_role("button", name="Update").click()
    expect(page.locator(".bar strong")).to_have_text("€3,389.85")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", name="Nothing in here yet")).to_be_visible()
    assert (seen.errors, seen.foreign) == ([], [])


def test_the_desk_works_under_the_shops_policy(visit: Visits) -> None:
    User.objects.create_superuser("desk", password="a long enough secret")
    seen = visit(1440)
    seen.go("/admin/login/?next=/admin/demo_shop/product/")
    seen.page.get_by_label("Username").fill("desk")
    seen.page.get_by_label("Password").fill("a long enough secret")
    seen.page.get_by_role("button", name="Log in").click()
    seen.page.get_by_role("link", name=LONG_NAME).click()
    expect(seen.page.get_by_label("Name")).to_have_value(LONG_NAME)
    assert (seen.errors, seen.foreign) == ([], [])


def test_an_account_keeps_the_basket_and_lists_the_orders(visit: Visits) -> None:
    seen = visit(360)
    page = seen.page
    seen.go("/product/long-kettle/")
    page.get_by_role("button", name="Add to basket").click()
    seen.go("/register/?next=/basket/")
    page.get_by_label("First name").fill("Ada")
    page.get_by_label("Email").fill("ada@example.com")
    page.get_by_label("Password", exact=True).fill("a long enough secret")
    page.get_by_label("Password confirmation").fill("a long enough secret")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("heading", name=LONG_NAME)).to_be_visible()
    seen.go("/checkout/address/")
    give_address(page)
    page.get_by_role("button", name="Go on to payment").click()
    page.get_by_label("On delivery").check()
    page.get_by_role("button", name="Go on to review").click()
    page.get_by_role("button", name="Place the order").click()
    page.get_by_role("link", name="Your orders").click()
    seen.look("account")
    page.get_by_role("link", name="€1,129.95").click()
    seen.look("order")
    page.get_by_role("link", name="Your account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_pressed_is_large_enough_for_a_thumb(visit: Visits, width: int) -> None:
    seen = visit(width)
    seen.go("/product/long-kettle/")
    seen.page.get_by_role("button", name="Add to basket").click()
    small = """() => [...document.querySelectorAll('button, .button, input:not([type=hidden]), select, summary, nav a')]
        .filter(each => each.getBoundingClientRect().height && each.getBoundingClientRect().height < 44
                        && !each.closest('label'))
        .map(each => each.outerHTML.slice(0, 80))"""
    for path in ("/", KITCHEN, "/product/long-kettle/", "/basket/", "/checkout/address/", "/sign-in/"):
        seen.go(path)
        assert (path, seen.page.evaluate(small)) == (path, [])
