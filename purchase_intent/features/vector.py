"""What the model sees: the features, each with its unit and its meaning, and how they are read off the records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from purchase_intent.features.observe import find
from purchase_intent.features.state import PRODUCTS, Past, State

__all__ = ["CODE", "HELPERS", "Vector", "vector"]

CODE: Final = 0xFFFFF
"""Keys reach the model as twenty bits, which a 32-bit float holds exactly."""


def feature(unit: str, meaning: str) -> Any:
    """A feature's place in `Vector`: its unit, and what it means to a merchandiser."""
    return field(default=0.0, metadata={"unit": unit, "meaning": meaning})


@dataclass(slots=True)
class Vector:
    """One value for each feature, in the order of the schema. Times not reached yet are -1."""

    hour: float = feature("h", "Hour of the day in the shop's time zone")
    weekday: float = feature("day", "Day of the week, Monday is 0")
    weekend: float = feature("yes/no", "It is Saturday or Sunday")
    device: float = feature("key", "Kind of device")
    channel: float = feature("key", "Marketing channel that brought the visitor")
    country: float = feature("key", "Country of the visitor")
    landing: float = feature("page", "Role of the page on which the session began")
    shop_conversion: float = feature("share", "Share of the shop's sessions of the last four weeks that bought")
    duration: float = feature("s", "Time since the session began")
    events: float = feature("count", "Events of the session so far")
    moments: float = feature("count", "Distinct moments at which something happened")
    gap: float = feature("s", "Pause before the latest event")
    pace: float = feature("s", "Typical pause of late, the newest counting most")
    longest_gap: float = feature("s", "Longest pause of the session")
    interactions: float = feature("count", "Clicks that lead nowhere else")
    views: float = feature("count", "Product details seen")
    searches: float = feature("count", "Search results seen")
    carts: float = feature("count", "Times something was put into the basket")
    removals: float = feature("count", "Times something was taken out of the basket")
    kind: float = feature("kind", "What the latest event was")
    page: float = feature("page", "Role of the page shown now")
    trail: float = feature("pages", "The last three pages, in order")
    stage: float = feature("stage", "How far it has come: 1 browsing, 2 product, 3 basket, 4 checkout, 5 bought")
    home_visits: float = feature("count", "Visits to the home page")
    listing_visits: float = feature("count", "Visits to product lists")
    basket_visits: float = feature("count", "Visits to the basket page")
    sign_in_visits: float = feature("count", "Visits to the sign-in page")
    review_visits: float = feature("count", "Visits to the last look before ordering")
    information_visits: float = feature("count", "Visits to delivery, returns and help pages")
    listing_dwell: float = feature("s", "Time spent on product lists")
    product_dwell: float = feature("s", "Time spent on product details")
    basket_dwell: float = feature("s", "Time spent on the basket page")
    checkout_dwell: float = feature("s", "Time spent in the checkout")
    home_dwell: float = feature("s", "Time spent on the home page")
    sign_in_dwell: float = feature("s", "Time spent signing in or registering")
    price: float = feature("money", "Price of the latest product that names one")
    mean_price: float = feature("money", "Mean price of the products met")
    max_price: float = feature("money", "Highest price met")
    min_price: float = feature("money", "Lowest price met")
    total_price: float = feature("money", "Sum of the prices met")
    price_to_mean: float = feature("ratio", "Latest price against the session's mean")
    price_to_category: float = feature("ratio", "Latest price against what its category usually costs")
    products: float = feature("count", "Different products met")
    categories: float = feature("count", "Different categories met")
    repeats: float = feature("count", "Looks at a product seen before in the session")
    category: float = feature("key", "Category of the latest product that names one")
    brand: float = feature("key", "Brand of the latest product that names one")
    product_popularity: float = feature("count", "Views of the product in the last four weeks")
    product_cart_rate: float = feature("share", "Times put into the basket for each view in the last four weeks")
    product_buy_rate: float = feature("share", "Purchases for each view of the product in the last four weeks")
    category_cart_rate: float = feature("share", "Times put into the basket for each view in the category")
    mean_buy_rate: float = feature("share", "Mean purchase rate of the products met")
    cart_units: float = feature("count", "Units in the basket")
    cart_value: float = feature("money", "Value of the basket")
    cart_max_price: float = feature("money", "Dearest product put into the basket")
    since_first_cart: float = feature("s", "Time since something was first put into the basket, -1 before")
    since_last_cart: float = feature("s", "Time since something was last put into the basket, -1 before")
    since_first_basket: float = feature("s", "Time since the basket was first visited, -1 before")
    since_last_basket: float = feature("s", "Time since the basket was last visited, -1 before")
    start_to_cart: float = feature("s", "Time from the start until something was put into the basket, -1 before")
    basket_share: float = feature("share", "Share of the steps on the basket page")
    checkout_step: float = feature("step", "Step of the checkout: 9 address, 10 payment, 11 review, 0 before")
    since_last_checkout: float = feature("s", "Time since the latest checkout page, -1 before")
    checkout_value: float = feature("money", "Value of the order being checked out")
    since_sign_in: float = feature("s", "Time since the sign-in page was first visited, -1 before")
    signed_in: float = feature("yes/no", "The visitor has signed in, now or in an earlier session")
    purchases: float = feature("count", "Orders of this session so far")
    past_sessions: float = feature("count", "Earlier sessions")
    past_events: float = feature("count", "Events of earlier sessions")
    past_products: float = feature("count", "Products met in earlier sessions")
    past_purchases: float = feature("count", "Earlier orders")
    past_conversion: float = feature("share", "Share of the earlier sessions that bought")
    past_mean_events: float = feature("count", "Mean events of an earlier session")
    past_mean_moments: float = feature("count", "Mean moments of an earlier session")
    past_mean_products: float = feature("count", "Mean products of an earlier session")
    past_mean_duration: float = feature("s", "Mean duration of an earlier session")
    past_mean_price: float = feature("money", "Mean price of the products met earlier")
    past_cart_sessions: float = feature("count", "Earlier sessions that used the basket")
    past_basket_sessions: float = feature("count", "Earlier sessions that visited the basket")
    past_checkout_sessions: float = feature("count", "Earlier sessions that began a checkout")
    past_left: float = feature("count", "Earlier sessions that left a basket or checkout behind")
    past_left_units: float = feature("count", "Units in the basket left behind last")
    past_left_value: float = feature("money", "Value of the basket left behind last")
    past_last_stage: float = feature("stage", "How far the latest session came")
    past_best_stage: float = feature("stage", "How far the best session came")
    past_last_moments: float = feature("count", "Moments of the latest session")
    past_last_duration: float = feature("s", "Duration of the latest session")
    since_last_session: float = feature("s", "Time from the end of the latest session to this one's start, -1 for none")
    since_past_purchase: float = feature("s", "Time since an order of an earlier session, -1 for none")
    since_left: float = feature("s", "Time since a basket was left behind, -1 for none")
    since_first_seen: float = feature("s", "Time since the visitor was first seen, -1 for a new one")
    since_second_session: float = feature("s", "Time since the start of the session before the latest one, -1 for none")
    since_fourth_session: float = feature("s", "Time since the start of the fourth latest session, -1 for none")
    product_known: float = feature("yes/no", "The latest product was met in an earlier session")


