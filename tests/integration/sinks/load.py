"""Shoppers in threads, while things happen to the servers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event as Signal
from threading import Lock

from django.db import connections
from django.test import Client

from tests.integration.tracking.words import BROWSER

__all__ = ["Load", "under_load"]

AT_ONCE = 3
PAGES = 100
"""Pages of a shopper at most: who looks at more in such haste is taken for a bot."""


@dataclass
class Load:
    """What came of shopping: the status of each page, and how many shoppers there were."""

    statuses: list[int] = field(default_factory=list)
    shoppers: int = 0


def shop_until(over: Signal, load: Load, counting: Lock) -> None:
    """One shopper after another goes from page to page in a thread of its own."""
    while not over.is_set():
        with counting:
            load.shoppers += 1
        client = Client(headers={"User-Agent": BROWSER})
        load.statuses.append(client.get("/product/7/").status_code)
        for _ in range(PAGES - 1):
            if over.is_set():
                break
            load.statuses.append(client.get("/product/7/").status_code)
    connections.close_all()


def under_load(*happenings: Callable[[], object]) -> Load:
    """Have things happen while shoppers shop."""
    over, load, counting = Signal(), Load(), Lock()
    statuses = load.statuses

    def reach(count: int) -> None:
        while len(statuses) < count:
            over.wait(0.01)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        shoppers = [pool.submit(shop_until, over, load, counting) for _ in range(AT_ONCE)]
        try:
            for happening in happenings:
                reach(len(statuses) + 20)
                happening()
            reach(len(statuses) + 20)
        finally:
            over.set()
        for shopper in shoppers:
            shopper.result()
    return load
