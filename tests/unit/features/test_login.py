"""What a login joins, and how overlapping pasts come together, told in exact figures."""

from __future__ import annotations

from purchase_intent.events.names import EventName, Page
from purchase_intent.features.journey import NEWS
from purchase_intent.features.state import Past
from tests.unit.features.streams import NOON, Shop, past_of, some, waiting

VIEW, CART, REMOVE = EventName.VIEW, EventName.CART, EventName.REMOVE_FROM_CART
CHECKOUT, PURCHASE, LOGIN = EventName.CHECKOUT, EventName.PURCHASE, EventName.LOGIN
PAGE_VIEW = EventName.PAGE_VIEW

HOUR, DAY = 3600, 86_400


def test_a_login_brings_the_anonymous_past_along_from_then_on_and_not_before(shop: Shop) -> None:
    shop.send("ann", "a1", PURCHASE, 0, product=1, price=10.0)
    shop.send("anon", "x1", VIEW, DAY, product=2, price=20.0)
    before = shop.send("anon", "x2", VIEW, 2 * DAY, product=3, price=30.0)
    assert some(before, "past_sessions", "past_purchases", "signed_in") == (1, 0, 0)
    after = shop.send("ann", "x2", LOGIN, 2 * DAY + 60)
    assert some(after, "past_sessions", "past_purchases", "signed_in", "past_mean_price") == (2, 1, 1, 15.0)
    assert some(after, "past_conversion", "since_first_seen") == (0.5, 2 * DAY + 60)
    assert after["since_last_session"] == DAY, "the anonymous session was the later one"
    assert past_of(shop, "anon") == Past()
    seen = shop.send("ann", "a2", VIEW, 3 * DAY, product=2, price=20.0)
    assert some(seen, "past_sessions", "past_events", "product_known", "signed_in") == (3, 4, 1, 1)


def test_a_session_before_the_login_is_not_told_of_it(shop: Shop) -> None:
    shop.send("ann", "a1", PURCHASE, 0, product=1, price=10.0)
    shop.send("anon", "x1", VIEW, DAY, product=2)
    shop.send("anon", "x2", VIEW, DAY + 10, product=2)
    shop.send("ann", "x2", LOGIN, DAY + 20)
    still = shop.send("anon", "x1", VIEW, DAY + 30, product=2)
    assert some(still, "past_sessions", "past_purchases", "signed_in") == (0, 0, 0)


def test_known_visitors_are_never_joined(shop: Shop) -> None:
    shop.send("ann", "a1", LOGIN, 0)
    shop.send("ann", "a1", PURCHASE, 10, product=1, price=10.0)
    shop.send("bob", "b1", LOGIN, DAY)
    shop.send("ann", "s", PAGE_VIEW, 2 * DAY)
    seen = shop.send("bob", "s", LOGIN, 2 * DAY + 10)
    assert some(seen, "past_sessions", "past_purchases", "signed_in") == (1, 0, 1)
    assert past_of(shop, "ann").purchases == 1
    assert shop.look("ann", 3 * DAY)["past_purchases"] == 1
    assert shop.look("bob", 3 * DAY)["past_purchases"] == 0


def test_another_sender_without_a_login_joins_nothing(shop: Shop) -> None:
    shop.send("anon", "x1", PURCHASE, 0, product=1, price=10.0)
    shop.send("anon", "x2", PAGE_VIEW, DAY)
    seen = shop.send("ann", "x2", PAGE_VIEW, DAY + 10)
    assert some(seen, "past_sessions", "past_purchases", "signed_in") == (0, 0, 0)
    assert shop.look("anon", 2 * DAY)["past_purchases"] == 1


def test_a_login_as_the_first_event_knows_the_visitor(shop: Shop) -> None:
    shop.send("ann", "a1", PURCHASE, 0, product=1)
    assert some(shop.send("ann", "a2", LOGIN, DAY), "past_sessions", "signed_in") == (1, 1)
    assert shop.look("ann", 2 * DAY)["signed_in"] == 1


def test_a_second_login_of_the_same_visitor_changes_nothing(shop: Shop) -> None:
    shop.send("anon", "s", PAGE_VIEW, 0)
    first = shop.send("ann", "s", LOGIN, 10)
    again = shop.send("ann", "s", LOGIN, 20)
    names = [name for name in first if name.startswith("past_")]
    assert some(first, *names) == some(again, *names) == (0.0,) * len(names)
    assert shop.look("ann", DAY)["past_sessions"] == 1


def test_a_login_on_a_second_anonymous_device_joins_that_one_too(shop: Shop) -> None:
    shop.send("phone", "p1", CART, 0, product=1, price=10.0)
    shop.send("ann", "p1", LOGIN, 10)
    shop.send("laptop", "l1", CART, DAY, product=2, price=20.0, quantity=3)
    shop.send("laptop", "l2", PAGE_VIEW, 2 * DAY)
    seen = shop.send("ann", "l2", LOGIN, 2 * DAY + 10)
    assert some(seen, "past_sessions", "past_left", "past_left_value", "since_left") == (2, 2, 60.0, DAY + 10)
    assert seen["past_left_units"] == 3
    assert past_of(shop, "ann").ring[:2] == [2, 1]


def test_an_order_after_the_anonymous_cart_leaves_nothing_to_join(shop: Shop) -> None:
    shop.send("anon", "x1", CART, 0, product=1, price=10.0)
    shop.send("ann", "a1", PURCHASE, DAY, product=1, price=10.0)
    shop.send("anon", "x2", PAGE_VIEW, 2 * DAY)
    seen = shop.send("ann", "x2", LOGIN, 2 * DAY + 1)
    assert some(seen, "past_left", "past_left_units", "past_left_value") == (1, 0, 0)


