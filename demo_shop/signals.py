"""What happens in the shop, told to whoever listens. Each is sent by `demo_shop.acts`, after the fact.

A receiver that fails is logged and changes nothing for the shopper (`send_robust`).

- `basket_added`, `basket_removed`: `request`, `product`, `quantity` (how many more, or fewer)
- `checkout_begun`: `request`, `basket` (a `demo_shop.basket.Basket`); once a checkout
- `payment_chosen`: `request`, `basket`, `payment` (a value of `Order.Payment`)
- `order_placed`: `request`, `order`, `lines` (its lines, with product, category and department); once an order
- `product_viewed`: `request`, `product` (with category and department)
- `searched`: `request`, `query`, `found` (how many products); not again for its further pages or filters
- `registered`: `request`, `user`; signing in and out are Django's own signals
"""

from __future__ import annotations

from django.dispatch import Signal

__all__ = [
    "basket_added",
    "basket_removed",
    "checkout_begun",
    "order_placed",
    "payment_chosen",
    "product_viewed",
    "registered",
    "searched",
]

basket_added = Signal()
basket_removed = Signal()
checkout_begun = Signal()
payment_chosen = Signal()
order_placed = Signal()
product_viewed = Signal()
searched = Signal()
registered = Signal()
