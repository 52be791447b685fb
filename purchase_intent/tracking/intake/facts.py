"""What the catalogue says of the products in a batch: each asked for once."""

from __future__ import annotations

import logging
from typing import Final

from purchase_intent.adapters import ProductFacts, Shop

__all__ = ["Catalogue"]

logger: Final = logging.getLogger("purchase_intent.tracking")


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
