"""What a shopper may do next: weights by page, and how the hidden state tilts them.

The weights were set so that the figures of docs/simulator.md come out; they are the shop's design, not data.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from demo_shop.simulator.chance import Floats, Ints, uniform
from demo_shop.simulator.shoppers import Party
from purchase_intent.events.names import Page

__all__ = ["Move", "choose", "gap_ms", "landing"]


class Move(IntEnum):
    """A step of a session."""

    LEAVE = 0
    HOME = 1
    LIST = 2
    SEARCH = 3
    SELECT = 4
    FAVOURITE = 5
    INTERACT = 6
    CART = 7
    WISH = 8
    BASKET = 9
    REMOVE = 10
    CHECKOUT = 11
    PAYMENT = 12
    REVIEW = 13
    PURCHASE = 14
    ACCOUNT = 15
    INFO = 16


_M = Move
_WEIGHTS: dict[Page, dict[Move, float]] = {
    Page.HOME: {
        _M.LEAVE: 30, _M.LIST: 42, _M.SEARCH: 15, _M.SELECT: 16, _M.ACCOUNT: 3, _M.INFO: 5, _M.BASKET: 5,
        _M.FAVOURITE: 3,
    },
    Page.LISTING: {
        _M.LEAVE: 22, _M.LIST: 27, _M.SEARCH: 6, _M.SELECT: 44, _M.HOME: 4, _M.BASKET: 3, _M.FAVOURITE: 2,
    },
    Page.SEARCH: {_M.LEAVE: 18, _M.SEARCH: 14, _M.SELECT: 55, _M.LIST: 6, _M.HOME: 2},
    Page.PRODUCT: {
        _M.LEAVE: 22, _M.SELECT: 15, _M.LIST: 26, _M.SEARCH: 5, _M.INTERACT: 12, _M.CART: 2.6, _M.WISH: 0.8,
        _M.FAVOURITE: 3, _M.BASKET: 14, _M.INFO: 2, _M.HOME: 3, _M.CHECKOUT: 2,
    },
    Page.BASKET: {
        _M.LEAVE: 22, _M.CHECKOUT: 26, _M.REMOVE: 9, _M.LIST: 16, _M.FAVOURITE: 8, _M.INFO: 3, _M.HOME: 5, _M.SELECT: 4,
    },
    Page.CHECKOUT: {_M.LEAVE: 36, _M.PAYMENT: 56, _M.BASKET: 12, _M.INFO: 3, _M.LIST: 3},
    Page.PAYMENT: {_M.LEAVE: 26, _M.REVIEW: 70, _M.BASKET: 6, _M.CHECKOUT: 5},
    Page.REVIEW: {_M.LEAVE: 20, _M.PURCHASE: 66, _M.BASKET: 8, _M.PAYMENT: 4},
    Page.CONFIRMATION: {_M.LEAVE: 72, _M.ACCOUNT: 8, _M.HOME: 10, _M.LIST: 5},
    Page.ACCOUNT: {_M.LEAVE: 45, _M.HOME: 15, _M.LIST: 15, _M.SEARCH: 5, _M.BASKET: 3},
    Page.INFORMATION: {_M.LEAVE: 40, _M.LIST: 15, _M.FAVOURITE: 8, _M.HOME: 10, _M.BASKET: 4},
}  # fmt: skip

_DESIRE = {
    _M.LEAVE: -0.22, _M.CART: 0.55, _M.BASKET: 0.25, _M.CHECKOUT: 0.6, _M.PAYMENT: 0.65, _M.REVIEW: 0.65,
    _M.PURCHASE: 0.65, _M.FAVOURITE: 0.3, _M.INTERACT: 0.15, _M.INFO: 0.1,
}  # fmt: skip
_ENERGY = {_M.LEAVE: -0.85}
_HOARD = {_M.CART: 0.8, _M.WISH: 0.8, _M.CHECKOUT: -0.5, _M.BASKET: 0.15}

_MONEY_STEPS = np.array([_M.CHECKOUT, _M.PAYMENT, _M.REVIEW, _M.PURCHASE])
_MONEY_PAGES = np.array([Page.BASKET, Page.CHECKOUT, Page.PAYMENT, Page.REVIEW])
_FREE_SHIPPING = 49.0
_NEVER = -60.0
_WRONG_DOOR = 0.9  # many see one page and know it is not what they came for

# Middle of the pause on a page in seconds; pauses are log-normal.
_PAUSE = {
    Page.HOME: 16.0, Page.LISTING: 22.0, Page.SEARCH: 14.0, Page.PRODUCT: 30.0, Page.BASKET: 28.0,
    Page.CHECKOUT: 62.0,
    Page.PAYMENT: 48.0, Page.REVIEW: 24.0, Page.CONFIRMATION: 40.0, Page.ACCOUNT: 30.0, Page.INFORMATION: 38.0,
}  # fmt: skip
_PAUSE_SPREAD = 0.95
_LONGEST_PAUSE = 25 * 60_000


def _by_move(slopes: dict[Move, float]) -> Floats:
    return np.array([slopes.get(move, 0.0) for move in Move])


def _logits(weights: dict[Move, float]) -> list[float]:
    return [float(np.log(weights[move])) if move in weights else _NEVER for move in Move]


_BASE = np.array([_logits(_WEIGHTS.get(page, {_M.LEAVE: 1.0})) for page in Page])
_PAUSES = np.array([_PAUSE.get(page, 20.0) for page in Page])
_SLOPES = (_by_move(_DESIRE), _by_move(_ENERGY), _by_move(_HOARD))


def choose(party: Party, who: Ints, draws: Floats, match: Floats, *, landed: bool, tilt: Floats | None = None) -> Ints:
    """The next move of each of `who`.

    `match` is how well the product in view suits them, in standard deviations; `landed` marks the first page;
    `tilt` is what experiments add to each move [n, moves], in logits.
    """
    # No matrix product: its last bits depend on how many sessions share the batch.
    logits = _BASE[party.page[who]]
    for hidden, slopes in zip((party.desire, party.energy, party.hoard), _SLOPES, strict=True):
        logits += hidden[who][:, None] * slopes
    empty = party.quantity[who].sum(axis=1) == 0
    logits[empty, _M.CHECKOUT] = _NEVER
    logits[empty, _M.REMOVE] = _NEVER
    logits[empty, _M.BASKET] -= 3.0
    logits[:, _M.CART] += 0.5 * match + 0.9 * ~empty
    has_it = (party.cart[who] == party.product[who][:, None]).any(axis=1)
    logits[has_it, _M.CART] -= 3.0
    logits[(party.cart[who] >= 0).all(axis=1), _M.CART] = _NEVER
    logits[party.memory["favourite"][who] < 0, _M.FAVOURITE] = _NEVER
    logits[~party.memory["account"][who], _M.ACCOUNT] = _NEVER
    logits[:, _M.LEAVE] += _WRONG_DOOR * landed
    # Friction: shipping costs on small carts, thumbs on small screens, an address to type for strangers.
    friction = 0.35 * (party.cart_value[who] < _FREE_SHIPPING) + 0.2 * (party.device[who] == 0)
    friction += np.where(party.user[who] % 4 == 0, -0.45, 0.1)
    logits[:, _MONEY_STEPS] -= friction[:, None]
    if tilt is not None:
        logits += tilt
    edges = np.cumsum(np.exp(logits), axis=1)
    return np.asarray((edges[:, :-1] <= (draws * edges[:, -1])[:, None]).sum(axis=1), dtype=np.int64)


def landing(party: Party) -> Ints:
    """The first move: where the channel leads, a cart left open pulling some straight to the basket."""
    draws = uniform(party.key, 20)
    channel = party.channel
    home = np.select([channel == 1, channel == 5], [0.70, 0.25], 0.25)
    listing = np.select([channel == 1, channel == 5], [0.12, 0.35], 0.30)
    moves = np.select([draws < home, draws < home + listing], [Move.HOME, Move.LIST], Move.SELECT)
    open_cart = party.quantity.sum(axis=1) > 0
    recalled = uniform(party.key, 21) < np.where(channel == 5, 0.40, 0.10)
    moves = np.where(open_cart & recalled, Move.BASKET, moves)
    again = (party.memory["favourite"] >= 0) & (uniform(party.key, 22) < 0.3) & (moves == Move.SELECT)
    return np.asarray(np.where(again, Move.FAVOURITE, moves), dtype=np.int64)


def gap_ms(page: Ints, desire: Floats, normals: Floats) -> Ints:
    """Milliseconds spent on a page: log-normal, under the 30 minutes after which a session would end.

    Who is sure of the purchase hesitates less where money is asked for.
    """
    hesitation = -0.2 * desire * np.isin(page, _MONEY_PAGES)
    seconds = _PAUSES[page] * np.exp(_PAUSE_SPREAD * normals + hesitation)
    return np.asarray(np.clip(seconds * 1000, 700, _LONGEST_PAUSE), dtype=np.int64)
