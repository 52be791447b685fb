"""What is said of earlier visits, of real ones."""

from __future__ import annotations

import pytest

from purchase_intent.events.names import EventName, Page
from purchase_intent.features.live import read_vector
from purchase_intent.features.state import Past, State
from purchase_intent.scoring.words import reasons_of
from tests.unit.features.streams import NOON, Shop
from tests.unit.scoring.telling import DAY, Story, only, said

VIEW, CART, PURCHASE, LOOK = EventName.VIEW, EventName.CART, EventName.PURCHASE, EventName.PAGE_VIEW
BUY = ((0.0, VIEW), (60.0, CART), (120.0, PURCHASE))
FILL = ((0.0, VIEW), (60.0, CART))
PAGES = {VIEW: Page.PRODUCT, CART: Page.PRODUCT, PURCHASE: Page.CONFIRMATION, EventName.VIEW_CART: Page.BASKET}
PAGES[EventName.CHECKOUT] = Page.CHECKOUT


def visits(*made: tuple[tuple[float, EventName], ...], product: int = 7, price: float = 40.0) -> Story:
    """Visits of one visitor, a day apart, and a look at the home page a day after the last."""

    def story(shop: Shop) -> None:
        for day, steps in enumerate(made):
            for at, kind in steps:
                values: dict[str, float] = {}
                if kind in (VIEW, CART, PURCHASE):
                    values = {"product": product, "price": price, "quantity": 1}
                shop.send("v", f"visit {day}", kind, day * DAY + at, page=PAGES.get(kind, Page.HOME), **values)
        shop.send("v", "now", LOOK, len(made) * DAY, page=Page.HOME)

    return story


GLANCE = ((0.0, LOOK),)
STROLL = ((0.0, LOOK), (30.0, VIEW), (400.0, LOOK))
CHECK_OUT = (*FILL, (90.0, EventName.VIEW_CART), (120.0, EventName.CHECKOUT))


def straight_to_the_checkout(shop: Shop) -> None:
    """A visit that went to the checkout with nothing in the basket, and one a day later."""
    shop.send("v", "before", EventName.CHECKOUT, 0, page=Page.CHECKOUT)
    shop.send("v", "now", LOOK, DAY, page=Page.HOME)


