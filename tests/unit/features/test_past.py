"""What earlier sessions leave to later ones, told in exact figures."""

from __future__ import annotations

import pytest

from purchase_intent.events.names import EventName, Page
from purchase_intent.features.state import PRODUCTS
from tests.unit.features.streams import NOON, Shop, past_of, some

VIEW, CART, REMOVE = EventName.VIEW, EventName.CART, EventName.REMOVE_FROM_CART
CHECKOUT, PURCHASE, LOGIN = EventName.CHECKOUT, EventName.PURCHASE, EventName.LOGIN
PAGE_VIEW = EventName.PAGE_VIEW

HOUR, DAY = 3600, 86_400


def test_a_visitor_who_was_never_here_has_no_past(shop: Shop) -> None:
    seen = shop.send("ann", "a1", VIEW, 0, product=1, price=5.0)
    assert {name: value for name, value in seen.items() if name.startswith("past_") and value != 0} == {}
    times = ("last_session", "past_purchase", "left", "first_seen", "second_session", "fourth_session")
    assert some(seen, *(f"since_{name}" for name in times)) == (-1.0,) * 6
    assert some(seen, "product_known", "signed_in") == (0.0, 0.0)


def test_a_session_is_told_once_when_the_next_begins(shop: Shop) -> None:
    shop.send("ann", "a1", VIEW, 0, product=1, price=5.0)
    still = shop.send("ann", "a1", CART, 60, product=1, price=5.0)
    assert still["past_sessions"] == 0
    first = shop.send("ann", "a2", PAGE_VIEW, DAY)
    told = ("past_sessions", "past_events", "past_products", "past_mean_events", "past_mean_duration")
    assert some(first, *told, "past_mean_price") == (1.0, 2.0, 1.0, 2.0, 60.0, 5.0)
    assert some(first, "since_last_session", "since_first_seen") == (DAY - 60.0, DAY)
    later = shop.send("ann", "a2", VIEW, DAY + 30, product=2, price=7.0)
    assert some(later, *told) == some(first, *told), "the past of a session stands still while it lasts"
    third = shop.send("ann", "a3", PAGE_VIEW, 2 * DAY)
    assert some(third, *told, "past_mean_price") == pytest.approx((2.0, 4.0, 2.0, 2.0, 45.0, 17 / 3))


def test_the_latest_and_the_best_session_are_both_remembered(shop: Shop) -> None:
    shop.send("ann", "a1", PAGE_VIEW, 0, page=Page.CHECKOUT)
    shop.send("ann", "a1", PAGE_VIEW, 100)
    shop.send("ann", "a2", PAGE_VIEW, DAY)
    seen = shop.send("ann", "a3", PAGE_VIEW, 2 * DAY)
    assert some(seen, "past_last_stage", "past_best_stage", "past_last_moments", "past_last_duration") == (1, 4, 1, 0)
    shop.send("ann", "a3", PAGE_VIEW, 2 * DAY + 5, page=Page.BASKET)
    seen = shop.send("ann", "a4", PAGE_VIEW, 3 * DAY)
    assert some(seen, "past_last_stage", "past_best_stage", "past_last_moments", "past_last_duration") == (3, 4, 2, 5)
    assert some(seen, "past_basket_sessions", "past_checkout_sessions") == (1, 1)


def test_a_session_beside_another_is_neither_lost_nor_counted_twice(shop: Shop) -> None:
    shop.send("ann", "a1", VIEW, 0, product=1, price=10.0)
    shop.send("ann", "a2", VIEW, 10, product=2, price=20.0)
    shop.send("ann", "a1", VIEW, 20, product=3, price=30.0)
    shop.send("ann", "a2", VIEW, 30, product=4, price=40.0)
    shop.send("ann", "a1", VIEW, 50, product=5, price=50.0)
    seen = shop.send("ann", "a3", PAGE_VIEW, DAY)
    assert some(seen, "past_sessions", "past_events", "past_products", "past_mean_duration") == (2, 5, 5, 35.0)
    assert some(seen, "past_mean_price", "past_mean_moments") == (30.0, 2.5)
    assert seen["since_last_session"] == DAY - 50


