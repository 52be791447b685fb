"""What is said of basket, checkout and signing in, of real visits."""

from __future__ import annotations

import pytest

from purchase_intent.events.names import EventName, Page
from tests.unit.features.streams import Shop
from tests.unit.scoring.telling import DAY, Story, said

CART, REMOVE, LOOK, VIEW = EventName.CART, EventName.REMOVE_FROM_CART, EventName.PAGE_VIEW, EventName.VIEW
Step = tuple[float, EventName, Page, float, int]


def visit(*steps: tuple[float, EventName, Page] | Step) -> Story:
    """Steps of one visit: second, act, page and, of a product, price and quantity."""

    def story(shop: Shop) -> None:
        for at, kind, page, *rest in steps:
            values = {"product": 7, "price": rest[0], "quantity": rest[1]} if rest else {}
            shop.send("v", "now", kind, at, page=page, **values)

    return story


ARRIVED = (0.0, LOOK, Page.HOME)
FILLED = (60.0, CART, Page.PRODUCT, 25.0, 1)
UNPRICED = (60.0, CART, Page.PRODUCT, 0.0, 3)
EMPTIED = (90.0, REMOVE, Page.BASKET, 25.0, 1)
BASKET = (120.0, EventName.VIEW_CART, Page.BASKET)
ADDRESS = (180.0, EventName.CHECKOUT, Page.CHECKOUT, 25.0, 2)
PAYMENT = (240.0, EventName.PAYMENT_INFO, Page.PAYMENT, 25.0, 2)
REVIEW = (300.0, EventName.CHECKOUT, Page.REVIEW, 25.0, 2)
ORDER = (360.0, EventName.PURCHASE, Page.CONFIRMATION, 25.0, 1)

NOTHING_YET = "Has put nothing into the basket yet"
ALL_OF_THE_BASKET = (
    *("carts", "cart_units", "cart_value", "cart_max_price", "since_first_cart", "since_last_cart"),
    "start_to_cart",
)


@pytest.mark.parametrize("feature", ALL_OF_THE_BASKET)
@pytest.mark.parametrize(
    ("story", "text"),
    [
        pytest.param(visit(ARRIVED), NOTHING_YET, id="never filled"),
        pytest.param(visit(ARRIVED, FILLED, EMPTIED), "Has emptied the basket again", id="emptied"),
        pytest.param(visit(ARRIVED, FILLED, ORDER), "The basket is empty again after the order", id="ordered"),
    ],
)
def test_of_an_empty_basket_all_say_why_it_is_empty(story: Story, feature: str, text: str) -> None:
    assert said(story, feature, up=False) == text


