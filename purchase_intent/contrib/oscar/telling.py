"""What shoppers of a shop of django-oscar do, told as the simulated log spells it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest

from purchase_intent.contrib.oscar.answering import current_request
from purchase_intent.contrib.oscar.pages import before, is_list, leads_back
from purchase_intent.events import Page
from purchase_intent.shortcuts import Line, shown_again, track, track_order

__all__ = ["connect", "quantities", "tell_changed"]

logger = logging.getLogger("purchase_intent.tracking")


def connect() -> None:
    """Listen to django-oscar's signals, each once however often this is called."""
    from oscar.apps.basket.signals import basket_addition
    from oscar.apps.catalogue.signals import product_viewed
    from oscar.apps.checkout.signals import start_checkout
    from oscar.apps.customer.signals import user_registered
    from oscar.apps.order.signals import order_placed
    from oscar.apps.search.signals import user_search

    heard: Final[tuple[tuple[Any, Callable[..., None]], ...]] = (
        (product_viewed, _product_viewed),
        (basket_addition, _basket_addition),
        (start_checkout, _start_checkout),
        (order_placed, _order_placed),
        (user_registered, _user_registered),
        (user_search, _user_search),
    )
    for signal, receiver in heard:
        signal.connect(receiver, dispatch_uid=f"purchase_intent.contrib.oscar.{receiver.__name__}")


def quantities(request: HttpRequest) -> Counter[str]:
    """How many of each product are in the request's basket, by the key that events have of it."""
    from oscar.core.loading import get_model

    basket, found = getattr(request, "basket", None), Counter[str]()
    if basket is not None and basket.id is not None:
        lines = get_model("basket", "Line").objects.filter(basket=basket.id)
        for own, parent, quantity in lines.values_list("product", "product__parent", "quantity"):
            found[str(parent or own)] += quantity
    return found


def tell_changed(request: HttpRequest, earlier: Counter[str], later: Counter[str]) -> None:
    """Tell what the basket's form has put into it and taken out, product by product."""
    for product in sorted(earlier | later):
        more = later[product] - earlier[product]
        if more:
            track(request, "cart" if more > 0 else "remove_from_cart", product=product, quantity=abs(more))


def _product_viewed(product: Any, request: HttpRequest, **_: Any) -> None:
    """A product's page was shown; chosen from a list first, where it was. Shown again after its form, nothing."""
    if leads_back(request):
        shown_again(request)
        return
    came_from = before(request)
    if came_from and is_list(came_from):
        track(request, "select_item", product=_key(product), page=Page.LISTING)
    track(request, "view", product=_key(product))


def _basket_addition(product: Any, request: HttpRequest, **_: Any) -> None:
    """A product was put into the basket, so many as its form says."""
    given = request.POST.get("quantity", "")
    quantity = int(given) if given.isascii() and given.isdigit() and len(given) < 7 else 1
    track(request, "cart", product=_key(product), quantity=quantity, page=Page.PRODUCT)


def _start_checkout(request: HttpRequest, **_: Any) -> None:
    track(request, "checkout", page=Page.CHECKOUT)


def _user_registered(request: HttpRequest, **_: Any) -> None:
    """An account was made; the login that follows is Django's own signal."""
    track(request, "sign_up")


def _user_search(sender: Any, query: str, **_: Any) -> None:
    """Search results were asked for; not again for their further pages and narrower choices."""
    if query.strip() and not {"page", "selected_facets"} & set(sender.request.GET):
        track(sender.request, "search", search=query)


def _order_placed(order: Any, **_: Any) -> None:
    """An order was placed, by whichever view: at what the customer pays for it, taxes and delivery included."""
    request = current_request()
    if request is None:
        logger.info("Order %s was placed outside a request of its shopper, so it is not recorded.", order.number)
        return
    lines = [
        Line(product=_key(line.product) if line.product else "", price=line.unit_price_incl_tax, quantity=line.quantity)
        for line in order.lines.select_related("product")
    ]
    track_order(request, number=order.number, revenue=order.total_incl_tax, lines=lines, currency=order.currency)


def _key(product: Any) -> str:
    """A product's own key; of a variant that of its parent, whose page it is chosen on."""
    return str(product.parent_id or product.pk)
