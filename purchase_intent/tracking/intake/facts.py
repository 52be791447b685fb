"""What the catalogue says of the products in a batch: each asked for once."""

from __future__ import annotations

import logging
import time
from functools import lru_cache
from typing import Final

from purchase_intent.adapters import ProductFacts, Shop, current_shop
from purchase_intent.scoring.faults import tell_once

__all__ = ["Catalogue", "RememberedCatalogue", "remembered_catalogue"]

FRESH: Final = 60.0
"""Seconds for which a process believes what the shop has said of a product."""
MOST: Final = 20_000
"""Products that a process remembers; then it begins anew."""

logger: Final = logging.getLogger("purchase_intent.tracking")
clock = time.monotonic
"""Seconds; tests replace it."""


class Catalogue:
    """The shop's answers. What it cannot answer is not known; the first fault is logged."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._known: dict[str, ProductFacts] = {}
        self._failed = False

    def facts(self, product: str | None) -> ProductFacts:
        """Category, brand and price of a product."""
        if not product:
            return ProductFacts()
        if product not in self._known:
            self._known[product] = self._asked(product)
        return self._known[product]

    def _asked(self, product: str) -> ProductFacts:
        try:
            return self._shop.product(product)
        except Exception as error:
            if not self._failed:
                logger.error("Shop.product failed: %s: mend the shop's adapter.", type(error).__name__, exc_info=error)
            self._failed = True
            return ProductFacts()


class RememberedCatalogue(Catalogue):
    """The shop's answers, kept for a minute over many requests: for what is only asked about, and often.

    Without a lock: what two threads do at once costs a question to the shop, and never gives a wrong answer.
    """

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop)
        self._held: dict[str, tuple[float, ProductFacts]] = {}

    def facts(self, product: str | None) -> ProductFacts:
        """Category, brand and price of a product, as they were within the last minute."""
        if not product:
            return ProductFacts()
        now, held = clock(), self._held.get(product)
        if held is not None and now - held[0] < FRESH:
            return held[1]
        try:
            found = self._shop.product(product)
        except Exception as error:  # noqa: BLE001 - the edge to the shop's own code
            tell_once(error, effect="A product was scored without what the catalogue knows of it")
            return ProductFacts()
        if len(self._held) >= MOST:
            self._held.clear()
        self._held[product] = (now, found)
        return found


def remembered_catalogue() -> RememberedCatalogue:
    """The process's own, of the shop as the settings name it now."""
    return _remembered(current_shop())


@lru_cache(maxsize=8)
def _remembered(shop: Shop) -> RememberedCatalogue:
    return RememberedCatalogue(shop)