def ratio(part: float, whole: float) -> float:
    """`part / whole`, 0 where there is no whole."""
    return part / whole if whole > 0 else 0.0


def seconds(start: int, end: int) -> float:
    """Seconds from one time to another, never below 0."""
    return max(0.0, (end - start) / 1000.0)


def since(moment: int, now: int) -> float:
    """Seconds since a moment, -1 where it has not come."""
    return max(0.0, (now - moment) / 1000.0) if moment > 0 else -1.0


def lag(start: int, end: int) -> float:
    """Seconds between two moments, -1 where either has not come."""
    return max(0.0, (end - start) / 1000.0) if start > 0 and end > 0 else -1.0


def read_time_and_place(state: State, out: Vector) -> None:
    """Features of the group 'time and place'."""
    out.hour = state.hour
    out.weekday = state.weekday
    out.weekend = 1.0 if state.weekday >= 5 else 0.0
    out.device = state.device & CODE
    out.channel = state.channel & CODE
    out.country = state.country & CODE
    out.landing = state.landing
    out.shop_conversion = ratio(state.shop_buyers, state.shop_sessions)


def read_pace(state: State, now: int, out: Vector) -> None:
    """Features of the group 'pace'."""
    out.duration = seconds(state.start, now)
    out.events = state.events
    out.moments = state.moments
    out.gap = state.gap
    out.pace = state.pace
    out.longest_gap = state.longest_gap


def read_acts(state: State, out: Vector) -> None:
    """Features of the group 'acts'."""
    out.interactions = state.kinds[2]
    out.views = state.kinds[4]
    out.searches = state.pages[4]
    out.carts = state.kinds[6]
    out.removals = state.kinds[7]
    out.kind = state.kind
    out.page = state.page
    out.trail = state.trail
    out.stage = state.stage