def test_a_session_taken_up_again_adds_what_is_new(shop: Shop) -> None:
    shop.send("ann", "a1", VIEW, 0, product=1, price=10.0)
    shop.send("ann", "a2", PAGE_VIEW, DAY)
    shop.send("ann", "a1", PURCHASE, 2 * DAY, product=1, price=10.0)
    seen = shop.send("ann", "a3", PAGE_VIEW, 3 * DAY)
    assert some(seen, "past_sessions", "past_events", "past_purchases", "past_conversion") == (2, 3, 1, 0.5)
    assert some(seen, "past_mean_duration", "since_past_purchase") == (DAY, DAY)


def test_overlapping_starts_are_kept_newest_first(shop: Shop) -> None:
    for session, at in (("a1", 0), ("a2", 10), ("a1", 20), ("a3", 40), ("a2", 50), ("a4", 60)):
        shop.send("ann", session, PAGE_VIEW, at)
    seen = shop.send("ann", "a5", PAGE_VIEW, 100)
    assert past_of(shop, "ann").starts == [NOON + 60_000, NOON + 40_000, NOON + 10_000, NOON]
    assert some(seen, "since_second_session", "since_fourth_session") == (60.0, 100.0)
    assert shop.send("ann", "a6", PAGE_VIEW, 200)["since_fourth_session"] == 190.0


def test_a_cart_left_behind_is_remembered_with_its_units_and_value(shop: Shop) -> None:
    shop.send("ann", "a1", CART, 0, product=1, price=10.0, quantity=3)
    shop.send("ann", "a1", REMOVE, 5, product=1, price=10.0, quantity=1)
    seen = shop.send("ann", "a2", PAGE_VIEW, DAY)
    assert some(seen, "past_left", "past_left_units", "past_left_value", "since_left") == (1, 2, 20.0, DAY - 5)
    assert some(seen, "past_cart_sessions", "past_basket_sessions", "past_checkout_sessions") == (1, 0, 0)


def test_a_cart_emptied_by_hand_leaves_nothing_behind(shop: Shop) -> None:
    shop.send("ann", "a1", CART, 0, product=1, price=10.0)
    emptied = shop.send("ann", "a1", REMOVE, 5, product=1)  # this log names no price when something is taken out
    assert some(emptied, "cart_units", "cart_value") == (0, 0)
    seen = shop.send("ann", "a2", PAGE_VIEW, DAY)
    assert some(seen, "past_left", "past_left_units", "past_left_value", "since_left") == (0, 0, 0, -1)
    assert seen["past_cart_sessions"] == 1


def test_a_purchase_empties_the_cart(shop: Shop) -> None:
    shop.send("ann", "a1", CART, 0, product=1, price=10.0, quantity=3)
    bought = shop.send("ann", "a1", PURCHASE, 9, product=1, price=10.0, quantity=3)
    assert some(bought, "cart_units", "cart_value", "since_first_cart", "since_last_cart") == (0, 0, -1, -1)
    assert some(bought, "purchases", "stage", "past_purchases", "cart_max_price") == (1, 5, 0, 0)
    seen = shop.send("ann", "a2", PAGE_VIEW, DAY)
    assert some(seen, "past_left", "past_left_units", "past_left_value", "past_purchases") == (0, 0, 0, 1)
    assert some(seen, "past_conversion", "since_past_purchase") == (1.0, DAY - 9)


def test_lines_of_one_order_are_one_order_and_two_orders_two(shop: Shop) -> None:
    for product in (1, 2, 3):
        shop.send("ann", "a1", PURCHASE, 0, product=product, price=1.0)
    assert shop.send("ann", "a1", PURCHASE, 60, product=4, price=1.0)["purchases"] == 2
    assert shop.send("ann", "a2", PAGE_VIEW, DAY)["past_purchases"] == 2


