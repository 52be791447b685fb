"""Baskets: what is in one, putting in, changing, taking out, and joining two when somebody signs in."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Sum

from demo_shop import delivery
from demo_shop.models import MOST_OF_ONE, Cart, CartLine, Product
from demo_shop.refusals import Refused

__all__ = ["Basket", "Owner", "add", "contents", "count", "find", "join", "open_cart", "remove", "set_quantity"]


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose basket: a signed-in user's, or the one whose number the browser's session keeps. Neither: nobody's yet."""

    user_id: int | None = None
    cart_id: int | None = None


@dataclass(frozen=True, slots=True)
class Basket:
    """A basket as it stands, at today's prices; `free_delivery` is an offer that this shopper was given."""

    lines: tuple[CartLine, ...] = ()
    free_delivery: bool = False

    @property
    def count(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def goods(self) -> Decimal:
        """What the goods cost, in euros."""
        return sum((line.total for line in self.lines), Decimal(0))

    @property
    def delivery(self) -> Decimal:
        return delivery.cost(self.goods) if self.lines and not self.free_delivery else Decimal(0)

    @property
    def total(self) -> Decimal:
        return self.goods + self.delivery

    @property
    def to_free_delivery(self) -> Decimal:
        """How many euros more make delivery free; 0 where it is."""
        if self.free_delivery:
            return Decimal(0)
        return max(delivery.FREE_FROM - self.goods, Decimal(0))

    @property
    def offered(self) -> bool:
        """Whether the offer is what makes delivery free: goods for more are delivered free to everyone."""
        return self.free_delivery and bool(self.lines) and self.goods < delivery.FREE_FROM

    @property
    def can_be_ordered(self) -> bool:
        return bool(self.lines) and not any(line.shortage for line in self.lines)


def find(owner: Owner) -> Cart | None:
    """Return the owner's cart, or None. A number that has become somebody's is nobody else's any more."""
    if owner.user_id is not None:
        return Cart.objects.filter(user_id=owner.user_id).first()
    if owner.cart_id is not None:
        return Cart.objects.filter(pk=owner.cart_id, user=None).first()
    return None


def open_cart(owner: Owner) -> Cart:
    """Return the owner's cart, made new where there is none."""
    cart = find(owner)
    if cart is not None:
        return cart
    if owner.user_id is None:
        return Cart.objects.create()
    return Cart.objects.get_or_create(user_id=owner.user_id)[0]


def contents(owner: Owner, *, free_delivery: bool = False) -> Basket:
    """Return what is in the owner's basket, in one query."""
    lines = _lines(owner)
    if lines is None:
        return Basket(free_delivery=free_delivery)
    return Basket(tuple(lines.select_related("product__category__department")), free_delivery)


def count(owner: Owner) -> int:
    """Return how many pieces are in the owner's basket."""
    lines = _lines(owner)
    return 0 if lines is None else lines.aggregate(pieces=Sum("quantity"))["pieces"] or 0


def _lines(owner: Owner) -> QuerySet[CartLine] | None:
    if owner.user_id is not None:
        return CartLine.objects.filter(cart__user_id=owner.user_id)
    if owner.cart_id is not None:
        return CartLine.objects.filter(cart_id=owner.cart_id, cart__user=None)
    return None


@transaction.atomic
def add(cart: Cart, product: Product, quantity: int) -> int:
    """Put so many more of a product into the cart and return how many of it are in there now.

    Raises:
        Refused: the quantity is none, more than the shop sells to one person, or more than there is.
    """
    if quantity < 1:
        raise Refused("Please choose at least one.", code="quantity")
    _lock(cart)
    line = CartLine.objects.filter(cart=cart, product=product).first()
    wanted = quantity + (line.quantity if line else 0)
    _admit(product, wanted, already=line.quantity if line else 0)
    CartLine.objects.update_or_create(cart=cart, product=product, defaults={"quantity": wanted})
    return wanted


@transaction.atomic
def set_quantity(cart: Cart, product: Product, quantity: int) -> int:
    """Have exactly so many of a product that is in the cart, 0 to take it out; return the change.

    Raises:
        Refused: it is not in the cart, or the quantity is negative, too much, or more than there is.
    """
    if quantity < 0:
        raise Refused("Please choose at least one, or remove it.", code="quantity")
    _lock(cart)
    line = CartLine.objects.filter(cart=cart, product=product).first()
    if line is None:
        raise Refused("This is not in your basket any more.", code="unknown")
    if quantity == 0:
        line.delete()
        return -line.quantity
    if quantity > line.quantity or quantity > product.stock:
        _admit(product, quantity, already=0)
    change = quantity - line.quantity
    CartLine.objects.filter(pk=line.pk).update(quantity=quantity)
    return change


@transaction.atomic
def remove(cart: Cart, product: Product) -> int:
    """Take a product out and return how many there were; 0 where it was not in."""
    _lock(cart)
    line = CartLine.objects.filter(cart=cart, product=product).first()
    if line is None:
        return 0
    line.delete()
    return line.quantity


@transaction.atomic
def join(cart_id: int, user_id: int) -> None:
    """Give a session's cart to the user who has just signed in, or pour it into the one they have.

    Quantities add up, as far as one person may have and the stock goes. A cart that is somebody's already stays theirs.
    """
    guest = Cart.objects.select_for_update().filter(pk=cart_id, user=None).first()
    if guest is None:
        return
    own = Cart.objects.select_for_update().filter(user_id=user_id).first()
    if own is None:
        try:
            with transaction.atomic():
                Cart.objects.filter(pk=guest.pk, user=None).update(user_id=user_id)
            return
        except IntegrityError:  # another tab signed in at the same moment and has given its cart
            own = Cart.objects.select_for_update().get(user_id=user_id)
    have = {line.product_id: line for line in own.lines.all()}
    for line in guest.lines.select_related("product"):
        already = have[line.product_id].quantity if line.product_id in have else 0
        most = max(min(MOST_OF_ONE, line.product.stock), already, 1)
        together = min(already + line.quantity, most)
        CartLine.objects.update_or_create(cart=own, product=line.product, defaults={"quantity": together})
    guest.delete()


def _lock(cart: Cart) -> None:
    """Let two tabs change one basket in turn."""
    Cart.objects.select_for_update().filter(pk=cart.pk).first()


def _admit(product: Product, wanted: int, *, already: int) -> None:
    if not product.on_sale:
        raise Refused("We no longer sell this.", code="gone")
    if product.stock == 0:
        raise Refused("This is sold out.", code="sold_out")
    yours = f" and {already} in your basket already" if already else ""
    if wanted > product.stock:
        raise Refused(f"There are only {product.stock} left{yours}.", code="too_many")
    if wanted > MOST_OF_ONE:
        yours = f", and you have {already} in your basket already" if already else ""
        raise Refused(f"We sell at most {MOST_OF_ONE} to one person{yours}.", code="too_many")
