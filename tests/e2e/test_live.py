"""The score in the live shop, in a real browser: asked for leave, recorded, shown to staff, explained in the admin."""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from demo_shop.models import Order as ShopOrder
from demo_shop.models import Product
from demo_shop.templatetags.shop import share
from purchase_intent.events import EventName
from purchase_intent.models import Event, ModelVersion, Order, Outcome, Session, Stage, Visitor
from tests.e2e.conftest import ALL_PICTURES, HEIGHTS, KITCHEN, LONG_NAME, SCREENSHOTS, WIDTHS, Visit
from tests.e2e.test_storefront import give_address

Visits = Callable[..., Visit]

pytestmark = [pytest.mark.slow]

SECRET = "a long enough secret"


@pytest.fixture
def desk(stocked: None) -> User:
    return User.objects.create_superuser("desk", password=SECRET, first_name="Robin")


def sign_in(seen: Visit, name: str) -> None:
    seen.go("/sign-in/")
    seen.page.get_by_label("Email").fill(name)
    seen.page.get_by_label("Password").fill(SECRET)
    seen.page.get_by_role("button", name="Sign in").click()


def names() -> list[str]:
    """What was recorded, in order; but how long a page was looked at, which an address typed in tells too."""
    events = Event.objects.exclude(name=EventName.INTERACTION.value)
    return [EventName(number).label for number in events.in_order().values_list("name", flat=True)]


def agrees(page: Page, stage: Stage) -> float:
    """The staff bar shows the score and the stage that the database holds; return the score."""
    session = Session.objects.get()
    assert session.stage == stage
    assert session.score is not None
    bar = page.get_by_role("complementary", name="For staff")
    expect(bar.locator("strong")).to_have_text(share(session.score))
    box, size = bar.bounding_box(), page.viewport_size
    assert box is not None
    assert size is not None
    assert size["width"] < 1024 or box["height"] < 60, "the bar takes more than one line"
    expect(bar).to_contain_text(str(stage.label))
    reasons = bar.locator("li")
    expect(reasons).to_have_count(3)
    assert all(len(text) > 10 for text in reasons.all_inner_texts())
    return session.score


@pytest.mark.parametrize("width", WIDTHS)
def test_the_staff_bar_follows_a_visit_to_its_order(
    visit: Visits, champion: ModelVersion, desk: User, width: int
) -> None:
    seen = visit(width, answer="")
    page = seen.page
    seen.go("/")
    seen.look("live-banner")
    page.get_by_role("button", name="Yes, you may").click()
    expect(page.get_by_role("region", name="Your privacy")).to_have_count(0)
    sign_in(seen, "desk")
    seen.go("/")
    home = agrees(page, Stage.BROWSING)
    seen.look("live-home")
    seen.go(KITCHEN)
    page.get_by_role("link", name=LONG_NAME).first.click()
    product = agrees(page, Stage.PRODUCT)
    seen.look("live-product")
    page.get_by_role("button", name="Add to basket").click()
    cart = agrees(page, Stage.CART)
    page.get_by_role("link", name="View basket").click()
    agrees(page, Stage.CART)
    seen.look("live-basket")
    page.get_by_role("link", name="Go to checkout").click()
    checkout = agrees(page, Stage.CHECKOUT)
    seen.look("live-checkout")
    assert home < cart < checkout
    assert product < checkout
    give_address(page)
    page.get_by_role("button", name="Go on to payment").click()
    page.get_by_label("Invoice, 14 days").check()
    page.get_by_role("button", name="Go on to review").click()
    agrees(page, Stage.CHECKOUT)
    page.get_by_role("button", name="Place the order").click()
    expect(page.get_by_role("complementary", name="For staff")).to_contain_text("Has bought")
    seen.look("live-confirmation")
    session = Session.objects.get()
    assert (session.stage, Order.objects.get().session) == (Stage.BOUGHT, session)
    assert [name for name in names() if name != "page_view"] == [
        "login", "select_item", "view", "cart", "view_cart", "checkout", "payment_info", "checkout", "purchase",
    ]  # fmt: skip
    in_the_admin(seen, session)


def in_the_admin(seen: Visit, session: Session) -> None:
    """The staff bar leads to the session's page, with its timeline and reasons."""
    page = seen.page
    page.get_by_role("link", name="Session in the admin").click()
    expect(page).to_have_url(seen.root + reverse("admin:purchase_intent_session_change", args=[session.pk]))
    timeline = page.locator("#content")
    for words in ("Logged in", "Viewed a product", "Added to the basket", "At the checkout", "Bought, order"):
        expect(timeline.get_by_role("cell", name=words).first).to_be_visible()
    charts = page.locator("svg.desk-chart:visible")
    expect(charts).to_have_count(1)
    box = charts.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= seen.width
    seen.keep("live-admin-session")


