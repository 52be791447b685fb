"""What shoppers do is recorded as the simulated log spells it."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from django.contrib.auth.models import User
from django.test import Client

from demo_shop.intent import TidewellShop
from demo_shop.models import Order as ShopOrder
from demo_shop.models import Product
from purchase_intent.events import EventName, Page
from purchase_intent.models import Event, Order, Session, Visitor
from tests.integration.storefront.conftest import ADDRESS, KITCHEN
from tests.integration.storefront.looks import Add, Reviewed, Stock

LOG = Path(__file__).resolve().parents[3] / "fixtures" / "log.parquet"
FIELDS = ("product", "category", "brand", "price", "quantity", "order", "revenue", "search")
COLUMNS = ("product_id", "category_code", "brand", "price", "quantity", "order_id", "revenue", "search_term")

Told = tuple[str, str]


@pytest.fixture
def shopper(client: Client, db: None) -> Client:
    """Return a client who has agreed to being recorded, on a desktop."""
    client.cookies["privacy"] = "accepted"
    client.defaults["HTTP_USER_AGENT"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    return client


def events() -> list[Event]:
    return list(Event.objects.in_order())


def told(those: list[Event] | None = None) -> list[Told]:
    """Event and page of each, in order."""
    return [(EventName(each.name).label, Page(each.page).label) for each in (events() if those is None else those)]


def said(client: Client, act: Callable[[], object]) -> list[Told]:
    """What an act is told as."""
    before = len(events())
    act()
    return told(events()[before:])


def test_a_way_to_an_order_is_told_step_by_step(shopper: Client, kettle: Product, stock: Stock, add: Add) -> None:
    pan = stock("Cast Pan", price="35.50")
    list_page = {"referer": f"http://testserver{KITCHEN}"}
    assert said(shopper, lambda: shopper.get("/")) == [("page_view", "home")]
    assert said(shopper, lambda: shopper.get(KITCHEN)) == [("page_view", "listing")]
    assert events()[-1].category == "home/kitchen"
    opened = said(shopper, lambda: shopper.get(kettle.get_absolute_url(), headers=list_page))
    assert opened == [("select_item", "listing"), ("view", "product")]
    assert said(shopper, lambda: shopper.get(pan.get_absolute_url())) == [("view", "product")]
    assert said(shopper, lambda: shopper.get("/search/?q=tin+kettle")) == [("search", "search")]
    assert events()[-1].search == "tin kettle"
    assert said(shopper, lambda: add(kettle, 2)) == [("cart", "product")]
    assert said(shopper, lambda: add(pan)) == [("cart", "product")]
    assert said(shopper, lambda: shopper.get("/basket/")) == [("view_cart", "basket")]
    change = f"/basket/{kettle.pk}/change/"
    assert said(shopper, lambda: shopper.post(change, {"quantity": "1"})) == [("remove_from_cart", "basket")]
    removed = events()[-1]
    assert (removed.product, removed.price, removed.quantity) == (str(kettle.pk), 20.0, 1)
    assert said(shopper, lambda: shopper.get("/checkout/address/")) == [("checkout", "checkout")]
    assert said(shopper, lambda: shopper.post("/checkout/address/", ADDRESS)) == []
    assert said(shopper, lambda: shopper.get("/checkout/payment/")) == [("payment_info", "payment")]
    assert said(shopper, lambda: shopper.post("/checkout/payment/", {"payment": "invoice"})) == []
    shown = shopper.get("/checkout/review/").context
    assert told()[-1] == ("checkout", "review")
    form = {"attempt": str(shown["checkout"].attempt), "seen": shown["seen"]}
    bought = [("purchase", "confirmation"), ("purchase", "confirmation")]
    assert said(shopper, lambda: shopper.post("/checkout/review/", form)) == bought
    assert said(shopper, lambda: shopper.post("/checkout/review/", form)) == []
    thanks = f"/checkout/thank-you/{ShopOrder.objects.get().number}/"
    assert said(shopper, lambda: shopper.get(thanks)) == []  # the log has no such page view
    assert (Session.objects.count(), Visitor.objects.get().bot) == (1, "")


def test_the_lines_of_an_order_are_one_moment_with_the_sum_of_the_goods(
    shopper: Client, kettle: Product, stock: Stock, add: Add, reviewed: Reviewed
) -> None:
    add(kettle, 2)
    add(stock("Tea Towel", brand="", price="3.25"))
    shopper.post("/checkout/review/", reviewed())
    placed = ShopOrder.objects.get()
    lines = [each for each in events() if each.name == EventName.PURCHASE]
    assert len({each.occurred_at for each in lines}) == 1
    facts = [(e.product, e.category, e.brand, e.price, e.quantity, e.order, e.revenue) for e in lines]
    assert facts == [
        (str(kettle.pk), "home/kitchen", "Kilnwerk", 20.0, 2, placed.number, 43.25),
        ("2", "home/kitchen", "", 3.25, 1, placed.number, 43.25),
    ]
    order = Order.objects.get()
    assert (order.number, str(order.revenue), order.currency, order.session) == (
        placed.number, "43.2500", "EUR", Session.objects.get(),
    )  # fmt: skip


def test_every_act_is_spelled_as_in_the_log(
    shopper: Client, kettle: Product, add: Add, ada: User, reviewed: Reviewed
) -> None:
    """Each event with its page, and which fields it has, is found in the log that models learn from."""
    shopper.get("/")
    shopper.get(KITCHEN)
    shopper.get(kettle.get_absolute_url(), headers={"referer": "http://testserver/"})
    shopper.get("/search/?q=kettle")
    add(kettle)
    shopper.get("/basket/")
    shopper.post(f"/basket/{kettle.pk}/remove/")
    add(kettle)
    shopper.get("/information/delivery/")
    shopper.post("/sign-in/", {"username": ada.username, "password": "a long enough secret"})
    shopper.get("/account/")
    shopper.post("/checkout/review/", reviewed())
    log = pd.read_parquet(LOG)
    log["brand"] = log["brand"].where(log["product_id"].notna())
    known = set(
        zip(log["event_type"], log["page"], *(log[column].notna() for column in COLUMNS), strict=True)
    )  # as (event, page, has a product, has a category, ...)
    ours = {
        (
            EventName(each.name).label,
            Page(each.page).label,
            *(getattr(each, field) not in ("", None) for field in FIELDS),
        )
        for each in events()
    }
    assert len(ours) == 13
    assert ours - known == set()
    assert {each.device for each in events()} <= set(log["device"])
    assert {each.channel for each in events()} <= set(log["channel"])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("cookie", "headers"),
    [
        pytest.param("", {}, id="no answer"),
        pytest.param("declined", {}, id="declined"),
        pytest.param("accepted", {"sec-gpc": "1"}, id="the browser objects"),
        pytest.param("accepted", {"dnt": "1"}, id="the browser objects, in the older way"),
    ],
)
def test_without_leave_nothing_is_recorded(
    client: Client, kettle: Product, cookie: str, headers: dict[str, str]
) -> None:
    if cookie:
        client.cookies["privacy"] = cookie
    for path in ("/", KITCHEN, kettle.get_absolute_url(), "/basket/"):
        assert client.get(path, headers=headers).status_code == 200
    client.post(kettle.get_absolute_url(), {"quantity": "1"}, headers=headers)
    assert [model.objects.count() for model in (Visitor, Session, Event)] == [0, 0, 0]
    assert "intent" not in client.cookies


def test_a_product_shown_again_after_an_act_is_no_second_look(shopper: Client, kettle: Product) -> None:
    path = kettle.get_absolute_url()
    again = {"referer": f"http://testserver{path}"}
    assert said(shopper, lambda: shopper.get(path, headers=again)) == []


def test_a_product_opened_from_elsewhere_was_not_chosen_from_our_list(shopper: Client, kettle: Product) -> None:
    path = kettle.get_absolute_url()
    for came_from in ("https://elsewhere.example/shop/", "http://testserver/basket/", "http://testserver/no/such/", ""):
        headers = {"referer": came_from}
        assert said(shopper, lambda: shopper.get(path, headers=headers)) == [("view", "product")], came_from  # noqa: B023


def test_an_account_made_in_the_shop_is_a_sign_up_and_a_login(shopper: Client) -> None:
    form = {"first_name": "Bo", "email": "bo@example.com", "password1": "a long one 77", "password2": "a long one 77"}
    assert said(shopper, lambda: shopper.post("/register/", form)) == [("sign_up", "register"), ("login", "register")]
    visitor = Visitor.objects.get()
    assert (visitor.known, visitor.customer) == (True, str(User.objects.get().pk))


SEARCHED = "https://www.google.com/search?q=kettles"


def agree(client: Client, path: str, came_from: str) -> None:
    """Open a page, say yes to the question on it, and follow to where that leads, as a browser does."""
    page = client.get(path, headers={"referer": came_from})
    asked = re.search(r'name="referrer" value="([^"]*)"', page.content.decode())
    assert asked is not None
    form = {"answer": "accepted", "next": path, "referrer": html.unescape(asked[1])}
    here = {"referer": f"http://testserver{path}"}
    answered = client.post("/privacy/", form, headers=here)
    client.get(answered.headers["Location"], headers=here)


def test_the_question_between_does_not_hide_what_led_here(client: Client, kettle: Product) -> None:
    agree(client, "/?a=1&b=2", SEARCHED)
    assert told() == [("page_view", "home")]
    assert Session.objects.get().channel == "Organic Search"
    assert "google" not in "".join(f"{each.__dict__}" for each in events())


def test_who_agrees_on_a_later_page_came_by_an_unknown_way(client: Client, kettle: Product) -> None:
    client.get(KITCHEN, headers={"referer": SEARCHED})
    agree(client, kettle.get_absolute_url(), f"http://testserver{KITCHEN}")
    assert Session.objects.get().channel == ""


@pytest.mark.parametrize(
    ("came_from", "expected"),
    [
        pytest.param(SEARCHED, [("view", "product")], id="from elsewhere"),
        pytest.param("", [("view", "product")], id="from nowhere"),
        pytest.param(
            f"http://testserver{KITCHEN}", [("select_item", "listing"), ("view", "product")], id="from a list"
        ),
    ],
)
def test_a_product_on_which_one_agrees_is_viewed(
    client: Client, kettle: Product, came_from: str, expected: list[Told]
) -> None:
    agree(client, kettle.get_absolute_url(), came_from)
    assert told() == expected


def test_the_desk_is_told_the_catalogues_names(kettle: Product) -> None:
    asked = {str(kettle.pk), "4711", "no number", "9" * 30}
    assert TidewellShop().product_names(asked) == {str(kettle.pk): kettle.name}


def test_what_led_to_one_page_is_not_taken_for_another(client: Client, kettle: Product) -> None:
    client.post("/privacy/", {"answer": "accepted", "next": "/shop/", "referrer": SEARCHED})
    client.get(kettle.get_absolute_url())
    assert Session.objects.get().channel == "Direct"


@pytest.mark.django_db
def test_what_led_to_a_page_is_forgotten_in_a_minute(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.post("/privacy/", {"answer": "accepted", "next": "/", "referrer": SEARCHED})
    later = time.time() + 61
    monkeypatch.setattr("demo_shop.consent.time.time", lambda: later)
    client.get("/")
    assert Session.objects.get().channel == "Direct"


@pytest.mark.django_db
def test_who_declines_has_nothing_kept_of_where_they_came_from(client: Client) -> None:
    client.post("/privacy/", {"answer": "declined", "next": "/", "referrer": SEARCHED})
    assert "came_from" not in client.session
