"""Placing an order, once, of what is there, at the prices that were seen; and finding it again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.crypto import get_random_string

from demo_shop import basket as baskets
from demo_shop.basket import Basket, Owner
from demo_shop.checkout import Checkout, fingerprint
from demo_shop.models import Cart, CartLine, Order, OrderLine, Product
from demo_shop.refusals import Refused

__all__ = ["Placed", "by_attempt", "of_user", "place", "readable"]

_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that is mistaken for another


@dataclass(frozen=True, slots=True)
class Placed:
    """An order and whether this call placed it; False where an earlier submit of the same checkout did."""

    order: Order
    new: bool


@transaction.atomic
def place(checkout: Checkout, owner: Owner, *, seen: str, now: datetime, free_delivery: bool = False) -> Placed:
    """Turn the owner's basket into an order, take the stock, and empty the basket: all of it or nothing.

    The cart's row is locked first, so two submits come in turn, and the second finds the first's order.

    Args:
        seen: fingerprint of the basket as the shopper saw it when they said yes.
        free_delivery: an offer that the shopper was given.

    Raises:
        Refused: the basket is empty, something in it cannot be had, or a price or quantity is not what was seen.
    """
    cart = baskets.find(owner)
    if cart is not None:
        Cart.objects.select_for_update().get(pk=cart.pk)
    earlier = by_attempt(checkout.attempt)
    if earlier is not None:
        return Placed(earlier, new=False)
    basket = _locked(cart, free_delivery=free_delivery)
    if not basket.lines:
        raise Refused("Your basket is empty.", code="empty")
    if not basket.can_be_ordered:
        raise Refused("Something in your basket cannot be had as it stands.", code="shortage")
    if fingerprint(basket) != seen:
        raise Refused("A price or quantity has changed. Please look again before you order.", code="changed")
    order = _written(checkout, basket, owner, now)
    CartLine.objects.filter(cart=cart).delete()
    return Placed(order, new=True)


def by_attempt(attempt: UUID) -> Order | None:
    """Return the order that a checkout has led to, if it has."""
    return Order.objects.filter(attempt=attempt).first()


def of_user(user_id: int) -> QuerySet[Order]:
    """Return a user's orders with their lines, the latest first."""
    return Order.objects.filter(user_id=user_id).prefetch_related("lines__product__category__department")


def readable(number: str, *, user_id: int | None, numbers: Collection[str]) -> Order | None:
    """Return an order if it is the user's, or one that this browser placed; else None, as if there were none."""
    whose = Q(number__in=list(numbers))
    if user_id is not None:
        whose |= Q(user_id=user_id)
    found = Order.objects.filter(whose, number=number).prefetch_related("lines__product__category__department")
    return found.first()


def _locked(cart: Cart | None, *, free_delivery: bool) -> Basket:
    """Return the basket with its products' rows locked, as they stand now."""
    lines = tuple(CartLine.objects.filter(cart=cart)) if cart is not None else ()
    wanted = [line.product_id for line in lines]
    products = {each.pk: each for each in Product.objects.select_for_update().filter(pk__in=wanted).order_by("pk")}
    for line in lines:
        line.product = products[line.product_id]
    return Basket(lines, free_delivery)


def _written(checkout: Checkout, basket: Basket, owner: Owner, now: datetime) -> Order:
    order = Order.objects.create(
        number=f"{now:%y%m%d}-{get_random_string(6, _LETTERS)}",
        attempt=checkout.attempt,
        user_id=owner.user_id,
        payment=checkout.payment,
        goods=basket.goods,
        delivery=basket.delivery,
        placed_at=now,
        **checkout.address,
    )
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            product=line.product,
            name=line.product.name,
            price=line.product.price,
            quantity=line.quantity,
        )
        for line in basket.lines
    )
    for line in basket.lines:
        line.product.stock -= line.quantity
    Product.objects.bulk_update([line.product for line in basket.lines], ["stock"])
    return order