@pytest.mark.parametrize(
    ("story", "feature", "text"),
    [
        pytest.param(visit(ARRIVED, FILLED), "carts", "Has one thing in the basket", id="one thing"),
        pytest.param(visit(ARRIVED, UNPRICED), "cart_units", "Has three things in the basket", id="three things"),
        pytest.param(visit(ARRIVED, FILLED), "cart_value", "Has things worth about 25 EUR in the basket", id="worth"),
        pytest.param(visit(ARRIVED, UNPRICED), "cart_value", "Has three things in the basket", id="worth unknown"),
        pytest.param(
            visit(ARRIVED, FILLED),
            "cart_max_price",
            "The dearest product put into the basket costs about 25 EUR",
            id="dearest",
        ),
        pytest.param(
            visit(ARRIVED, UNPRICED), "cart_max_price", "Has three things in the basket", id="dearest unknown"
        ),
        pytest.param(
            visit(ARRIVED, FILLED, BASKET),
            "since_first_cart",
            "First put something into the basket a minute ago",
            id="first filled",
        ),
        pytest.param(
            visit(ARRIVED, FILLED, BASKET), "since_last_cart", "Put something into the basket a minute ago", id="filled"
        ),
        pytest.param(
            visit(ARRIVED, FILLED),
            "start_to_cart",
            "Put something into the basket a minute after arriving",
            id="soon",
        ),
        pytest.param(visit(ARRIVED, FILLED), "removals", "Has taken nothing out of the basket", id="nothing out"),
        pytest.param(visit(ARRIVED), "removals", NOTHING_YET, id="nothing in, nothing out"),
        pytest.param(
            visit(ARRIVED, FILLED, EMPTIED), "removals", "Took something out of the basket once", id="taken out"
        ),
        pytest.param(visit(ARRIVED), "basket_visits", "Has not looked into the basket yet", id="never looked"),
        pytest.param(visit(ARRIVED, BASKET), "basket_visits", "Has looked into the basket once", id="looked once"),
        pytest.param(visit(ARRIVED, BASKET), "basket_share", "Has looked into the basket once", id="share"),
        pytest.param(
            visit(ARRIVED, BASKET, (150.0, LOOK, Page.HOME), (240.0, *BASKET[1:])),
            "basket_visits",
            "Came back to the basket once in two minutes",
            id="looked again",
        ),
        pytest.param(
            visit(ARRIVED, BASKET, ADDRESS), "since_last_basket", "Last looked into the basket a minute ago", id="last"
        ),
        pytest.param(
            visit(ARRIVED, BASKET, ADDRESS),
            "since_first_basket",
            "First looked into the basket a minute ago",
            id="first",
        ),
        pytest.param(
            visit(ARRIVED, BASKET, ADDRESS), "basket_dwell", "Has spent a minute on the basket page", id="stayed"
        ),
        pytest.param(visit(ARRIVED, BASKET), "basket_dwell", "Has looked into the basket once", id="not stayed"),
        pytest.param(visit(ARRIVED), "stage", "Has only browsed so far", id="browsed"),
        pytest.param(visit((0.0, VIEW, Page.PRODUCT)), "stage", "Has come no further than products", id="products"),
        pytest.param(
            visit(ARRIVED, FILLED), "stage", "Has come as far as the basket, not to the checkout", id="basket"
        ),
        pytest.param(
            visit(ARRIVED, ADDRESS), "checkout_step", "Has come to the address page of the checkout", id="address"
        ),
        pytest.param(visit(ARRIVED, PAYMENT), "stage", "Has come to the payment", id="payment"),
        pytest.param(
            visit(ARRIVED, REVIEW), "checkout_step", "Has come to the last page before ordering", id="last page"
        ),
        pytest.param(
            visit(ARRIVED, (9.0, EventName.CHECKOUT, Page.OTHER)), "stage", "Has begun the checkout", id="some page"
        ),
        pytest.param(visit(ARRIVED, ORDER), "stage", "Has placed an order on this visit", id="ordered"),
        pytest.param(
            visit(ARRIVED, ADDRESS, PAYMENT),
            "since_last_checkout",
            "Was last in the checkout a few seconds ago",
            id="now",
        ),
        pytest.param(visit(ARRIVED), "since_last_checkout", "Has only browsed so far", id="never in the checkout"),
        pytest.param(
            visit(ARRIVED, ADDRESS),
            "checkout_value",
            "Went to the checkout with an order worth about 50 EUR",
            id="value",
        ),
        pytest.param(
            visit(ARRIVED, (9.0, EventName.CHECKOUT, Page.CHECKOUT)),
            "checkout_value",
            "Has come to the address page of the checkout",
            id="value unknown",
        ),
        pytest.param(
            visit(ARRIVED, ADDRESS, PAYMENT, REVIEW),
            "checkout_dwell",
            "Has spent two minutes in the checkout",
            id="long in the checkout",
        ),
        pytest.param(
            visit(ARRIVED, ADDRESS),
            "checkout_dwell",
            "Has come to the address page of the checkout",
            id="just in the checkout",
        ),
        pytest.param(visit(ARRIVED, REVIEW), "review_visits", "Looked over the finished order once", id="review"),
        pytest.param(visit(ARRIVED, PAYMENT), "review_visits", "Has come to the payment", id="no review"),
        pytest.param(visit(ARRIVED), "purchases", "Has not ordered on this visit", id="no order"),
        pytest.param(visit(ARRIVED, ORDER), "purchases", "Has ordered once on this visit", id="an order"),
    ],
)
def test_on_the_way_to_an_order(story: Story, feature: str, text: str) -> None:
    assert said(story, feature) == text


def signed_in_before(shop: Shop) -> None:
    shop.send("v", "before", EventName.LOGIN, 0, page=Page.SIGN_IN)
    shop.send("v", "now", LOOK, DAY, page=Page.HOME)


@pytest.mark.parametrize("feature", ["signed_in", "since_sign_in", "sign_in_visits", "sign_in_dwell"])
@pytest.mark.parametrize(
    ("story", "text"),
    [
        pytest.param(visit(ARRIVED), "Has not signed in", id="never"),
        pytest.param(visit((0.0, LOOK, Page.SIGN_IN)), "Went to sign in, but has not done so", id="gave up"),
        pytest.param(visit((0.0, EventName.LOGIN, Page.SIGN_IN)), "Has signed in on this visit", id="now"),
        pytest.param(signed_in_before, "Has signed in here before", id="before"),
    ],
)
def test_whether_somebody_has_signed_in(story: Story, feature: str, text: str) -> None:
    assert said(story, feature) == text


def test_signing_in_takes_time() -> None:
    story = visit((0.0, LOOK, Page.SIGN_IN), (40.0, LOOK, Page.REGISTER), (80.0, LOOK, Page.HOME))
    assert said(story, "sign_in_dwell") == "Has spent a minute and a half signing in or registering"