def test_nothing_left_behind_is_ever_counted_below_zero(shop: Shop) -> None:
    """A session told its cart to an anonymous past, which a login took away before the session bought."""
    shop.send("anon", "x1", CART, 0, product=1, price=10.0)
    shop.send("anon", "x2", PAGE_VIEW, 10)
    shop.send("ann", "x2", LOGIN, 20)
    shop.send("anon", "x1", PURCHASE, 30, product=1, price=10.0)
    seen = shop.send("anon", "x3", PAGE_VIEW, DAY)
    assert some(seen, "past_left", "past_left_units", "past_left_value", "since_left") == (0, 0, 0, -1)
    assert shop.look("ann", DAY)["past_left"] == 1


def test_more_sessions_at_once_than_can_wait_are_told_all_the_same(shop: Shop) -> None:
    count = 3 * NEWS
    for at, turn in ((0, 0), (1000, 1), (2000, 2)):
        for session in range(count):
            shop.send("ann", f"a{session}", VIEW, at + session, product=1 + session, price=1.0 + turn)
    assert waiting(shop) == list(range(count - 1, count - 1 - NEWS, -1))
    seen = shop.send("ann", "last", PAGE_VIEW, DAY)
    assert some(seen, "past_sessions", "past_events", "past_products") == (count, 3 * count, count)
    assert some(seen, "past_mean_duration", "past_mean_price") == (2000.0, 2.0)
    assert seen["since_last_session"] == DAY - 2000 - (count - 1)
    assert shop.journeys.tables.head == [count + 1]


def test_everything_an_anonymous_past_counted_is_added_at_the_login(shop: Shop) -> None:
    for visitor, at in (("ann", 0), ("anon", DAY)):
        shop.send(visitor, f"{visitor} 1", PAGE_VIEW, at, page=Page.BASKET)
        shop.send(visitor, f"{visitor} 1", CART, at + 10, product=at + 1, price=10.0)
        shop.send(visitor, f"{visitor} 1", PAGE_VIEW, at + 20, page=Page.CHECKOUT)
        shop.send(visitor, f"{visitor} 2", PURCHASE, at + 5000, product=at + 1, price=30.0)
        shop.send(visitor, f"{visitor} 2", PAGE_VIEW, at + 5040)
    shop.send("anon", "s", PAGE_VIEW, 2 * DAY)
    seen = shop.send("ann", "s", LOGIN, 2 * DAY + 10)
    counts = ("sessions", "events", "products", "purchases", "cart_sessions", "basket_sessions", "checkout_sessions")
    assert some(seen, *(f"past_{name}" for name in counts)) == (4, 10, 4, 2, 2, 2, 2)
    means = ("conversion", "mean_events", "mean_moments", "mean_products", "mean_duration", "mean_price")
    assert some(seen, *(f"past_{name}" for name in means)) == (0.5, 2.5, 2.5, 1, 30, 20)
    latest = ("past_last_stage", "past_best_stage", "past_last_moments", "past_last_duration", "past_left")
    assert some(seen, *latest) == (5, 5, 2, 40, 2)
    times = ("since_last_session", "since_past_purchase", "since_first_seen", "since_second_session")
    assert some(seen, *times) == (DAY - 5040, DAY - 4990, 2 * DAY + 10, DAY + 10)
    assert some(seen, "since_fourth_session", "past_left_value") == (2 * DAY + 10, 0)


def test_an_anonymous_past_older_than_the_known_one_is_first_seen_and_not_the_latest(shop: Shop) -> None:
    shop.send("anon", "x1", CART, 0, product=1, price=10.0)
    shop.send("anon", "x1", PAGE_VIEW, 30)
    shop.send("ann", "a1", CART, DAY, product=2, price=20.0, quantity=2)
    shop.send("anon", "x2", PAGE_VIEW, 2 * DAY)
    seen = shop.send("ann", "x2", LOGIN, 2 * DAY)
    assert some(seen, "since_first_seen", "since_last_session", "past_last_moments") == (2 * DAY, DAY, 1)
    assert some(seen, "past_left", "past_left_units", "past_left_value", "since_left") == (2, 2, 40, DAY)
    assert past_of(shop, "ann").starts == [NOON + DAY * 1000, NOON, 0, 0]


def test_sessions_that_end_in_one_moment_are_told_in_the_order_in_which_they_began(shop: Shop) -> None:
    shop.send("ann", "a1", CART, 0, product=1)
    shop.send("ann", "a2", VIEW, 10, product=2)
    shop.send("ann", "a1", PAGE_VIEW, 10)
    seen = shop.send("ann", "a3", PAGE_VIEW, DAY)
    assert some(seen, "past_last_stage", "past_last_moments", "past_last_duration") == (2, 1, 0)
    assert past_of(shop, "ann").ring[:2] == [2, 1]


def test_a_session_that_logged_in_stays_signed_in_when_its_sender_changes_afterwards(shop: Shop) -> None:
    """Some shops send the login under the old name and the new one only from then on."""
    shop.send("anon", "s", LOGIN, 0)
    assert shop.send("ann", "s", PAGE_VIEW, 10)["signed_in"] == 1
    assert shop.look("ann", DAY)["signed_in"] == 0


def test_the_best_session_of_either_past_is_the_best_of_both(shop: Shop) -> None:
    shop.send("anon", "x1", PAGE_VIEW, 0, page=Page.CHECKOUT)
    shop.send("ann", "a1", VIEW, DAY, product=1)
    shop.send("anon", "x2", PAGE_VIEW, 2 * DAY)
    seen = shop.send("ann", "x2", LOGIN, 2 * DAY + 10)
    assert some(seen, "past_best_stage", "past_last_stage") == (4, 2)
