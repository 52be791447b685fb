"""Shoppers in threads, while things happen to the servers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Signal

from django.db import connections
from django.test import Client

from tests.integration.tracking.words import BROWSER

__all__ = ["SHOPPERS", "under_load"]

SHOPPERS = 3


def shop_until(over: Signal, statuses: list[int]) -> None:
    """One shopper goes from page to page in a thread of its own."""
    client = Client(headers={"User-Agent": BROWSER})
    while not over.is_set():
        statuses.append(client.get("/product/7/").status_code)
    connections.close_all()


def under_load(*happenings: Callable[[], object]) -> list[int]:
    """Have things happen while shoppers shop; the statuses of all pages."""
    over, statuses = Signal(), list[int]()

    def reach(count: int) -> None:
        while len(statuses) < count:
            over.wait(0.01)

    with ThreadPoolExecutor(SHOPPERS) as pool:
        shoppers = [pool.submit(shop_until, over, statuses) for _ in range(SHOPPERS)]
        try:
            for happening in happenings:
                reach(len(statuses) + 20)
                happening()
            reach(len(statuses) + 20)
        finally:
            over.set()
        for shopper in shoppers:
            shopper.result()
    return statuses
