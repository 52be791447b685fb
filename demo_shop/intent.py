"""The shop as `purchase_intent` sees it: the adapter that the settings name, and what the shop's acts are told as.

Each act is spelled as the simulated log spells it, so that a model trained on the log knows the shop: the table is in
docs/demo-shop.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import Resolver404, resolve

from demo_shop import consent, signals
from demo_shop.consent import Answer
from demo_shop.models import Order, OrderLine, Product
from purchase_intent.adapters import ProductFacts, Shop
from purchase_intent.events import Page
from purchase_intent.shortcuts import Line, shown_again, track, track_order

__all__ = ["TidewellShop"]

_PAGES = MappingProxyType(
    {
        "home": Page.HOME,
        "listing": Page.LISTING,
        "search": Page.SEARCH,
        "product": Page.PRODUCT,
        "basket": Page.BASKET,
        "basket_change": Page.BASKET,
        "basket_remove": Page.BASKET,
        "checkout_address": Page.CHECKOUT,
        "checkout_payment": Page.PAYMENT,
        "checkout_review": Page.REVIEW,
        "confirmation": Page.CONFIRMATION,
        "sign_in": Page.SIGN_IN,
        "register": Page.REGISTER,
        "account": Page.ACCOUNT,
        "order": Page.ACCOUNT,
        "information": Page.INFORMATION,
        "privacy": Page.INFORMATION,
    }
)
"""Role of each page of the shop, by URL name."""

_STEPS = MappingProxyType(
    {"checkout_address": "checkout", "checkout_payment": "payment_info", "checkout_review": "checkout"}
)
"""What a step of the checkout is told as, when it is shown."""

_LISTS = frozenset({"home", "listing", "search"})
"""Pages, by URL name, on which products are chosen from a list."""


class TidewellShop(Shop):
    """What only this shop can answer."""

    currency = "EUR"

    def connect(self) -> None:
        """Listen to what shoppers do."""
        for signal, receiver in _RECEIVERS:
            signal.connect(receiver, dispatch_uid=f"demo_shop.intent.{receiver.__name__}")

    def consent(self, request: HttpRequest) -> bool:
        """Whether the visitor said yes to the banner."""
        return consent.answer(request) is Answer.ACCEPTED

    def page(self, request: HttpRequest) -> Page:
        """The page's role, by its URL's name."""
        match = request.resolver_match
        return _PAGES.get((match.url_name or "") if match is not None else "", Page.OTHER)

    def referrer(self, request: HttpRequest) -> str:
        """What led here, or to the page on which the visitor said yes."""
        return consent.came_from(request)

    def product(self, product: str) -> ProductFacts:
        """The catalogue's facts of a product, by its number."""
        if not _is_number(product):
            return ProductFacts()
        found = Product.objects.select_related("category__department").filter(pk=int(product)).first()
        return ProductFacts() if found is None else _facts(found)

    def product_names(self, products: Collection[str]) -> Mapping[str, str]:
        """The catalogue's names, by number."""
        numbers = [int(product) for product in products if _is_number(product)]
        named = Product.objects.filter(pk__in=numbers).values_list("pk", "name") if numbers else ()
        return {str(number): name for number, name in named}


def _is_number(product: str) -> bool:
    return product.isascii() and product.isdigit() and len(product) < 19


def _facts(product: Product) -> ProductFacts:
    return ProductFacts(category=product.category_code, brand=product.brand, price=float(product.price))


def _tell(
    request: HttpRequest, name: str, product: Product, *, quantity: int | None = None, page: Page | None = None
) -> None:
    track(
        request,
        name,
        page=page,
        product=str(product.pk),
        category=product.category_code,
        brand=product.brand,
        price=float(product.price),
        quantity=quantity,
    )


def _page_before(request: HttpRequest) -> str:
    """The path of the page of this shop from which a link or a form led here; empty where none did."""
    try:
        came_from = urlsplit(consent.came_from(request))
    except ValueError:  # a browser sends no such thing, but anyone can
        return ""
    return came_from.path if came_from.netloc == request.get_host() else ""


def _is_list(path: str) -> bool:
    try:
        return resolve(path).url_name in _LISTS
    except Resolver404:
        return False


def shelf_viewed(request: HttpRequest, category_code: str, **_: Any) -> None:
    """A list of products was shown: a page view with its category."""
    track(request, "page_view", category=category_code)


def searched(request: HttpRequest, query: str, **_: Any) -> None:
    """Search results were shown."""
    track(request, "search", search=query)


def product_viewed(request: HttpRequest, product: Product, **_: Any) -> None:
    """A product's page was shown; chosen from a list first, where it was.

    Shown again because it was put into the basket, it is no second look.
    """
    before = _page_before(request)
    if before == request.path:
        shown_again(request)
        return
    if before and _is_list(before):
        _tell(request, "select_item", product, page=Page.LISTING)
    _tell(request, "view", product)


def basket_added(request: HttpRequest, product: Product, quantity: int, **_: Any) -> None:
    """So many more were put into the basket."""
    _tell(request, "cart", product, quantity=quantity)


def basket_removed(request: HttpRequest, product: Product, quantity: int, **_: Any) -> None:
    """So many were taken out of the basket."""
    _tell(request, "remove_from_cart", product, quantity=quantity)


def basket_viewed(request: HttpRequest, **_: Any) -> None:
    """The basket was shown."""
    track(request, "view_cart")


def step_viewed(request: HttpRequest, step: str, **_: Any) -> None:
    """A step of the checkout was shown."""
    track(request, _STEPS[step])


def registered(request: HttpRequest, **_: Any) -> None:
    """An account was made; the login that follows is seen by the middleware."""
    track(request, "sign_up")


def order_placed(request: HttpRequest, order: Order, lines: list[OrderLine], **_: Any) -> None:
    """An order was placed: its lines at one moment. Its total is that of the goods, as in the log."""
    track_order(
        request,
        number=order.number,
        revenue=order.goods,
        lines=[_line(line) for line in lines],
        currency=TidewellShop.currency,
    )


def order_shown(request: HttpRequest, **_: Any) -> None:
    """The shopper is thanked for the order, which was told when it was placed."""
    shown_again(request)


def _line(line: OrderLine) -> Line:
    facts = ProductFacts() if line.product is None else _facts(line.product)
    return Line(
        product="" if line.product is None else str(line.product.pk),
        category=facts.category,
        brand=facts.brand,
        price=float(line.price),
        quantity=line.quantity,
    )


_RECEIVERS: tuple[tuple[Any, Callable[..., None]], ...] = (
    (signals.shelf_viewed, shelf_viewed),
    (signals.searched, searched),
    (signals.product_viewed, product_viewed),
    (signals.basket_added, basket_added),
    (signals.basket_removed, basket_removed),
    (signals.basket_viewed, basket_viewed),
    (signals.step_viewed, step_viewed),
    (signals.registered, registered),
    (signals.order_placed, order_placed),
    (signals.order_shown, order_shown),
)
