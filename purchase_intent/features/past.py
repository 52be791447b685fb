"""How sessions become a visitor's past, and what a login joins: plain functions, the same live and compiled.

A session is told to the past when the visitor's next session begins, or at a login, in the order of the last events.
It is told by what is new since the last telling (`noted_` fields), so that a session that goes on beside another one
is neither lost nor counted twice.
"""

from __future__ import annotations

from typing import Final

from purchase_intent.features.observe import CART, find
from purchase_intent.features.state import PRODUCTS, STARTS, Past, State

__all__ = ["HELPERS", "copy_past", "merge", "tell"]

BOUGHT: Final = 1
CARTED: Final = 2
BASKET: Final = 4
CHECKOUT: Final = 8
LEFT: Final = 16


def remember(past: Past, key: int) -> None:
    """Put a product at the front of the past's ring, once."""
    place = find(past.ring, key, PRODUCTS)
    last = place if place >= 0 else PRODUCTS - 1
    for i in range(last, 0, -1):
        past.ring[i] = past.ring[i - 1]
    past.ring[0] = key


def note_start(past: Past, start: int) -> None:
    """Keep the latest session starts, the newest first."""
    for place in range(STARTS):
        if start > past.starts[place]:
            for i in range(STARTS - 1, place, -1):
                past.starts[i] = past.starts[i - 1]
            past.starts[place] = start
            return


def outcome(state: State) -> int:
    """Which stages the session reached, a bit each: bought, cart, basket, checkout, left something behind."""
    bits = 0
    if state.purchases > 0:
        bits |= BOUGHT
    if state.kinds[CART] > 0:
        bits |= CARTED
    if state.first_basket > 0:
        bits |= BASKET
    if state.checkouts > 0:
        bits |= CHECKOUT
    if state.purchases == 0 and (state.cart_units > 0 or state.checkouts > 0):
        bits |= LEFT
    return bits


def change(new: int, old: int, bit: int) -> int:
    """1 where a bit has come, else 0."""
    return 1 if new & bit and not old & bit else 0


def forget_left(past: Past, state: State) -> None:
    """What the session had left behind when it last told, it has bought or emptied since."""
    past.left = max(0, past.left - 1)
    if (past.last_left - state.start) / 1000.0 == state.noted_duration:
        past.left_units = 0
        past.left_value = 0.0
    if past.left == 0:
        past.last_left = 0


def tell_outcome(past: Past, state: State) -> None:
    """Count the session under the stages it reached, by what changed since the last telling."""
    bits, noted = outcome(state), state.noted_outcome
    past.bought += change(bits, noted, BOUGHT)
    past.carted += change(bits, noted, CARTED)
    past.basket += change(bits, noted, BASKET)
    past.checkout += change(bits, noted, CHECKOUT)
    state.noted_outcome = bits
    if noted & LEFT and not bits & LEFT:
        forget_left(past, state)
    if bits & LEFT:
        past.left += change(bits, noted, LEFT)
        past.last_left = state.last
        past.left_units = state.cart_units
        past.left_value = max(state.cart_value, state.checkout_value)
    if bits & BOUGHT:
        past.last_purchase = max(past.last_purchase, state.last_purchase)
        if past.last_left <= state.last_purchase:
            past.left_units = 0
            past.left_value = 0.0


def tell(past: Past, state: State) -> None:
    """Add to `past` what `state` holds beyond what it has told already."""
    duration = (state.last - state.start) / 1000.0
    if state.noted_events == 0:
        past.sessions += 1
        note_start(past, state.start)
    if past.first_seen == 0 or state.start < past.first_seen:
        past.first_seen = state.start
    past.last_seen = max(past.last_seen, state.last)
    past.events += state.events - state.noted_events
    past.moments += state.moments - state.noted_moments
    past.products += state.products - state.noted_products
    past.duration += duration - state.noted_duration
    past.priced += state.priced - state.noted_priced
    past.price += state.sum_price - state.noted_price
    past.purchases += state.purchases - state.noted_purchases
    past.last_stage = state.stage
    past.best_stage = max(past.best_stage, state.stage)
    past.last_moments = state.moments
    past.last_duration = duration
    tell_outcome(past, state)
    for i in range(PRODUCTS):
        key = state.ring[(state.products + i) % PRODUCTS]
        if key != 0:
            remember(past, key)
    state.noted_events = state.events
    state.noted_moments = state.moments
    state.noted_products = state.products
    state.noted_duration = duration
    state.noted_priced = state.priced
    state.noted_price = state.sum_price
    state.noted_purchases = state.purchases


def copy_past(target: Past, source: Past) -> None:
    """Make `target` equal to `source`, lists included."""
    target.known = source.known
    target.first_seen = source.first_seen
    target.last_seen = source.last_seen
    target.sessions = source.sessions
    target.events = source.events
    target.moments = source.moments
    target.products = source.products
    target.duration = source.duration
    target.priced = source.priced
    target.price = source.price
    target.purchases = source.purchases
    target.bought = source.bought
    target.carted = source.carted
    target.basket = source.basket
    target.checkout = source.checkout
    target.left = source.left
    target.last_purchase = source.last_purchase
    target.last_left = source.last_left
    target.left_units = source.left_units
    target.left_value = source.left_value
    target.last_stage = source.last_stage
    target.best_stage = source.best_stage
    target.last_moments = source.last_moments
    target.last_duration = source.last_duration
    for i in range(STARTS):
        target.starts[i] = source.starts[i]
    for i in range(PRODUCTS):
        target.ring[i] = source.ring[i]


def merge(known: Past, other: Past) -> None:
    """Join an anonymous past to a known visitor's; where only one answer fits, the later session's counts."""
    known.sessions += other.sessions
    known.events += other.events
    known.moments += other.moments
    known.products += other.products
    known.duration += other.duration
    known.priced += other.priced
    known.price += other.price
    known.purchases += other.purchases
    known.bought += other.bought
    known.carted += other.carted
    known.basket += other.basket
    known.checkout += other.checkout
    known.left += other.left
    known.last_purchase = max(known.last_purchase, other.last_purchase)
    if other.first_seen > 0 and (known.first_seen == 0 or other.first_seen < known.first_seen):
        known.first_seen = other.first_seen
    known.best_stage = max(known.best_stage, other.best_stage)
    if other.last_left > known.last_left:
        known.last_left = other.last_left
        known.left_units = other.left_units
        known.left_value = other.left_value
    if known.last_left <= known.last_purchase:
        known.left_units = 0
        known.left_value = 0.0
    if other.last_seen > known.last_seen:
        known.last_seen = other.last_seen
        known.last_stage = other.last_stage
        known.last_moments = other.last_moments
        known.last_duration = other.last_duration
    for i in range(STARTS):
        note_start(known, other.starts[i])
    for i in range(PRODUCTS - 1, -1, -1):
        if other.ring[i] != 0:
            remember(known, other.ring[i])


HELPERS = (remember, note_start, outcome, change, forget_left, tell_outcome, tell, copy_past, merge)
"""In the order in which they must be compiled."""