def test_what_was_left_is_forgotten_once_that_session_buys_it(shop: Shop) -> None:
    shop.send("ann", "a1", CART, 0, product=1, price=10.0)
    assert shop.send("ann", "a2", PAGE_VIEW, DAY)["past_left"] == 1
    shop.send("ann", "a1", PURCHASE, 2 * DAY, product=1, price=10.0)
    seen = shop.send("ann", "a3", PAGE_VIEW, 3 * DAY)
    assert some(seen, "past_left", "past_left_units", "past_left_value", "since_left") == (0, 0, 0, -1)


def test_what_was_left_is_forgotten_once_that_session_empties_its_cart(shop: Shop) -> None:
    shop.send("ann", "a1", CART, 0, product=1, price=10.0)
    shop.send("ann", "a1", PAGE_VIEW, 7)
    assert shop.send("ann", "a2", PAGE_VIEW, DAY)["past_left_value"] == 10
    shop.send("ann", "a1", REMOVE, 2 * DAY, product=1, price=10.0)
    seen = shop.send("ann", "a3", PAGE_VIEW, 3 * DAY)
    assert some(seen, "past_left", "past_left_units", "past_left_value", "since_left") == (0, 0, 0, -1)


def test_what_another_session_left_since_is_not_forgotten(shop: Shop) -> None:
    shop.send("ann", "a1", CART, 0, product=1, price=10.0)
    shop.send("ann", "a2", CART, DAY, product=2, price=33.0)
    shop.send("ann", "a3", PAGE_VIEW, 2 * DAY)
    shop.send("ann", "a1", REMOVE, 3 * DAY, product=1, price=10.0)
    seen = shop.send("ann", "a4", PAGE_VIEW, 4 * DAY)
    assert some(seen, "past_left", "past_left_units", "past_left_value", "since_left") == (1, 1, 33.0, 3 * DAY)


def test_a_later_purchase_elsewhere_ends_what_was_left(shop: Shop) -> None:
    shop.send("ann", "a1", CART, 0, product=1, price=10.0)
    shop.send("ann", "a2", PURCHASE, DAY, product=1, price=10.0)
    seen = shop.send("ann", "a3", PAGE_VIEW, 2 * DAY)
    assert some(seen, "past_left", "past_left_units", "past_left_value") == (1, 0, 0)
    assert seen["since_left"] == 2 * DAY


def test_a_checkout_left_behind_counts_with_its_value(shop: Shop) -> None:
    shop.send("ann", "a1", PAGE_VIEW, 0, page=Page.CHECKOUT, price=10.0, quantity=2, product=1)
    shop.send("ann", "a1", PAGE_VIEW, 0, page=Page.CHECKOUT, price=5.0, product=2)
    seen = shop.send("ann", "a2", PAGE_VIEW, DAY)
    assert some(seen, "past_left", "past_left_units", "past_left_value") == (1, 0, 25.0)
    assert some(seen, "past_checkout_sessions", "past_cart_sessions", "past_last_stage") == (1, 0, 4)


def test_a_product_is_known_from_an_earlier_session_only(shop: Shop) -> None:
    assert shop.send("ann", "a1", VIEW, 0, product=1)["product_known"] == 0
    assert shop.send("ann", "a1", VIEW, 9, product=1)["product_known"] == 0
    assert shop.send("ann", "a2", VIEW, DAY, product=1)["product_known"] == 1
    assert shop.send("ann", "a2", VIEW, DAY + 1, product=2)["product_known"] == 0
    assert shop.send("bob", "b1", VIEW, DAY + 2, product=1)["product_known"] == 0


def test_the_past_keeps_the_products_met_last(shop: Shop) -> None:
    for product in range(1, PRODUCTS + 4):
        shop.send("ann", "a1", VIEW, product, product=product)
    shop.send("ann", "a2", VIEW, DAY, product=99)
    shop.send("ann", "a3", PAGE_VIEW, 2 * DAY)
    assert past_of(shop, "ann").ring == [99, *range(PRODUCTS + 3, 4, -1)]