@pytest.mark.parametrize(
    ("answer", "objects"),
    [
        pytest.param("declined", False, id="declined"),
        pytest.param("", False, id="not answered"),
        pytest.param("accepted", True, id="accepted, but the browser objects"),
    ],
)
def test_who_does_not_agree_is_not_recorded_and_misses_nothing(
    visit: Visits, champion: ModelVersion, answer: str, objects: bool
) -> None:
    seen = visit(360, answer=answer, objects=objects)
    page = seen.page
    seen.go(KITCHEN)
    page.get_by_role("link", name=LONG_NAME).first.click()
    page.get_by_role("button", name="Add to basket").click()
    seen.go("/checkout/address/")
    give_address(page)
    page.get_by_role("button", name="Go on to payment").click()
    page.get_by_label("Invoice, 14 days").check()
    page.get_by_role("button", name="Go on to review").click()
    page.get_by_role("button", name="Place the order").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, Ada Example")
    assert [model.objects.count() for model in (Visitor, Session, Event, Order)] == [0, 0, 0, 0]
    assert "intent" not in {cookie.get("name") for cookie in page.context.cookies()}
    assert (seen.errors, seen.foreign) == ([], [])


def test_a_no_is_taken_without_scripts_and_can_be_taken_back(visit: Visits, champion: ModelVersion) -> None:
    seen = visit(360, answer="", scripts=False)
    page = seen.page
    seen.go(KITCHEN)
    page.get_by_role("button", name="No, thank you").click()
    expect(page).to_have_url(seen.root + KITCHEN)
    expect(page.get_by_text("Nothing is recorded.")).to_be_visible()
    assert Event.objects.count() == 0
    page.get_by_role("link", name="Privacy choices").click()
    page.get_by_role("button", name="Yes, record my visits").click()
    expect(page.get_by_text("You said yes: your visits are recorded.")).to_be_visible()
    seen.go("/")
    assert Session.objects.get().outcome == Outcome.OPEN


@pytest.mark.parametrize("width", WIDTHS)
def test_the_question_and_its_page_hide_nothing(visit: Visits, width: int) -> None:
    seen = visit(width, answer="")
    seen.go("/product/long-kettle/")
    banner = seen.page.get_by_role("region", name="Your privacy").bounding_box()
    assert banner is not None
    assert banner["height"] < HEIGHTS[width] / 4
    covered = """() => {
        const box = document.querySelector('.consent').getBoundingClientRect();
        const head = document.querySelector('.head').getBoundingClientRect();
        return box.bottom > head.top;
    }"""
    assert seen.page.evaluate(covered) is False
    seen.look("banner-product")
    seen.go("/privacy/")
    seen.look("privacy")


def test_the_offer_reaches_who_is_close_to_an_order(visit: Visits, champion: ModelVersion) -> None:
    """A cheap thing in the basket: whoever is in the top 5% then has it brought for nothing, in basket and order."""
    seen = visit(360, answer="accepted")
    page = seen.page
    Product.objects.filter(pk=9_000_001).update(price=Decimal("19.95"))
    seen.go(KITCHEN)
    page.get_by_role("link", name=LONG_NAME).first.click()
    page.get_by_role("button", name="Add to basket").click()
    page.get_by_role("link", name="View basket").click()
    session = Session.objects.get()
    assert session.band in {"top_5", "top_1"}
    expect(page.get_by_role("complementary", name="For you")).to_contain_text("Free delivery on this order.")
    expect(page.locator(".bar strong")).to_have_text("€19.95")
    seen.look("live-offer")
    seen.go("/product/long-kettle/")
    expect(page.get_by_text("delivered free")).to_be_visible()
    seen.look("live-offer-product")
    seen.go("/checkout/address/")
    give_address(page)
    page.get_by_role("button", name="Go on to payment").click()
    page.get_by_label("Invoice, 14 days").check()
    page.get_by_role("button", name="Go on to review").click()
    page.get_by_role("button", name="Place the order").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, Ada Example")
    assert str(ShopOrder.objects.get().total) == "19.95"
    seen.go("/")
    expect(page.get_by_role("complementary", name="For you")).to_have_count(0)


def test_pictures_of_the_documentation(visit: Visits, champion: ModelVersion, desk: User) -> None:
    """The screens that the documentation shows. With PICTURES naming a folder they go there, to be looked at."""
    seen = visit(1440, answer="accepted")
    page = seen.page
    sign_in(seen, "desk")
    seen.go(KITCHEN)
    page.locator(".card").nth(1).click()
    picture(page, "product")
    page.get_by_role("button", name="Add to basket").click()
    seen.go("/basket/")
    picture(page, "basket")
    page.get_by_role("link", name="Session in the admin").click()
    picture(page, "session")
    seen.go(reverse("admin:purchase_intent_session_changelist"))
    picture(page, "sessions")
    phone = visit(360, answer="accepted")
    phone.go("/")
    picture(phone.page, "phone")
    folder = Path(os.environ.get("PICTURES") or SCREENSHOTS / "pictures")
    assert {path.name for path in folder.glob("*.png")} >= {
        f"{name}.png" for name in ("product", "basket", "session", "sessions", "phone")
    }


def picture(page: Page, name: str) -> None:
    """Keep the first screen, at one pixel a pixel."""
    folder = Path(os.environ.get("PICTURES") or SCREENSHOTS / "pictures")
    folder.mkdir(parents=True, exist_ok=True)
    page.evaluate(ALL_PICTURES)
    page.screenshot(path=str(folder / f"{name}.png"), scale="css")
