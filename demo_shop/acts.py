"""What a shopper does, each act one function: the change, then the signal that tells of it.

Views call these and nothing below them, so whoever wants to know what happens in the shop listens in one place.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, User
from django.db import transaction
from django.http import HttpRequest

from demo_shop import basket as baskets
from demo_shop import checkout as checkouts
from demo_shop import offers, orders, signals
from demo_shop.basket import Basket, Owner
from demo_shop.checkout import Checkout
from demo_shop.models import Cart, Category, Order, Product
from demo_shop.refusals import Refused

__all__ = [
    "add_to_basket",
    "basket_of",
    "begin_checkout",
    "change_quantity",
    "choose_payment",
    "give_address",
    "keep_basket",
    "owner_of",
    "place_order",
    "placed_here",
    "remove_from_basket",
    "tell_of_account",
    "tell_of_basket",
    "tell_of_order",
    "tell_of_product",
    "tell_of_search",
    "tell_of_shelf",
    "tell_of_step",
]

_CART = "cart"
_ORDERS = "orders"
_MOST_ORDERS_KEPT = 20


def owner_of(request: HttpRequest) -> Owner:
    """Return whose basket this request is about."""
    if request.user.is_authenticated:
        return Owner(user_id=request.user.pk)
    return Owner(cart_id=request.session.get(_CART))


def basket_of(request: HttpRequest) -> Basket:
    """Return what is in this request's basket, with the offer that its shopper was given."""
    return baskets.contents(owner_of(request), free_delivery=offers.given(request.session))


def placed_here(request: HttpRequest) -> list[str]:
    """Return the numbers of the orders that this browser has placed, signed in or not."""
    kept: list[str] = request.session.get(_ORDERS, [])
    return kept


def add_to_basket(request: HttpRequest, product: Product, quantity: int) -> int:
    """Put so many more into the basket; return how many there are now. Raises Refused as `basket.add`."""
    owner = owner_of(request)
    with transaction.atomic():  # a refusal leaves no empty cart behind
        cart = baskets.open_cart(owner)
        now = baskets.add(cart, product, quantity)
    if owner.user_id is None:
        request.session[_CART] = cart.pk
    signals.basket_added.send_robust(Cart, request=request, product=product, quantity=quantity)
    return now


def change_quantity(request: HttpRequest, product: Product, quantity: int) -> int:
    """Have exactly so many in the basket; return the change. Raises Refused as `basket.set_quantity`."""
    cart = baskets.find(owner_of(request))
    if cart is None:
        raise Refused("This is not in your basket any more.", code="unknown")
    change = baskets.set_quantity(cart, product, quantity)
    if change > 0:
        signals.basket_added.send_robust(Cart, request=request, product=product, quantity=change)
    elif change < 0:
        signals.basket_removed.send_robust(Cart, request=request, product=product, quantity=-change)
    return change


def remove_from_basket(request: HttpRequest, product: Product) -> int:
    """Take a product out of the basket; return how many there were."""
    cart = baskets.find(owner_of(request))
    gone = baskets.remove(cart, product) if cart is not None else 0
    if gone:
        signals.basket_removed.send_robust(Cart, request=request, product=product, quantity=gone)
    return gone


def begin_checkout(request: HttpRequest, basket: Basket) -> Checkout:
    """Return the checkout under way, or begin one."""
    under_way = checkouts.current(request.session)
    if under_way is not None:
        return under_way
    begun = checkouts.begin()
    checkouts.keep(request.session, begun)
    signals.checkout_begun.send_robust(Checkout, request=request, basket=basket)
    return begun


def give_address(request: HttpRequest, checkout: Checkout, address: dict[str, str]) -> None:
    """Keep the address of the order to come."""
    checkouts.keep(request.session, replace(checkout, address=address))


def choose_payment(request: HttpRequest, checkout: Checkout, payment: str, basket: Basket) -> None:
    """Keep how the order to come is to be paid."""
    checkouts.keep(request.session, replace(checkout, payment=payment))
    signals.payment_chosen.send_robust(Checkout, request=request, basket=basket, payment=payment)


def place_order(request: HttpRequest, checkout: Checkout, *, seen: str, now: datetime) -> Order:
    """Place the order, or return the one that this checkout has placed already. Raises Refused as `orders.place`."""
    placed = orders.place(checkout, owner_of(request), seen=seen, now=now, free_delivery=offers.given(request.session))
    checkouts.end(request.session)
    kept = [number for number in placed_here(request) if number != placed.order.number]
    request.session[_ORDERS] = [*kept, placed.order.number][-_MOST_ORDERS_KEPT:]
    if placed.new:
        offers.use_up(request.session)
        lines = list(placed.order.lines.select_related("product__category__department"))
        signals.order_placed.send_robust(Order, request=request, order=placed.order, lines=lines)
    return placed.order


def tell_of_order(request: HttpRequest, order: Order) -> None:
    """Tell that somebody is thanked for an order."""
    signals.order_shown.send_robust(Order, request=request, order=order)


def tell_of_product(request: HttpRequest, product: Product) -> None:
    """Tell that somebody looks at a product's page."""
    signals.product_viewed.send_robust(Product, request=request, product=product)


def tell_of_shelf(request: HttpRequest, category_code: str) -> None:
    """Tell that somebody looks along a shelf: `home/kitchen`, `home`, or empty for all of the shop."""
    signals.shelf_viewed.send_robust(Category, request=request, category_code=category_code)


def tell_of_basket(request: HttpRequest, basket: Basket) -> None:
    """Tell that somebody looks into their basket."""
    signals.basket_viewed.send_robust(Cart, request=request, basket=basket)


def tell_of_step(request: HttpRequest, step: str, basket: Basket) -> None:
    """Tell that somebody sees a step of the checkout, by the step's URL name."""
    signals.step_viewed.send_robust(Checkout, request=request, step=step, basket=basket)


def tell_of_account(request: HttpRequest, user: User) -> None:
    """Tell that somebody has made an account, before they are signed in to it."""
    signals.registered.send_robust(User, request=request, user=user)


def tell_of_search(request: HttpRequest, query: str, found: int) -> None:
    """Tell that somebody searched, and how many products they found."""
    signals.searched.send_robust(Product, request=request, query=query, found=found)


def keep_basket(request: HttpRequest, user: AbstractBaseUser, **_: Any) -> None:
    """Have the basket survive a login: a receiver of Django's `user_logged_in`."""
    cart_id = request.session.pop(_CART, None)
    if cart_id is not None:
        baskets.join(cart_id, user.pk)
