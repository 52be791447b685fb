"""What one session tells, in exact figures: the features a merchandiser would work out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from purchase_intent.events.names import EventName, Page
from purchase_intent.features.hit import Hit
from purchase_intent.features.live import Journeys
from purchase_intent.features.state import PRODUCTS
from tests.unit.features.streams import NOON, Shop, named

VIEW, CART, REMOVE = EventName.VIEW, EventName.CART, EventName.REMOVE_FROM_CART
PAGE_VIEW, PURCHASE = EventName.PAGE_VIEW, EventName.PURCHASE


@pytest.fixture
def shop() -> Any:
    """A shop whose log is folded the compiled way as well, when the test is done."""
    made = Shop()
    yield made
    made.agrees()


def some(features: dict[str, float], *names: str) -> tuple[float, ...]:
    return tuple(features[name] for name in names)


def test_prices(shop: Shop) -> None:
    prices = ("price", "mean_price", "max_price", "min_price", "total_price", "price_to_mean")
    assert some(shop.send("ann", "s", PAGE_VIEW, 0), *prices) == (0, 0, 0, 0, 0, 0)
    shop.send("ann", "s", VIEW, 1, product=1, price=10.0)
    shop.send("ann", "s", VIEW, 2, product=2, price=30.0)
    assert some(shop.send("ann", "s", VIEW, 3, product=3, price=20.0), *prices) == (20, 20, 30, 10, 60, 1)


def test_a_product_without_a_price_does_not_make_the_others_cheaper(shop: Shop) -> None:
    shop.send("ann", "s", VIEW, 1, product=1, price=10.0)
    seen = shop.send("ann", "s", VIEW, 2, product=2)
    assert some(seen, "price", "mean_price", "min_price", "total_price", "products") == (10, 10, 10, 10, 2)


def test_duration_events_moments_and_pauses(shop: Shop) -> None:
    names = ("duration", "events", "moments", "gap", "pace", "longest_gap")
    assert some(shop.send("ann", "s", VIEW, 0, product=1), *names) == (0, 1, 1, 0, 0, 0)
    assert some(shop.send("ann", "s", VIEW, 0, product=2), *names) == (0, 2, 1, 0, 0, 0)
    assert some(shop.send("ann", "s", VIEW, 10, product=3), *names) == (10, 3, 2, 10, 3, 10)
    assert some(shop.send("ann", "s", VIEW, 13, product=3), *names) == (13, 4, 3, 3, 3, 10)


def test_time_is_spent_on_the_page_that_was_shown_up_to_five_minutes(shop: Shop) -> None:
    shop.send("ann", "s", PAGE_VIEW, 0, page=Page.HOME)
    shop.send("ann", "s", PAGE_VIEW, 10, page=Page.LISTING)
    shop.send("ann", "s", PAGE_VIEW, 14, page=Page.PRODUCT)
    seen = shop.send("ann", "s", PAGE_VIEW, 1000, page=Page.BASKET)
    assert some(seen, "home_dwell", "listing_dwell", "product_dwell", "basket_dwell") == (10, 4, 300, 0)
    assert some(seen, "home_visits", "listing_visits", "basket_visits", "basket_share") == (1, 1, 1, 0.25)
    assert seen["longest_gap"] == 986


def test_rows_of_one_moment_and_page_are_one_visit(shop: Shop) -> None:
    for product in (1, 2, 3):
        shop.send("ann", "s", PAGE_VIEW, 0, page=Page.CHECKOUT, product=product, price=10.0, quantity=product)
    seen = shop.send("ann", "s", PAGE_VIEW, 60, page=Page.REVIEW, product=1, price=10.0)
    assert some(seen, "events", "moments", "checkout_value", "checkout_step") == (4, 2, 10, 11)
    assert some(seen, "review_visits", "checkout_dwell", "since_last_checkout", "stage") == (1, 60, 0, 4)


def test_different_products_categories_and_looks_again(shop: Shop) -> None:
    for at, (product, category) in enumerate(((1, 7), (2, 7), (1, 7), (3, 8))):
        shop.send("ann", "s", VIEW, at, product=product, category=category)
    seen = shop.send("ann", "s", VIEW, 4, product=1, category=7)
    assert some(seen, "products", "categories", "repeats", "views", "category") == (3, 2, 2, 5, 7)


def test_a_product_put_in_the_cart_and_then_looked_at_is_no_second_look(shop: Shop) -> None:
    shop.send("ann", "s", CART, 0, product=1)
    assert shop.send("ann", "s", VIEW, 1, product=1)["repeats"] == 0
    assert shop.send("ann", "s", VIEW, 2, product=1)["repeats"] == 1


def test_a_product_beyond_those_remembered_counts_anew(shop: Shop) -> None:
    for product in range(1, PRODUCTS + 2):
        shop.send("ann", "s", VIEW, product, product=product)
    seen = shop.send("ann", "s", VIEW, 99, product=1)
    assert some(seen, "products", "repeats") == (PRODUCTS + 2, 0)
    assert some(shop.send("ann", "s", VIEW, 100, product=3), "products", "repeats") == (PRODUCTS + 2, 1)


def test_the_brand_and_category_named_last_stand_until_a_product_names_others(shop: Shop) -> None:
    shop.send("ann", "s", VIEW, 0, product=1, category=7, brand=70)
    assert some(shop.send("ann", "s", VIEW, 1, product=2), "category", "brand") == (7, 70)
    assert some(shop.send("ann", "s", VIEW, 2, product=3, category=8, brand=80), "category", "brand") == (8, 80)


PAGES = [
    pytest.param(Page.HOME, "home_visits", "home_dwell", id="home"),
    pytest.param(Page.LISTING, "listing_visits", "listing_dwell", id="listing"),
    pytest.param(Page.PRODUCT, None, "product_dwell", id="product"),
    pytest.param(Page.SEARCH, "searches", None, id="search"),
    pytest.param(Page.BASKET, "basket_visits", "basket_dwell", id="basket"),
    pytest.param(Page.SIGN_IN, "sign_in_visits", "sign_in_dwell", id="sign in"),
    pytest.param(Page.REGISTER, None, "sign_in_dwell", id="register"),
    pytest.param(Page.CHECKOUT, None, "checkout_dwell", id="checkout"),
    pytest.param(Page.PAYMENT, None, "checkout_dwell", id="payment"),
    pytest.param(Page.REVIEW, "review_visits", "checkout_dwell", id="review"),
    pytest.param(Page.INFORMATION, "information_visits", None, id="information"),
]


@pytest.mark.parametrize(("page", "visits", "dwell"), PAGES)
def test_visits_and_time_count_for_their_page_alone(
    shop: Shop, page: Page, visits: str | None, dwell: str | None
) -> None:
    shop.send("ann", "s", PAGE_VIEW, 0, page=page)
    seen = shop.send("ann", "s", PAGE_VIEW, 7, page=Page.OTHER)
    counted = {
        name: value for name, value in seen.items() if name.endswith(("_visits", "_dwell", "searches")) and value
    }
    assert counted == {name: value for name, value in ((visits, 1), (dwell, 7)) if name}


ACTS = [
    pytest.param(EventName.INTERACTION, "interactions", id="interaction"),
    pytest.param(VIEW, "views", id="view"),
    pytest.param(CART, "carts", id="cart"),
    pytest.param(REMOVE, "removals", id="removal"),
    pytest.param(EventName.WISHLIST, None, id="what is not counted by itself"),
]


@pytest.mark.parametrize(("kind", "name"), ACTS)
def test_acts_count_for_their_kind_alone(shop: Shop, kind: EventName, name: str | None) -> None:
    shop.send("ann", "s", kind, 0)
    seen = shop.send("ann", "s", kind, 1)
    counted = {act: seen[act] for act in ("interactions", "views", "searches", "carts", "removals") if seen[act]}
    assert counted == ({name: 2} if name else {})
    assert some(seen, "kind", "page") == (kind, 0)


def test_the_cart(shop: Shop) -> None:
    names = ("cart_units", "cart_value", "cart_max_price", "since_first_cart", "since_last_cart", "start_to_cart")
    assert some(shop.send("ann", "s", VIEW, 0, product=1, price=9.0), *names) == (0, 0, 0, -1, -1, -1)
    assert some(shop.send("ann", "s", CART, 5, product=1, price=10.0), *names) == (1, 10, 10, 0, 0, 5)
    assert some(shop.send("ann", "s", CART, 8, product=2, price=4.0, quantity=3), *names) == (4, 22, 10, 3, 0, 5)
    assert some(shop.send("ann", "s", REMOVE, 9, product=2, price=4.0), *names) == (3, 18, 10, 4, 1, 5)
    seen = shop.send("ann", "s", REMOVE, 9, product=2, price=4.0, quantity=100_000)
    assert some(seen, *names, "carts", "removals") == (0, 0, 10, 4, 1, 5, 2, 1)


def test_what_is_left_in_the_cart_is_never_worth_less_than_nothing(shop: Shop) -> None:
    shop.send("ann", "s", CART, 0, product=1, price=5.0, quantity=7)
    seen = shop.send("ann", "s", REMOVE, 1, product=1, price=5.0, quantity=3)
    assert some(seen, "cart_units", "cart_value") == (4, 20)
    assert some(shop.send("ann", "s", REMOVE, 2, product=1, price=50.0), "cart_units", "cart_value") == (3, 0)


def test_sums_of_money_leave_no_crumbs_in_an_empty_cart(shop: Shop) -> None:
    shop.send("ann", "s", CART, 0, product=1, price=0.1)
    shop.send("ann", "s", CART, 1, product=2, price=0.2)
    shop.send("ann", "s", REMOVE, 2, product=2, price=0.2)
    assert some(shop.send("ann", "s", REMOVE, 3, product=1, price=0.1), "cart_units", "cart_value") == (0, 0)


def test_the_largest_cart_of_all_stays_finite(shop: Shop) -> None:
    for at in range(49):
        shop.send("ann", "s", CART, at, product=1 + at, price=1e9, quantity=100_000)
    seen = shop.send("ann", "s", CART, 49, product=50, price=1e9, quantity=100_000)
    assert some(seen, "cart_units", "cart_value") == pytest.approx((5_000_000, 5e15))


STAGES = [
    pytest.param(PAGE_VIEW, Page.HOME, 1, id="home"),
    pytest.param(EventName.SEARCH, Page.SEARCH, 1, id="search"),
    pytest.param(VIEW, Page.PRODUCT, 2, id="product"),
    pytest.param(CART, Page.PRODUCT, 3, id="cart"),
    pytest.param(PAGE_VIEW, Page.BASKET, 3, id="basket"),
    pytest.param(EventName.VIEW_CART, Page.OTHER, 3, id="view of the cart"),
    pytest.param(PAGE_VIEW, Page.CHECKOUT, 4, id="checkout page"),
    pytest.param(EventName.CHECKOUT, Page.OTHER, 4, id="checkout event"),
    pytest.param(EventName.PAYMENT_INFO, Page.OTHER, 4, id="payment event"),
    pytest.param(PAGE_VIEW, Page.REVIEW, 4, id="review page"),
    pytest.param(PURCHASE, Page.CONFIRMATION, 5, id="purchase"),
    pytest.param(PAGE_VIEW, Page.CONFIRMATION, 1, id="a page that only looks like a purchase"),
]


@pytest.mark.parametrize(("kind", "page", "stage"), STAGES)
def test_the_stage_a_session_has_reached(shop: Shop, kind: EventName, page: Page, stage: int) -> None:
    assert shop.send("ann", "s", kind, 0, page=page)["stage"] == stage
    assert shop.send("ann", "s", PAGE_VIEW, 1, page=Page.HOME)["stage"] == stage, "it never goes back"


def test_basket_and_sign_in_are_timed_from_their_first_visit(shop: Shop) -> None:
    names = ("since_first_basket", "since_last_basket", "since_sign_in")
    assert some(shop.send("ann", "s", PAGE_VIEW, 0), *names) == (-1, -1, -1)
    shop.send("ann", "s", PAGE_VIEW, 1, page=Page.BASKET)
    shop.send("ann", "s", PAGE_VIEW, 4, page=Page.SIGN_IN)
    shop.send("ann", "s", PAGE_VIEW, 5, page=Page.BASKET)
    shop.send("ann", "s", PAGE_VIEW, 6, page=Page.SIGN_IN)
    assert some(shop.send("ann", "s", PAGE_VIEW, 9), *names) == (8, 4, 5)


def test_where_and_when_the_session_came_from(shop: Shop) -> None:
    start = {"device": 5, "channel": (1 << 20) + 3, "country": -1}
    shop.send("ann", "s", PAGE_VIEW, 0, page=Page.HOME, hour=23, weekday=4, **start)
    seen = shop.send("ann", "s", PAGE_VIEW, 3600, page=Page.LISTING, hour=0, weekday=5, device=9)
    assert some(seen, "device", "channel", "country", "landing") == (5, 3, 0xFFFFF, 1)
    assert some(seen, "hour", "weekday", "weekend") == (0, 5, 1)


def test_the_trail_holds_the_last_three_pages(shop: Shop) -> None:
    for at, page in enumerate((Page.HOME, Page.LISTING, Page.PRODUCT)):
        shop.send("ann", "s", PAGE_VIEW, at, page=page)
    seen = shop.send("ann", "s", PAGE_VIEW, 3, page=Page.BASKET)
    assert some(seen, "trail", "page") == (2 * 256 + 3 * 16 + 5, 5)


def test_facts_of_the_catalogue_are_shares_smoothed_towards_a_rare_event(shop: Shop) -> None:
    facts = {"product_views": 90, "product_carts": 9, "product_buys": 4, "category_views": 40, "category_carts": 4}
    money = {"category_cents": 80_000, "shop_sessions": 200, "shop_buyers": 3}
    seen = shop.send("ann", "s", VIEW, 0, product=1, category=2, price=30.0, **facts, **money)
    assert some(seen, "product_popularity", "product_cart_rate", "category_cart_rate") == pytest.approx((90, 0.1, 0.1))
    assert some(seen, "product_buy_rate", "mean_buy_rate") == pytest.approx((4.5 / 115, 4.5 / 115))
    assert some(seen, "price_to_category", "shop_conversion") == pytest.approx((1.5, 0.015))
    seen = shop.send("ann", "s", VIEW, 1, product=2, price=30.0)
    assert some(seen, "product_popularity", "product_buy_rate", "price_to_category") == pytest.approx((0, 0.02, 0))
    assert seen["mean_buy_rate"] == pytest.approx((4.5 / 115 + 0.02) / 2)


def test_a_score_asked_for_later_sees_time_pass_and_nothing_else(shop: Shop) -> None:
    now = shop.send("ann", "s", CART, 60, product=1, price=5.0)
    later = named(shop.journeys.row("s", NOON + 100_000).tobytes())
    moved = {name: (now[name], later[name]) for name in now if now[name] != later[name]}
    assert moved == {"duration": (0, 40), "since_first_cart": (0, 40), "since_last_cart": (0, 40)}


def test_an_event_out_of_order_is_taken_in_without_harm() -> None:
    """A late event has its session rebuilt; until then no pause is negative."""
    journeys = Journeys()
    journeys.observe(Hit(time=NOON + 60_000, kind=1, page=5), visitor="ann", session="s")
    journeys.observe(Hit(time=NOON, kind=1, page=1), visitor="ann", session="s")
    seen = named(journeys.row("s", NOON).tobytes())
    assert some(seen, "duration", "gap", "longest_gap", "since_first_basket", "moments", "events") == (0, 0, 0, 0, 1, 2)


def test_a_session_nobody_has_seen_has_no_vector(shop: Shop) -> None:
    with pytest.raises(KeyError):
        shop.journeys.row("nowhere", 0)
