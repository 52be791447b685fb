"""How one event changes a session: plain functions on records, the same live and compiled.

The rules that keep both modes equal to the bit: 64-bit integers and floats only; `+ - * /` and comparisons, no
powers, logarithms or `sum`; indices and divisions guarded; negative gaps clamped. Compiled code reads garbage where
Python raises, so nothing here may index or divide by what an event says without a guard.
"""

from __future__ import annotations

from typing import Final

from purchase_intent.events.names import EventName, Page
from purchase_intent.features.hit import Hit
from purchase_intent.features.state import CATEGORIES, KINDS, PAGES, PRODUCTS, State

__all__ = ["HELPERS", "observe"]

VIEW: Final = int(EventName.VIEW)
CART: Final = int(EventName.CART)
REMOVE: Final = int(EventName.REMOVE_FROM_CART)
SELECT: Final = int(EventName.SELECT_ITEM)
VIEW_CART: Final = int(EventName.VIEW_CART)
CHECKOUT: Final = int(EventName.CHECKOUT)
PAYMENT_INFO: Final = int(EventName.PAYMENT_INFO)
PURCHASE: Final = int(EventName.PURCHASE)
LOGIN: Final = int(EventName.LOGIN)
BASKET_PAGE: Final = int(Page.BASKET)
SIGN_IN_PAGE: Final = int(Page.SIGN_IN)
CHECKOUT_PAGE: Final = int(Page.CHECKOUT)
REVIEW_PAGE: Final = int(Page.REVIEW)

STAGE_BROWSING: Final = 1
STAGE_PRODUCT: Final = 2
STAGE_CART: Final = 3
STAGE_CHECKOUT: Final = 4
STAGE_BOUGHT: Final = 5

LONG_GAP: Final = 300.0
"""Seconds after which a pause no longer counts as looking at the page."""
TRAIL: Final = 0xFFF
"""The last three pages, four bits each."""


def find(ring: list[int], key: int, length: int) -> int:
    """The place of `key` among the first `length` entries of a ring, or -1."""
    for i in range(length):
        if ring[i] == key:
            return i
    return -1


def begin(state: State, hit: Hit) -> None:
    """The first event of a session: where it came from and when."""
    state.start = hit.time
    state.last = hit.time
    state.landing = hit.page
    state.device = hit.device
    state.channel = hit.channel
    state.country = hit.country


def note_moment(state: State, hit: Hit) -> None:
    """Time has moved on: the gap since the last event was spent on the page shown then."""
    gap = (hit.time - state.last) / 1000.0
    state.moments += 1
    state.gap = gap
    state.pace += (gap - state.pace) * 0.3
    state.longest_gap = max(state.longest_gap, gap)
    if 0 <= state.page < PAGES:
        state.dwell[state.page] += min(gap, LONG_GAP)
    state.last = hit.time


def note_step(state: State, hit: Hit) -> None:
    """A page or act that is new at this moment; several rows of one page are one step."""
    state.steps += 1
    if 0 <= hit.kind < KINDS:
        state.kinds[hit.kind] += 1
    if 0 <= hit.page < PAGES:
        state.pages[hit.page] += 1
    state.trail = ((state.trail * 16) + (hit.page & 15)) & TRAIL
    state.kind = hit.kind
    state.page = hit.page


def note_facts(state: State, hit: Hit) -> None:
    """What the catalogue knew of this product and its category before today, smoothed towards a rare event."""
    state.product_popularity = hit.product_views
    state.product_cart_rate = (hit.product_carts + 1.0) / (hit.product_views + 10.0)
    state.product_buy_rate = (hit.product_buys + 0.5) / (hit.product_views + 25.0)
    state.category_cart_rate = (hit.category_carts + 1.0) / (hit.category_views + 10.0)
    state.category_price = hit.category_cents / (hit.category_views * 100.0) if hit.category_views > 0 else 0.0
    state.rate_sum += state.product_buy_rate
    state.rate_count += 1


def note_price(state: State, hit: Hit) -> None:
    """The price of a product met, and the session's range of prices."""
    state.price = hit.price
    if state.priced == 0 or hit.price < state.min_price:
        state.min_price = hit.price
    state.priced += 1
    state.sum_price += hit.price
    state.max_price = max(state.max_price, hit.price)