def read_pages(state: State, out: Vector) -> None:
    """Features of the group 'pages'."""
    out.home_visits = state.pages[1]
    out.listing_visits = state.pages[2]
    out.basket_visits = state.pages[5]
    out.sign_in_visits = state.pages[6]
    out.review_visits = state.pages[11]
    out.information_visits = state.pages[13]
    out.listing_dwell = state.dwell[2]
    out.product_dwell = state.dwell[3]
    out.basket_dwell = state.dwell[5]
    out.checkout_dwell = state.dwell[9] + state.dwell[10] + state.dwell[11]
    out.home_dwell = state.dwell[1]
    out.sign_in_dwell = state.dwell[6] + state.dwell[7]


def read_products(state: State, out: Vector) -> None:
    """Features of the group 'products'."""
    out.price = state.price
    out.mean_price = ratio(state.sum_price, state.priced)
    out.max_price = state.max_price
    out.min_price = state.min_price
    out.total_price = state.sum_price
    out.price_to_mean = ratio(state.price * state.priced, state.sum_price)
    out.price_to_category = ratio(state.price, state.category_price)
    out.products = state.products
    out.categories = state.categories
    out.repeats = state.repeats
    out.category = state.category & CODE
    out.brand = state.brand & CODE
    out.product_popularity = state.product_popularity
    out.product_cart_rate = state.product_cart_rate
    out.product_buy_rate = state.product_buy_rate
    out.category_cart_rate = state.category_cart_rate
    out.mean_buy_rate = ratio(state.rate_sum, state.rate_count)


def read_cart(state: State, now: int, out: Vector) -> None:
    """Features of the group 'cart'."""
    out.cart_units = state.cart_units
    out.cart_value = state.cart_value
    out.cart_max_price = state.cart_max_price
    out.since_first_cart = since(state.first_cart, now)
    out.since_last_cart = since(state.last_cart, now)
    out.since_first_basket = since(state.first_basket, now)
    out.since_last_basket = since(state.last_basket, now)
    out.start_to_cart = lag(state.start, state.first_cart)
    out.basket_share = ratio(state.pages[5], state.steps)


def read_checkout(state: State, past: Past, now: int, out: Vector) -> None:
    """Features of the group 'checkout'."""
    out.checkout_step = state.step
    out.since_last_checkout = since(state.last_checkout, now)
    out.checkout_value = state.checkout_value
    out.since_sign_in = since(state.first_sign_in, now)
    out.signed_in = 1.0 if state.login > 0 or past.known > 0 else 0.0
    out.purchases = state.purchases


def read_visitor(state: State, past: Past, now: int, out: Vector) -> None:
    """Features of the group 'visitor'."""
    out.past_sessions = past.sessions
    out.past_events = past.events
    out.past_products = past.products
    out.past_purchases = past.purchases
    out.past_conversion = ratio(past.bought, past.sessions)
    out.past_mean_events = ratio(past.events, past.sessions)
    out.past_mean_moments = ratio(past.moments, past.sessions)
    out.past_mean_products = ratio(past.products, past.sessions)
    out.past_mean_duration = ratio(past.duration, past.sessions)
    out.past_mean_price = ratio(past.price, past.priced)
    out.past_cart_sessions = past.carted
    out.past_basket_sessions = past.basket
    out.past_checkout_sessions = past.checkout
    out.past_left = past.left
    out.past_left_units = past.left_units
    out.past_left_value = past.left_value
    out.past_last_stage = past.last_stage
    out.past_best_stage = past.best_stage
    out.past_last_moments = past.last_moments
    out.past_last_duration = past.last_duration
    out.since_last_session = lag(past.last_seen, state.start)
    out.since_past_purchase = since(past.last_purchase, now)
    out.since_left = since(past.last_left, now)
    out.since_first_seen = since(past.first_seen, now)
    out.since_second_session = since(past.starts[1], now)
    out.since_fourth_session = since(past.starts[3], now)
    out.product_known = 1.0 if state.product != 0 and find(past.ring, state.product, PRODUCTS) >= 0 else 0.0


def vector(state: State, past: Past, now: int, out: Vector) -> None:
    """Read the features off a session and its visitor's past, at `now` (milliseconds since 1970 UTC)."""
    read_time_and_place(state, out)
    read_pace(state, now, out)
    read_acts(state, out)
    read_pages(state, out)
    read_products(state, out)
    read_cart(state, now, out)
    read_checkout(state, past, now, out)
    read_visitor(state, past, now, out)


HELPERS = (
    ratio,
    seconds,
    since,
    lag,
    read_time_and_place,
    read_pace,
    read_acts,
    read_pages,
    read_products,
    read_cart,
    read_checkout,
    read_visitor,
    vector,
)
"""In the order in which they must be compiled."""
