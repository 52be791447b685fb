"""Bots: price watchers and search engines that walk the shelves fast and evenly, and never touch a cart."""

from __future__ import annotations

import numpy as np

from demo_shop.simulator.catalogue import Catalogue
from demo_shop.simulator.chance import Floats, Ints, normal, uniform
from demo_shop.simulator.rhythm import Rhythm
from demo_shop.simulator.rows import ROW, TRUTH, Table, session_number
from demo_shop.simulator.shoppers import visitor_keys
from purchase_intent.events.names import EventName, Page

__all__ = ["BOT_SHARE", "crawl"]

BOT_SHARE = 0.004
"""Of arrivals. Most bots run no scripts and so never reach such a log; these do."""

_DESKTOP = 1
_DIRECT = 1


def crawl(visitor: Ints, time: Ints, catalogue: Catalogue, rhythm: Rhythm, seed: int) -> tuple[Table, Table]:
    """Events and truths of bots arriving at `time`: one session each, a third of its pages listings."""
    keys = visitor_keys(seed, visitor)
    length = np.clip(np.exp(4.0 + 0.6 * normal(keys, 40)), 15, 400).astype(np.int64)
    beat = 700 + 2300 * uniform(keys, 41)
    country = (uniform(keys, 42) * 6).astype(np.int64)
    start = (uniform(keys, 43) * len(catalogue)).astype(np.int64)
    bot = np.repeat(np.arange(len(visitor)), length)
    step = np.arange(len(bot)) - np.repeat(np.cumsum(length) - length, length)
    rows = np.zeros(len(bot), dtype=ROW)
    rows["time"] = time[bot] + (beat[bot] * step * _even(keys[bot], step)).astype(np.int64)
    rows["session"] = session_number(visitor, np.zeros_like(visitor))[bot]
    rows["user"] = visitor[bot] * 4 + 1
    rows["device"], rows["channel"], rows["country"] = _DESKTOP, _DIRECT, country[bot]
    rows["bot"] = True
    product = (start[bot] + step) % len(catalogue)
    rows["shelf"] = catalogue.shelf[product]
    listing = step % 10 == 0
    rows["kind"] = np.where(listing, EventName.PAGE_VIEW, EventName.VIEW)
    rows["page"] = np.where(listing, Page.LISTING, Page.PRODUCT)
    rows["product"] = np.where(listing, -1, product)
    department = catalogue.department_of_shelf[rows["shelf"]]
    price = np.round(catalogue.price[product] * rhythm.price_factor(rows["time"], department), 2)
    rows["price"] = np.where(listing, 0.0, price)
    rows["search"] = -1
    truth = np.zeros(len(visitor), dtype=TRUTH)
    truth["session"] = session_number(visitor, np.zeros_like(visitor))
    truth["start"] = time
    truth["bot"] = True
    return rows, truth


def _even(keys: np.ndarray[tuple[int], np.dtype[np.uint64]], step: Ints) -> Floats:
    """A beat that wavers by a hundredth from bot to bot, never within one."""
    return 0.995 + 0.01 * uniform(keys, 44) + 0.0 * step