def note_product(state: State, hit: Hit) -> None:
    """A product was shown, chosen or put in the cart."""
    place = find(state.ring, hit.product, PRODUCTS)
    if place < 0:
        place = state.products % PRODUCTS
        state.ring[place] = hit.product
        state.viewed &= ~(1 << place)
        state.products += 1
    if hit.kind == VIEW:
        if state.viewed & (1 << place):
            state.repeats += 1
        state.viewed |= 1 << place
    state.product = hit.product
    if hit.category != 0:
        if find(state.category_ring, hit.category, CATEGORIES) < 0:
            state.category_ring[state.categories % CATEGORIES] = hit.category
            state.categories += 1
        state.category = hit.category
    if hit.brand != 0:
        state.brand = hit.brand
    note_facts(state, hit)
    if hit.price > 0.0:
        note_price(state, hit)


def note_cart(state: State, hit: Hit) -> None:
    """Units put into the cart or taken out of it. A unit unknown counts as one."""
    units = hit.quantity if hit.quantity > 0 else 1
    if hit.kind == CART:
        if state.first_cart == 0:
            state.first_cart = hit.time
        state.last_cart = hit.time
        state.cart_units += units
        state.cart_value += hit.price * units
        state.cart_max_price = max(state.cart_max_price, hit.price)
    else:
        state.cart_units = max(0, state.cart_units - units)
        state.cart_value = max(0.0, state.cart_value - hit.price * units) if state.cart_units > 0 else 0.0


def note_checkout(state: State, hit: Hit, new: bool) -> None:
    """A checkout page: its step, and the value of the lines that it lists."""
    state.last_checkout = hit.time
    state.step = hit.page
    if new:
        state.checkouts += 1
        state.checkout_value = 0.0
    state.checkout_value += hit.price * (hit.quantity if hit.quantity > 0 else 1)


def note_purchase(state: State, hit: Hit, new: bool) -> None:
    """An order: its lines share one moment and count once; the cart is empty again."""
    if new:
        state.purchases += 1
    state.last_purchase = hit.time
    state.cart_units = 0
    state.cart_value = 0.0
    state.cart_max_price = 0.0
    state.first_cart = 0
    state.last_cart = 0


def note_stage(state: State, hit: Hit) -> None:
    """How far the session has come towards a purchase."""
    stage = STAGE_BROWSING
    if hit.kind == PURCHASE:
        stage = STAGE_BOUGHT
    elif CHECKOUT_PAGE <= hit.page <= REVIEW_PAGE or hit.kind == CHECKOUT or hit.kind == PAYMENT_INFO:
        stage = STAGE_CHECKOUT
    elif hit.kind == CART or hit.kind == VIEW_CART or hit.page == BASKET_PAGE:
        stage = STAGE_CART
    elif hit.kind == VIEW:
        stage = STAGE_PRODUCT
    state.stage = max(state.stage, stage)


def observe(state: State, hit: Hit) -> None:
    """Advance `state` by one event. Events of a session come in the order (time, sequence)."""
    new = state.events == 0
    if new:
        begin(state, hit)
        state.moments = 1
    elif hit.time > state.last:
        note_moment(state, hit)
        new = True
    if not new and (hit.kind != state.kind or hit.page != state.page):
        new = True
    state.events += 1
    if new:
        note_step(state, hit)
    state.hour = hit.hour
    state.weekday = hit.weekday
    state.shop_sessions = hit.shop_sessions
    state.shop_buyers = hit.shop_buyers
    if hit.product != 0:
        note_product(state, hit)
    if hit.page == BASKET_PAGE:
        if state.first_basket == 0:
            state.first_basket = hit.time
        state.last_basket = hit.time
    elif hit.page == SIGN_IN_PAGE and state.first_sign_in == 0:
        state.first_sign_in = hit.time
    if hit.kind == CART or hit.kind == REMOVE:
        note_cart(state, hit)
    elif hit.kind == PURCHASE:
        note_purchase(state, hit, new)
    elif hit.kind == LOGIN:
        state.login = 1
    elif CHECKOUT_PAGE <= hit.page <= REVIEW_PAGE:
        note_checkout(state, hit, new)
    note_stage(state, hit)


HELPERS = (
    find,
    begin,
    note_moment,
    note_step,
    note_facts,
    note_price,
    note_product,
    note_cart,
    note_checkout,
    note_purchase,
    note_stage,
    observe,
)
"""In the order in which they must be compiled."""