@pytest.mark.parametrize(
    ("story", "feature", "text"),
    [
        pytest.param(visits(), "past_purchases", "No earlier visit is known", id="nobody known"),
        pytest.param(visits(GLANCE), "past_purchases", "Has never bought here before", id="no order"),
        pytest.param(visits(BUY), "past_purchases", "Bought here once before, a day ago", id="one order"),
        pytest.param(visits(BUY, BUY), "since_past_purchase", "Bought here twice before, last a day ago", id="two"),
        pytest.param(visits(BUY), "past_conversion", "Bought here once before, a day ago", id="share of one visit"),
        pytest.param(visits(GLANCE, GLANCE), "past_conversion", "Has never bought here before", id="share of none"),
        pytest.param(visits(BUY, BUY), "past_conversion", "Bought on every earlier visit", id="every visit"),
        pytest.param(visits(BUY, BUY, GLANCE), "past_conversion", "Bought on most earlier visits", id="most visits"),
        pytest.param(
            visits(BUY, GLANCE), "past_conversion", "Bought on some of the earlier visits", id="half of the visits"
        ),
        pytest.param(visits(GLANCE), "past_sessions", "Has been here once before", id="visits"),
        pytest.param(visits(*[GLANCE] * 3), "past_events", "Has been here three times before", id="events"),
        pytest.param(visits(GLANCE), "past_products", "Looked at no product on earlier visits", id="no product"),
        pytest.param(visits(STROLL), "past_products", "Looked at one product on earlier visits", id="one product"),
        pytest.param(
            visits(STROLL, STROLL), "past_products", "Looked at two products on earlier visits", id="two products"
        ),
        pytest.param(visits(GLANCE), "since_last_session", "Was last here a day before this visit", id="last visit"),
        pytest.param(visits(GLANCE, GLANCE), "since_first_seen", "First came here two days ago", id="first visit"),
        pytest.param(
            visits(GLANCE), "since_second_session", "Has been here once before", id="no visit before the last"
        ),
        pytest.param(
            visits(GLANCE, GLANCE),
            "since_second_session",
            "The visit before the last was two days ago",
            id="visit before the last",
        ),
        pytest.param(
            visits(*[GLANCE] * 4), "since_fourth_session", "The fourth visit back was four days ago", id="fourth visit"
        ),
        pytest.param(visits(GLANCE), "past_mean_moments", "Took a single step on the last visit", id="one step once"),
        pytest.param(
            visits(GLANCE, GLANCE), "past_mean_moments", "Usually took one step on an earlier visit", id="one step"
        ),
        pytest.param(
            visits(STROLL, STROLL), "past_mean_events", "Usually took three steps on an earlier visit", id="steps"
        ),
        pytest.param(
            visits(GLANCE, GLANCE),
            "past_mean_products",
            "Looked at hardly any products on earlier visits",
            id="hardly any product",
        ),
        pytest.param(
            visits(STROLL, STROLL),
            "past_mean_products",
            "Usually looked at one product on an earlier visit",
            id="a product a visit",
        ),
        pytest.param(
            visits(STROLL), "past_mean_products", "Looked at one product on earlier visits", id="no habit of products"
        ),
        pytest.param(
            visits(GLANCE, GLANCE),
            "past_mean_duration",
            "Usually left almost at once on earlier visits",
            id="left at once",
        ),
        pytest.param(
            visits(STROLL, STROLL),
            "past_mean_duration",
            "Usually stayed for seven minutes on earlier visits",
            id="stayed",
        ),
        pytest.param(visits(GLANCE), "past_last_duration", "Left almost at once on the last visit", id="a glance"),
        pytest.param(visits(STROLL), "past_last_duration", "Stayed for seven minutes on the last visit", id="a stroll"),
        pytest.param(visits(STROLL), "past_last_moments", "Took three steps on the last visit", id="last steps"),
        pytest.param(visits(GLANCE), "past_last_stage", "Only browsed on the last visit", id="last: browsing"),
        pytest.param(
            visits(STROLL), "past_last_stage", "Looked at products on the last visit, no further", id="last: product"
        ),
        pytest.param(visits(FILL), "past_last_stage", "Came as far as the basket on the last visit", id="last: basket"),
        pytest.param(
            visits(CHECK_OUT), "past_last_stage", "Came as far as the checkout on the last visit", id="last: checkout"
        ),
        pytest.param(visits(BUY), "past_last_stage", "Bought on the last visit", id="last: order"),
        pytest.param(visits(GLANCE), "past_best_stage", "Has only browsed before", id="best: browsing"),
        pytest.param(visits(STROLL), "past_best_stage", "Has come no further than products before", id="best: product"),
        pytest.param(
            visits(FILL, GLANCE), "past_best_stage", "Has come as far as the basket before", id="best: basket"
        ),
        pytest.param(
            visits(CHECK_OUT, GLANCE), "past_best_stage", "Has come as far as the checkout before", id="best: checkout"
        ),
        pytest.param(visits(BUY, GLANCE), "past_best_stage", "Has placed an order before", id="best: order"),
        pytest.param(
            visits(GLANCE), "past_cart_sessions", "Never put anything into the basket before", id="never filled"
        ),
        pytest.param(
            visits(FILL), "past_cart_sessions", "Put something into the basket on one earlier visit", id="filled once"
        ),
        pytest.param(
            visits(FILL, BUY),
            "past_cart_sessions",
            "Put something into the basket on two earlier visits",
            id="filled twice",
        ),
        pytest.param(visits(FILL), "past_basket_sessions", "Never looked into the basket before", id="never looked"),
        pytest.param(
            visits(CHECK_OUT), "past_basket_sessions", "Looked into the basket on one earlier visit", id="looked once"
        ),
        pytest.param(
            visits(CHECK_OUT, CHECK_OUT),
            "past_basket_sessions",
            "Looked into the basket on two earlier visits",
            id="looked twice",
        ),
        pytest.param(visits(FILL), "past_checkout_sessions", "Never began a checkout before", id="no checkout"),
        pytest.param(
            visits(CHECK_OUT), "past_checkout_sessions", "Began a checkout on one earlier visit", id="one checkout"
        ),
        pytest.param(
            visits(CHECK_OUT, CHECK_OUT),
            "past_checkout_sessions",
            "Began a checkout on two earlier visits",
            id="two checkouts",
        ),
        pytest.param(visits(BUY), "past_left", "Left no basket or checkout behind before", id="nothing left"),
        pytest.param(visits(BUY), "since_left", "Left no basket or checkout behind before", id="never left"),
        pytest.param(visits(BUY), "past_left_units", "Left no basket or checkout behind before", id="no units left"),
        pytest.param(visits(BUY), "past_left_value", "Left no basket or checkout behind before", id="no value left"),
        pytest.param(visits(FILL), "past_left", "Left a basket or checkout behind once before", id="left once"),
        pytest.param(visits(FILL), "since_left", "Left a basket or checkout behind a day ago", id="left when"),
        pytest.param(
            visits(FILL), "past_left_units", "Left one thing in the basket on an earlier visit", id="one unit left"
        ),
        pytest.param(
            visits((*FILL, (80.0, CART))),
            "past_left_units",
            "Left two things in the basket on an earlier visit",
            id="two units left",
        ),
        pytest.param(
            visits(FILL),
            "past_left_value",
            "Left things worth about 40 EUR behind on an earlier visit",
            id="value left",
        ),
        pytest.param(
            straight_to_the_checkout,
            "past_left_units",
            "Left a basket or checkout behind once before",
            id="a checkout left without units",
        ),
        pytest.param(
            straight_to_the_checkout,
            "past_left_value",
            "Left a basket or checkout behind once before",
            id="a checkout left without a value",
        ),
        pytest.param(visits(GLANCE), "past_mean_price", "No price of earlier visits is known", id="no price"),
        pytest.param(
            visits(STROLL), "past_mean_price", "Looked at products of about 40 EUR on earlier visits", id="prices"
        ),
        pytest.param(visits(STROLL), "product_known", "Has not looked at a product yet", id="no product now"),
    ],
)
def test_of_earlier_visits(story: Story, feature: str, text: str) -> None:
    assert said(story, feature) == text


