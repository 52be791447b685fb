"""Simulated shoppers in the running shop: what they did is in its tables, and in the figures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.contrib.auth.models import User
from django.db.models import Sum

from demo_shop.models import CartLine, Order, Product
from demo_shop.simulator import Plan, build_catalogue
from demo_shop.walking import Crowd, Refusal, ShopGone, Shopper, Step, Visit, visits, walk
from purchase_intent.events.names import EventName, Page
from purchase_intent.models import Session
from tests.integration.walking.conftest import Notes

CATALOGUE = build_catalogue()
MUG = 3
"""A product that the demo has plenty of."""

BROWSE = [(EventName.PAGE_VIEW, Page.HOME), (EventName.VIEW, Page.PRODUCT)]
FILL = [*BROWSE, (EventName.CART, Page.PRODUCT)]
CHECK_OUT = [
    *FILL,
    (EventName.VIEW_CART, Page.BASKET),
    (EventName.CHECKOUT, Page.CHECKOUT),
    (EventName.PAYMENT_INFO, Page.PAYMENT),
    (EventName.CHECKOUT, Page.REVIEW),
    (EventName.PURCHASE, Page.CONFIRMATION),
]
OF_PRODUCTS = {EventName.VIEW, EventName.CART, EventName.REMOVE_FROM_CART}


def a_visit(*steps: tuple[EventName, Page], visitor: int = 1, number: int = 0, **fields: object) -> Visit:
    """A visit of these steps, a second apart."""
    taken = tuple(
        Step(at=1000 * place, kind=kind, page=page, product=MUG if kind in OF_PRODUCTS else -1, quantity=2)
        for place, (kind, page) in enumerate(steps)
    )
    plain: dict[str, object] = {
        "device": "desktop",
        "channel": "Direct",
        "country": "France",
        "known": False,
        "signs_out": False,
        "bot": False,
    }
    return Visit(visitor=visitor, number=number, steps=taken, **plain | fields)  # type: ignore[arg-type]


@pytest.fixture
def go(shop: str) -> Callable[..., Crowd]:
    """Return a function that walks visits without pauses and gives back the crowd."""
    crowd = Crowd(shop)

    def _go(*found: Visit) -> Crowd:
        walk(crowd, found, speed=0)
        return crowd

    return _go


def test_a_stranger_buys(go: Callable[..., Crowd]) -> None:
    before = Product.objects.get(pk=CATALOGUE.products[MUG].product_id).stock
    tally = go(a_visit(*CHECK_OUT)).tally
    assert (tally.sessions, tally.orders, tally.added, dict(tally.refusals)) == (1, 1, 1, {})
    order = Order.objects.get()
    assert (order.country, order.city, order.user) == ("FR", "Paris", None)
    bought = order.lines.get()
    assert bought.product_id == CATALOGUE.products[MUG].product_id
    assert before - Product.objects.get(pk=bought.product_id).stock == bought.quantity
    assert not CartLine.objects.exists()


def test_the_shop_records_who_came_how_after_they_agreed(go: Callable[..., Crowd]) -> None:
    crowd = go(
        a_visit(*BROWSE, channel="Email", device="mobile"),
        a_visit(*BROWSE, visitor=2, channel="Paid Search", device="tablet"),
        a_visit(*BROWSE, visitor=3, bot=True),
    )
    assert crowd.tally.consents == 2
    found = Session.objects.order_by("device").values_list("device", "channel", "landing", "events__name")
    views = (EventName.PAGE_VIEW.value, EventName.SELECT_ITEM.value, EventName.VIEW.value)
    assert sorted(found) == sorted(
        (device, channel, Page.HOME.value, name)
        for device, channel in (("mobile", "Email"), ("tablet", "Paid Search"))
        for name in views
    )


def test_a_customer_comes_back_on_another_device_and_finds_the_basket(go: Callable[..., Crowd]) -> None:
    login = (EventName.LOGIN, Page.SIGN_IN)
    first = a_visit(*FILL, (EventName.SIGN_UP, Page.REGISTER), login)
    second = a_visit(*BROWSE, login, *CHECK_OUT[3:], number=1, device="mobile", signs_out=True)
    third = a_visit((EventName.PAGE_VIEW, Page.HOME), (EventName.PAGE_VIEW, Page.ACCOUNT), number=2, known=True)
    crowd = go(first, second, third)
    tally = crowd.tally
    assert (tally.accounts, tally.sign_ins, tally.sign_outs, tally.orders) == (1, 1, 1, 1)
    assert dict(tally.refusals) == {}
    assert Order.objects.get().user == User.objects.get()
    assert {device: each.signed_in for (_, device), each in crowd.devices.items()} == {"desktop": True, "mobile": False}


def test_who_was_known_before_signs_in_on_arrival(go: Callable[..., Crowd]) -> None:
    tally = go(a_visit(*BROWSE, known=True)).tally
    assert (tally.accounts, User.objects.count()) == (1, 1)


def test_an_account_of_an_earlier_walk_is_signed_in_to(shop: str) -> None:
    joins = a_visit((EventName.PAGE_VIEW, Page.HOME), (EventName.SIGN_UP, Page.REGISTER))
    for accounts, sign_ins in ((1, 0), (0, 1)):
        tally = walk(Crowd(shop), [joins], speed=0)
        assert (tally.accounts, tally.sign_ins, dict(tally.refusals)) == (accounts, sign_ins, {})
    assert User.objects.count() == 1


def test_what_was_put_in_is_taken_out(go: Callable[..., Crowd]) -> None:
    found = [
        a_visit(*FILL, (EventName.REMOVE_FROM_CART, Page.BASKET), visitor=visitor) for visitor in range(1, 9)
    ]  # by either of two ways
    tally = go(*found).tally
    assert (tally.added, dict(tally.refusals)) == (8, {})
    assert not CartLine.objects.exists()


@pytest.mark.parametrize(
    ("steps", "stock", "refused"),
    [
        pytest.param(FILL, 0, {Refusal.SOLD_OUT: 1}, id="sold out"),
        pytest.param(FILL, 1, {Refusal.NOT_ADDED: 1}, id="fewer than wanted"),
        pytest.param(CHECK_OUT[4:5], 9, {Refusal.NO_CHECKOUT: 1}, id="a checkout of nothing"),
        pytest.param(CHECK_OUT[5:6], 9, {Refusal.BACK_A_STEP: 1}, id="payment of nothing"),
        pytest.param(CHECK_OUT[6:7], 9, {Refusal.BACK_A_STEP: 1}, id="review of nothing"),
        pytest.param(CHECK_OUT[7:8], 9, {Refusal.NOT_PLACED: 1}, id="an order of nothing"),
        pytest.param(
            [(EventName.REMOVE_FROM_CART, Page.BASKET)], 9, {Refusal.NOT_IN_BASKET: 1}, id="never in the basket"
        ),
    ],
)
def test_what_the_shop_refuses_is_counted_and_the_shopper_goes_on(
    go: Callable[..., Crowd], steps: list[tuple[EventName, Page]], stock: int, refused: dict[Refusal, int]
) -> None:
    Product.objects.update(stock=stock)
    tally = go(a_visit((EventName.PAGE_VIEW, Page.HOME), *steps, (EventName.PAGE_VIEW, Page.HOME))).tally
    assert (dict(tally.refusals), tally.sessions) == (refused, 1)
    assert not Order.objects.exists()
    assert not CartLine.objects.exists()


def test_a_product_off_sale_is_a_page_not_found(go: Callable[..., Crowd]) -> None:
    Product.objects.update(on_sale=False)
    assert dict(go(a_visit(*FILL)).tally.refusals) == {Refusal.MISSING: 1}


def test_many_walk_at_once_and_the_figures_are_the_shops(shop: str) -> None:
    found = visits(Plan(start=date(2026, 3, 2), days=7, seed=3), 700)
    wanted = {
        visit.visitor
        for visit in found
        for step in visit.steps
        if step.kind in {EventName.LOGIN, EventName.PURCHASE, EventName.REMOVE_FROM_CART}
    }
    chosen = [visit for visit in found if visit.visitor in wanted]
    crowd = Crowd(shop, seed=3)
    heard: list[int] = []
    tally = walk(crowd, chosen, speed=0, progress=lambda: heard.append(1))
    assert tally.sessions == len(heard) == len(chosen) > 20
    assert tally.orders == Order.objects.count() > 0
    assert tally.accounts == User.objects.count() > 0
    assert Refusal.FAULT not in tally.refusals
    units = CartLine.objects.aggregate(all=Sum("quantity"))["all"] or 0
    assert units > 0


def test_each_arrives_as_their_channel_and_device_would(notes: Notes) -> None:
    notes.answer = lambda path: (200, {"Set-Cookie": "seen=1"}, "")
    crowd = Crowd(notes.root)
    for visit in (
        a_visit(BROWSE[0], channel="Email", device="tablet"),
        a_visit(BROWSE[1], channel="Paid Search", device="mobile", number=1),
        a_visit(BROWSE[0], number=2, device="tablet"),
        a_visit(BROWSE[0], visitor=2, bot=True),
    ):
        list(Shopper(visit, crowd).walk())
    mail, paid, again, bot = notes.asked
    assert mail.path == "/?utm_source=newsletter&utm_medium=email&utm_campaign=weekly"
    assert paid.path.startswith("/product/")
    assert paid.path.endswith("/?utm_source=google&utm_medium=cpc&utm_campaign=season")
    assert (mail.headers.get("Referer"), paid.headers["Referer"]) == (None, "https://www.google.com/")
    agents = [asked.headers["User-Agent"] for asked in notes.asked]
    assert [next(word for word in ("iPad", "iPhone", "Scrapy") if word in agent) for agent in agents] == [
        *("iPad", "iPhone", "iPad", "Scrapy")
    ]
    assert [asked.headers.get("Cookie") for asked in notes.asked] == [None, None, "seen=1", None]
    assert again.path == "/"
    assert bot.headers["User-Agent"] != again.headers["User-Agent"]


BANNER = """<form method="post" action="/consent/"><input type="hidden" name="next" value="/">
<button name="answer" value="declined">No, thanks</button><button name="answer" value="accepted">Yes</button></form>
<form method="post" action="/elsewhere/"><button>Yes, add it</button></form>"""


def test_people_agree_where_the_shop_asks_and_bots_press_nothing(notes: Notes) -> None:
    def answer(path: str) -> tuple[int, dict[str, str], str]:
        return (
            (302, {"Location": "/"}, "") if path == "/consent/" else (200, {}, "" if len(notes.asked) > 1 else BANNER)
        )

    notes.answer = answer
    crowd = Crowd(notes.root)
    list(Shopper(a_visit(BROWSE[0]), crowd).walk())
    assert [(asked.method, asked.path, asked.body) for asked in notes.asked] == [
        ("GET", "/", ""),
        ("POST", "/consent/", "next=%2F&answer=accepted"),
        ("GET", "/", ""),
    ]
    notes.asked.clear()
    list(Shopper(a_visit(BROWSE[0], visitor=2, bot=True), crowd).walk())
    assert [(asked.method, asked.path) for asked in notes.asked] == [("GET", "/")]
    assert crowd.tally.consents == 1


def test_a_shop_that_goes_away_ends_the_walk(notes: Notes) -> None:
    notes.answer = lambda path: (302, {"Location": "https://elsewhere.example/"}, "")
    found = [a_visit(*BROWSE, visitor=visitor) for visitor in range(50)]
    heard: list[int] = []
    with pytest.raises(ShopGone, match="a walk stays in one shop"):
        walk(Crowd(notes.root), found, speed=0, progress=lambda: heard.append(1))
    assert not heard
    assert len(notes.asked) < 50
