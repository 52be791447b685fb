"""The adapter to a shop of django-oscar: subclass it with the shop's answer about consent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from purchase_intent.adapters import ProductFacts, Shop
from purchase_intent.contrib.oscar.pages import page_of
from purchase_intent.contrib.oscar.telling import connect
from purchase_intent.events import Page

__all__ = ["OscarShop"]


class OscarShop(Shop):
    """Answers for oscar's catalogue, pages and people; `consent` stays the host's to answer."""

    def __init__(self) -> None:
        self.currency = type(self).currency or getattr(settings, "OSCAR_DEFAULT_CURRENCY", "")

    def connect(self) -> None:
        """Listen to oscar's signals. Without django-oscar nothing is done: the app's check names it."""
        if find_spec("oscar") is not None:
            connect()

    def page(self, request: HttpRequest) -> Page:
        """The role of a page, by its URL's name."""
        match = request.resolver_match
        return page_of(match.view_name) if match is not None else Page.OTHER

    def product(self, product: str) -> ProductFacts:
        """The catalogue's facts by key: the path of the first category, and the price of nobody in particular."""
        found = self._products({product}).first()
        if found is None:
            return ProductFacts()
        return ProductFacts(category=self.category(found), brand=self.brand(found), price=self.price(found))

    def product_names(self, products: Collection[str]) -> Mapping[str, str]:
        """The catalogue's titles by key."""
        return {str(product.pk): product.get_title() for product in self._products(products)}

    def category(self, product: Any) -> str:
        """The path of a product's first category in the catalogue's order, such as `books/fiction`."""
        first = product.get_categories().order_by("path").first()
        return str(first.full_slug) if first is not None else ""

    def brand(self, product: Any) -> str:
        """A product's brand: oscar has no such field, so a shop that keeps it elsewhere overrides this."""
        return ""

    def price(self, product: Any) -> float | None:
        """A product's price with taxes where they are known, by the shop's own strategy; None where it has none."""
        from oscar.core.loading import get_class

        strategy = get_class("partner.strategy", "Selector")().strategy()
        ask = strategy.fetch_for_parent if product.is_parent else strategy.fetch_for_product
        price = ask(product).price
        amount = (price.incl_tax if price.is_tax_known else price.excl_tax) if price.exists else None
        return None if amount is None else float(amount)

    def _products(self, keys: Collection[str]) -> Any:
        from oscar.core.loading import get_model

        numbers = [int(key) for key in keys if key.isascii() and key.isdigit() and len(key) < 19]
        return get_model("catalogue", "Product").objects.filter(pk__in=numbers)