@pytest.mark.parametrize(
    ("before", "text"),
    [
        pytest.param(7, "Has met the latest product on an earlier visit", id="met"),
        pytest.param(8, "Had not met the latest product on an earlier visit", id="not met"),
        pytest.param(0, "No earlier visit is known", id="no earlier visit"),
    ],
)
def test_the_latest_product_may_be_known(before: int, text: str) -> None:
    def story(shop: Shop) -> None:
        if before:
            shop.send("v", "before", VIEW, 0, page=Page.PRODUCT, product=before)
        shop.send("v", "now", VIEW, DAY, page=Page.PRODUCT, product=7)

    assert said(story, "product_known") == text


@pytest.mark.parametrize(
    ("past", "feature", "text"),
    [
        pytest.param(Past(sessions=1, purchases=3), "past_purchases", "Bought here three times before", id="an order"),
        pytest.param(Past(sessions=2), "since_last_session", "Has been here twice before", id="the last visit"),
        pytest.param(Past(sessions=2), "since_first_seen", "Has been here twice before", id="the first visit"),
    ],
)
def test_a_past_that_lacks_a_time_is_told_without_it(past: Past, feature: str, text: str) -> None:
    """The fold sets these times with the counts; a past from elsewhere may not."""
    state = State(start=NOON, last=NOON, events=1, moments=1, steps=1, stage=1)
    (reason,) = reasons_of(only({feature: 1.0}), state, past, read_vector(state, past, NOON), most=1)
    assert reason.text == text
